"""The bill of materials names what is installed, all of it, with the sums that the setup checks."""

import json
import subprocess
import sys
from collections import Counter
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def components(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    target = tmp_path_factory.mktemp("sbom") / "sbom.json"
    subprocess.run([sys.executable, "-m", "scripts.sbom", target], cwd=ROOT, check=True, capture_output=True)
    bill = json.loads(target.read_text())
    assert (bill["bomFormat"], bill["specVersion"]) == ("CycloneDX", "1.6")
    found: list[dict[str, Any]] = bill["components"]
    return found


def test_every_line_of_the_locks_is_a_component(components: list[dict[str, Any]]) -> None:
    npm = json.loads((ROOT / "localcloud" / "azurite" / "package-lock.json").read_text())["packages"]
    versions = {(path.rpartition("node_modules/")[2], each["version"]) for path, each in npm.items() if path}
    pinned = [line for line in (ROOT / "requirements.txt").read_text().splitlines() if "==" in line.split("#")[0]]
    assert Counter(each["purl"].split("/")[0] for each in components) == {
        "pkg:pypi": len(pinned),
        "pkg:maven": len((ROOT / "jars.lock").read_text().splitlines()),
        "pkg:npm": len(versions),
    }


def test_each_has_the_sum_that_the_setup_checks(components: list[dict[str, Any]]) -> None:
    assert all(each["hashes"] for each in components)
    by_url = {each["purl"]: each for each in components}
    sum_of_jar, _, path = (ROOT / "jars.lock").read_text().splitlines()[0].split()
    group, name, number = "/".join(path.split("/")[:-3]).replace("/", "."), *path.split("/")[-3:-1]
    assert by_url[f"pkg:maven/{group}/{name}@{number}"]["hashes"] == [{"alg": "SHA-256", "content": sum_of_jar}]


def test_the_versions_are_those_that_run(components: list[dict[str, Any]]) -> None:
    (pyspark,) = (each for each in components if each["purl"].startswith("pkg:pypi/pyspark@"))
    assert pyspark["version"] == version("pyspark")
