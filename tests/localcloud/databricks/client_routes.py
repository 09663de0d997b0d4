"""What the installed clients call: the routes of databricks-sdk and of the Airflow provider, read from their source."""

import inspect
import re

from airflow.providers.databricks.hooks import databricks as provider
from databricks.sdk.mixins import files as files_mixin
from databricks.sdk.service import compute, files, iam, jobs, sql, workspace

_SDK = (
    jobs.JobsAPI, compute.ClustersAPI, compute.LibrariesAPI, workspace.SecretsAPI, workspace.WorkspaceAPI,
    files.FilesAPI, files.DbfsAPI, files_mixin.FilesExt, iam.PermissionsAPI, iam.CurrentUserAPI,
    sql.StatementExecutionAPI, sql.WarehousesAPI,
)  # fmt: skip
_CALL = re.compile(r'_api\.do\(\s*"([A-Z]+)",\s*(?:path=)?f?"(/api/[^"]+)"')
_ENDPOINT = re.compile(r'\("([A-Z]+)", f?"(2\.\d/[^"]+)"\)')
# The provider puts these together from their parts.
_PUT_TOGETHER = ("PATCH /api/2.0/repos/{id}", "DELETE /api/2.0/repos/{id}")


def of_clients() -> set[str]:
    """`METHOD /path`, with `{}` for what is filled in and for the version."""
    sdk = [found for each in _SDK for found in _CALL.findall(inspect.getsource(each))]
    constants = _ENDPOINT.findall(inspect.getsource(provider))
    airflow = [(method, f"/api/{path}") for method, path in constants if not path.endswith("repos/")]
    return {normal(f"{method} {path}") for method, path in (*sdk, *airflow)} | set(map(normal, _PUT_TOGETHER))


def normal(route: str) -> str:
    """The route without what differs between clients: names of path parameters, versions, a slash at the end."""
    unnamed = re.sub(r"\{[^}]*\}+", "{}", route)
    return re.sub(r"/api/(2\.\d|\{\})/", "/api/{}/", unnamed).replace("/{}", "{}").rstrip("/")
