"""A running local cloud for tests: real services in a scratch home."""

import json
import os
import re
import shlex
import subprocess
import sys
from dataclasses import dataclass
from decimal import Decimal
from io import StringIO
from pathlib import Path
from typing import Any

from databricks.sdk import WorkspaceClient

from localcloud.databricks.sql import query
from localcloud.home import Home
from localcloud.rows import print_json

BIN = Path(sys.executable).parent
REPOSITORY = Path(__file__).parent.parent
_EXPORT = re.compile(r"^export (\w+)=(.*)$")


@dataclass(frozen=True)
class Cloud:
    """One local cloud and the commands that a user has for it.

    Attributes:
        home: Its home.
        beside: Folders outside the home that its services keep data in.
    """

    home: Home
    beside: tuple[Path, ...] = ()

    def localcloud(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Runs `localcloud …` against this home; what it printed is in `stdout` and `stderr`."""
        command = [BIN / "localcloud", *arguments, "--home", self.home.root]
        return self._run(command, dict(os.environ), check=check)

    def sql(self, statement: str) -> list[dict[str, Any]]:
        """What `localcloud sql --format json` prints, without the seconds that the command takes to start."""
        printed = StringIO()
        print_json(query(self.home, statement), printed)
        rows: list[dict[str, Any]] = json.loads(printed.getvalue(), parse_float=Decimal)
        return rows

    def environment(self) -> dict[str, str]:
        """What `localcloud env` exports, as a shell would read it, on top of the test's own environment."""
        lines = self.localcloud("env").stdout.splitlines()
        exported = {match[1]: shlex.split(match[2])[0] for line in lines if (match := _EXPORT.match(line)) and match[2]}
        return {**os.environ, **exported}

    def databricks(self) -> WorkspaceClient:
        host = f"http://127.0.0.1:{self.home.port('workspace')}"
        return WorkspaceClient(host=host, token=self.home.secret("databricks-token"))

    def airflow(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return self._run([BIN / "airflow", *arguments], self.environment(), check=True)

    @staticmethod
    def _run(command: list[Any], environment: dict[str, str], *, check: bool) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=600, check=False)
        if check and done.returncode != 0:
            raise AssertionError(
                f"{command} ended with {done.returncode}:\n{done.stdout[-4000:]}\n{done.stderr[-4000:]}"
            )
        return done
