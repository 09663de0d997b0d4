"""Starts the workspace server: `python -m localcloud.databricks --home H`."""

import argparse
import logging
from pathlib import Path

import uvicorn

from localcloud.databricks.server import create_app
from localcloud.databricks.workspace import Options, make_workspace
from localcloud.home import LAKE_ROOT, Home
from localcloud.loopback import LoopbackOnly
from localcloud.ports import HOST


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m localcloud.databricks", description=__doc__)
    parser.add_argument("--home", type=Path, required=True, help="the folder of the local cloud")
    parser.add_argument("--cluster-memory", default="3g", help="heap of each cluster's JVM")
    parser.add_argument("--lake-root", default=LAKE_ROOT, help="the lake whose tables new clusters know by name")
    given = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    home = Home(given.home.absolute())
    workspace = make_workspace(home, Options(heap=given.cluster_memory, lake_root=given.lake_root))
    app = LoopbackOnly(create_app(workspace))
    uvicorn.run(app, host=HOST, port=home.port("workspace"), access_log=False, log_config=None)


if __name__ == "__main__":
    main()
