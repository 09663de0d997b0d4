"""Brings secrets from Azure Key Vault into the Databricks secret scope that clusters refer to.

The scope also holds a marker for each: a secret whose name ends with the version of the vault's secret that was stored.
Databricks lists names and times of secrets but shows values to notebooks only, so the marker tells a change.
"""

import contextlib
import logging
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import cast

from airflow.providers.microsoft.azure.hooks.base_azure import AzureBaseHook
from airflow.sdk.exceptions import AirflowNotFoundException
from airflow.sdk.log import mask_secret
from azure.core.credentials import TokenCredential
from azure.core.exceptions import AzureError
from azure.keyvault.secrets import SecretClient
from databricks.sdk import WorkspaceClient
from databricks.sdk.errors import ResourceAlreadyExists, ResourceDoesNotExist
from databricks.sdk.service.compute import State

from include.errors import ConfigurationError, VaultError
from include.runs import SECRET_SCOPE

log = logging.getLogger(__name__)

_MARKER = ".version."
_VAULT_RETRIES = 3
_UP = {State.RUNNING, State.RESIZING}

Times = dict[str, int]


@dataclass(frozen=True)
class VaultSecret:
    """A version of a secret; its value is never shown."""

    name: str
    version: str
    value: str = field(repr=False)

    @property
    def marker(self) -> str:
        return f"{self.name}{_MARKER}{self.version}"


def read_vault(url: str, conn_id: str, name: str) -> VaultSecret:
    """The current version of the vault's secret of that name.

    Raises:
        ConfigurationError: The Azure connection is missing or not of the kind that Key Vault accepts.
        VaultError: The vault did not give the secret.
    """
    client = SecretClient(url, _credential(conn_id), retry_total=_VAULT_RETRIES)
    try:
        secret = client.get_secret(name)
    except AzureError as error:
        # The client's own message begins with one sentence and goes on with pages of what else it tried.
        cause = str(error).strip().partition("\n")[0]
        raise VaultError(
            f"secret {name} is required from Key Vault {url}: {type(error).__name__}: {cause}. "
            f"Check AZURE_KEY_VAULT_URL, that the secret exists, and that connection {conn_id} may read it"
        ) from error
    if not secret.value or not secret.properties.version:
        raise VaultError(f"secret {name} in Key Vault {url} is empty: store a value in it")
    # Should any library print it in spite of all, Airflow's log shows three asterisks.
    mask_secret(secret.value)
    return VaultSecret(name, secret.properties.version, secret.value)


def _credential(conn_id: str) -> TokenCredential:
    remedy = f'create connection {conn_id} of type azure with extra {{"use_azure_identity_object": true}}'
    hook = AzureBaseHook(conn_id=conn_id)
    try:
        connection = hook.get_connection(conn_id)
    except AirflowNotFoundException:
        raise ConfigurationError(
            f"connection {conn_id} is required to read the Key Vault and is missing: {remedy}"
        ) from None
    if not connection.extra_dejson.get("use_azure_identity_object"):
        raise ConfigurationError(
            f"connection {conn_id} lacks use_azure_identity_object, without which Key Vault refuses its credential: "
            f'add {{"use_azure_identity_object": true}} to its extra'
        )
    # With use_azure_identity_object set, the older kinds that the hook's annotation also names don't come.
    return cast(TokenCredential, hook.get_credential(conn=connection))


def store(workspace: WorkspaceClient, secret: VaultSecret) -> bool:
    """Puts the secret into the scope unless this version is there already; says whether it did."""
    times = _listed(workspace)
    if _is_stored(times, secret):
        return False
    workspace.secrets.put_secret(SECRET_SCOPE, secret.name, string_value=secret.value)
    # The marker comes second: whoever fails between the two leaves no marker, and the next run stores it again.
    workspace.secrets.put_secret(SECRET_SCOPE, secret.marker, string_value=secret.version)
    earlier = secret.name + _MARKER
    _forget(workspace, (name for name in times if name.startswith(earlier) and name != secret.marker))
    return True


def _is_stored(times: Times, secret: VaultSecret) -> bool:
    """A value written after its marker came from somebody else, so the marker no longer says what it is."""
    marked = times.get(secret.marker)
    return marked is not None and secret.name in times and times[secret.name] <= marked


def _listed(workspace: WorkspaceClient) -> Times:
    """Names in the scope with the time of their last change; a missing scope is created."""
    try:
        secrets = list(workspace.secrets.list_secrets(SECRET_SCOPE))
    except ResourceDoesNotExist:
        with contextlib.suppress(ResourceAlreadyExists):  # a parallel run was faster
            workspace.secrets.create_scope(SECRET_SCOPE)
        return {}
    return {secret.key or "": secret.last_updated_timestamp or 0 for secret in secrets}


def _forget(workspace: WorkspaceClient, names: Iterable[str]) -> None:
    for name in names:
        with contextlib.suppress(ResourceDoesNotExist):  # a parallel run was faster
            workspace.secrets.delete_secret(SECRET_SCOPE, name)


def restart_if_older(workspace: WorkspaceClient, cluster_id: str) -> bool:
    """Restarts a cluster that started before a secret was last stored, since it would go on with the old one."""
    cluster = workspace.clusters.get(cluster_id)
    started = max(cluster.start_time or 0, cluster.last_restarted_time or 0)
    stored = max(time for name, time in _listed(workspace).items() if _MARKER not in name)
    if cluster.state not in _UP or started > stored:
        return False
    workspace.clusters.restart(cluster_id)
    return True
