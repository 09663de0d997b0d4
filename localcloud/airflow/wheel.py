"""The wheel that the DAGs run: built from the working tree and uploaded, as a deployment to Azure does it."""

import os
import subprocess
import sys

from localcloud.airflow.config import REPOSITORY, settings_file
from localcloud.errors import LocalCloudError
from localcloud.home import Home, write_private
from localcloud.ports import HOST


def deploy_wheel(home: Home) -> None:
    """Brings the current code to the workspace and tells the DAGs where it is; a task takes it from its next start on.

    Raises:
        LocalCloudError: The wheel could not be built or uploaded.
    """
    workspace = {
        "DATABRICKS_HOST": f"http://{HOST}:{home.port('workspace')}",
        "DATABRICKS_TOKEN": home.secret("databricks-token"),
    }
    deployed = subprocess.run(
        [sys.executable, "-m", "include.deploy"],
        cwd=REPOSITORY,
        env={**os.environ, **workspace},
        capture_output=True,
        text=True,
        check=False,
    )
    if deployed.returncode:
        raise LocalCloudError(f"The wheel could not be deployed to the workspace:\n{deployed.stderr.strip()[-2000:]}")
    write_private(settings_file(home), deployed.stdout)
