import datetime as dt
import sys
from types import SimpleNamespace
from typing import Any, cast

import pytest
from databricks.sdk import WorkspaceClient

from include.errors import ConfigurationError
from include.lineage import lineage_parameters, lineage_secrets
from include.operators import _secret_names
from include.run_clusters import DagRunKey, start
from include.settings import Settings

LAKE = "abfss://bookstore@bookstorelake.dfs.core.windows.net/lake"


@pytest.fixture
def context() -> Any:
    """A task's second try, of a DAG run that has been cleared once."""
    dag_run = SimpleNamespace(
        logical_date=None, run_after=dt.datetime(2026, 1, 31, tzinfo=dt.UTC), clear_number=1, conf={}
    )
    task = SimpleNamespace(
        dag_id="refresh_silver", task_id="merge_orders", try_number=2, map_index=-1, dag_run=dag_run,
        get_template_context=lambda: {"dag_run": dag_run},
        task=SimpleNamespace(),
    )  # fmt: skip
    return {"ti": task}


def test_without_a_catalogue_there_are_no_arguments_and_no_secret(
    context: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENLINEAGE_API_KEY_SECRET", "openlineage-api-key")
    assert lineage_parameters(Settings.load(), context) == {}
    assert lineage_secrets(Settings.load()) == {}


def test_a_job_learns_where_to_report_and_whose_child_it_is(context: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from airflow.providers.openlineage.plugins.adapter import OpenLineageAdapter

    monkeypatch.setenv("OPENLINEAGE_URL", "https://catalogue:5000/")
    monkeypatch.setenv("OPENLINEAGE_NAMESPACE", "bookstore")
    due = context["ti"].dag_run.run_after
    task_run = OpenLineageAdapter.build_task_instance_run_id("refresh_silver", "merge_orders", 2, due, -1)
    dag_run = OpenLineageAdapter.build_dag_run_id("refresh_silver", due, 1)
    assert lineage_parameters(Settings.load(), context) == {
        "lineage_url": "https://catalogue:5000/api/v1/lineage",
        "lineage_parent": f"bookstore/refresh_silver.merge_orders/{task_run}",
        "lineage_root": f"bookstore/refresh_silver/{dag_run}",
    }


def test_a_catalogue_without_the_provider_says_what_to_install(context: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENLINEAGE_URL", "https://catalogue:5000")
    monkeypatch.setitem(sys.modules, "airflow.providers.openlineage.plugins.macros", None)
    with pytest.raises(ConfigurationError, match="OPENLINEAGE_URL requires the package apache-airflow-providers-openl"):
        lineage_parameters(Settings.load(), context)


def test_another_catalogue_takes_events_elsewhere(context: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENLINEAGE_URL", "https://datahub/gms")
    monkeypatch.setenv("OPENLINEAGE_ENDPOINT", "/openapi/openlineage/api/v1/lineage")
    url = lineage_parameters(Settings.load(), context)["lineage_url"]
    assert url == "https://datahub/gms/openapi/openlineage/api/v1/lineage"


def test_the_key_goes_from_the_vault_to_every_cluster_and_is_in_no_payload(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENLINEAGE_URL", "https://catalogue:5000")
    monkeypatch.setenv("OPENLINEAGE_API_KEY_SECRET", "openlineage-api-key")
    settings = Settings.load()
    assert _secret_names(settings) == ["adls-account-key", "openlineage-api-key"]
    requested: dict[str, Any] = {}
    start(cast("WorkspaceClient", workspace(requested)), settings, DagRunKey("refresh_silver", "a run", LAKE))
    assert requested["spark_env_vars"] == {"OPENLINEAGE_API_KEY": "{{secrets/bookstore/openlineage-api-key}}"}


def workspace(requested: dict[str, Any]) -> Any:
    """One without clusters, that keeps what it is asked to create."""
    created = SimpleNamespace(bind=lambda: {"cluster_id": "1125-run"})

    def create(**specification: Any) -> Any:
        requested.update(specification)
        return created

    return SimpleNamespace(clusters=SimpleNamespace(list=lambda **_: [], create=create))


@pytest.mark.parametrize(
    "url", ["catalogue:5000", "https://user:s3cret@catalogue", "https://catalogue?key=s3cret", "ftp://catalogue"]
)
def test_an_address_that_could_hold_a_secret_is_refused_without_showing_it(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENLINEAGE_URL", url)
    with pytest.raises(
        ConfigurationError, match="OPENLINEAGE_URL must be the catalogue's http:// or https://"
    ) as refused:
        Settings.load()
    assert "s3cret" not in str(refused.value)
