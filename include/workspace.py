"""databricks-sdk's client, from Airflow's Databricks connection."""

from collections.abc import Callable

from airflow.providers.databricks.hooks.databricks import DatabricksHook
from databricks.sdk import WorkspaceClient
from databricks.sdk.config import Config
from databricks.sdk.credentials_provider import CredentialsStrategy

_RETRY_SECONDS = 60


class ConnectionCredentials(CredentialsStrategy):
    """Signs in however the connection says: token, service principal, managed identity and so on."""

    def __init__(self, hook: DatabricksHook) -> None:
        self._hook = hook

    def auth_type(self) -> str:
        return "airflow-connection"

    def __call__(self, cfg: Config) -> Callable[[], dict[str, str]]:  # noqa: ARG002 - the sdk's signature
        return self._headers

    def _headers(self) -> dict[str, str]:
        # The provider knows every kind of sign-in and has no public method that gives the token.
        token = self._hook._get_token(raise_error=True)
        return {"Authorization": f"Bearer {token}", **self._hook._get_aad_headers()}


def workspace_client(conn_id: str) -> WorkspaceClient:
    hook = DatabricksHook(conn_id)
    credentials = ConnectionCredentials(hook)
    config = Config(
        host=_address(hook),
        auth_type=credentials.auth_type(),
        credentials_strategy=credentials,
        # Left alone, the client tries for five minutes; a task has retries of its own.
        retry_timeout_seconds=_RETRY_SECONDS,
    )
    return WorkspaceClient(config=config)


def _address(hook: DatabricksHook) -> str:
    connection = hook.databricks_conn
    port = f":{connection.port}" if connection.port else ""
    return f"{connection.schema or 'https'}://{hook.host}{port}"
