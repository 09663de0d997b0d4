"""The bill of materials, in CycloneDX: every package that `make setup` installs, from the locks that it installs by.

`python -m scripts.sbom FILE`
"""

import base64
import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path

from cyclonedx.model import HashAlgorithm, HashType
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.output.json import JsonV1Dot6
from packageurl import PackageURL

from scripts import jars

ROOT = Path(__file__).parents[1]
_PINNED = re.compile(
    r"^(?P<name>[\w.-]+)(?:\[[^]]*\])?==(?P<version>[^\s\\;]+)(?P<hashes>(?:.|\n(?=\s))*)", re.MULTILINE
)
_SHA256 = re.compile(r"--hash=sha256:([0-9a-f]{64})")


def main() -> None:
    target = Path(sys.argv[1])
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(JsonV1Dot6(bill_of_materials()).output_as_string(indent=2))
    print(target)


def bill_of_materials() -> Bom:
    bom = Bom(components=[*_python(), *_jars(), *_npm()])
    bom.metadata.component = Component(name="bookstore-segmentation", type=ComponentType.APPLICATION)
    return bom


def _python() -> Iterator[Component]:
    """A release has a hash for each of its files: the wheels of several machines, the source."""
    for found in _PINNED.finditer((ROOT / "requirements.txt").read_text()):
        hashes = [HashType(alg=HashAlgorithm.SHA_256, content=each) for each in _SHA256.findall(found["hashes"])]
        yield _component(PackageURL("pypi", name=found["name"].lower(), version=found["version"]), hashes)


def _jars() -> Iterator[Component]:
    for jar in jars.read(ROOT / "jars.lock"):
        *group, name, version, _ = jar.path.split("/")
        url = PackageURL("maven", namespace=".".join(group), name=name, version=version)
        yield _component(url, [HashType(alg=HashAlgorithm.SHA_256, content=jar.sha256)])


def _npm() -> Iterator[Component]:
    """The same package may be there in several places; it is named once for each of its versions."""
    lock = json.loads((ROOT / "localcloud" / "azurite" / "package-lock.json").read_text())
    places = ((path.rpartition("node_modules/")[2], package) for path, package in lock["packages"].items() if path)
    for (path, version), package in {(path, package["version"]): package for path, package in places}.items():
        *scope, name = path.split("/")
        sha512 = base64.b64decode(package["integrity"].removeprefix("sha512-")).hex()
        url = PackageURL("npm", namespace="/".join(scope) or None, name=name, version=version)
        yield _component(url, [HashType(alg=HashAlgorithm.SHA_512, content=sha512)])


def _component(url: PackageURL, hashes: list[HashType]) -> Component:
    return Component(
        name=url.name,
        group=url.namespace,
        version=url.version,
        purl=url,
        bom_ref=url.to_string(),
        type=ComponentType.LIBRARY,
        hashes=hashes,
    )


if __name__ == "__main__":
    main()
