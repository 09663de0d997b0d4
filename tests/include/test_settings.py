from pathlib import Path

import pydantic
import pytest

from include.compute import Compute
from include.errors import ConfigurationError
from include.settings import Settings


def test_defaults_are_a_single_small_cluster_for_each_dag_run() -> None:
    settings = Settings.load()
    assert (settings.compute, settings.node_type) == (Compute.DAG_CLUSTER, "Standard_DS3_v2")


def test_settings_are_frozen() -> None:
    with pytest.raises(pydantic.ValidationError, match="frozen"):
        Settings.load().catalog = "main"


def test_environment_wins_over_the_settings_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "bookstore.env"
    file.write_text("BOOKSTORE_CATALOG=from_file\nKAFKA_BOOTSTRAP_SERVERS=from_file:9092\nUNRELATED=1\n")
    monkeypatch.setenv("BOOKSTORE_SETTINGS_FILE", str(file))
    monkeypatch.setenv("BOOKSTORE_CATALOG", "from_environment")
    settings = Settings.load()
    assert (settings.catalog, settings.kafka_bootstrap_servers) == ("from_environment", "from_file:9092")


def test_file_that_is_not_there_yet_is_no_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BOOKSTORE_SETTINGS_FILE", str(tmp_path / "none.env"))
    assert Settings.load().catalog == ""


@pytest.mark.parametrize(
    ("compute", "missing"),
    [
        ("existing_cluster", "compute existing_cluster requires BOOKSTORE_CLUSTER_ID, the id of the cluster to run on"),
        ("instance_pool", "compute instance_pool requires BOOKSTORE_INSTANCE_POOL_ID, the id of the pool"),
        ("serverless", "compute serverless requires BOOKSTORE_CATALOG, the Unity Catalog catalog"),
    ],
)
def test_compute_without_what_it_needs_is_refused(compute: str, missing: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BOOKSTORE_COMPUTE", compute)
    with pytest.raises(ConfigurationError, match=missing):
        Settings.load()


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        (
            "LAKE_ROOT",
            "abfss://bookstore@bookstorelake.dfs.core.windows.net/lake/",
            "LAKE_ROOT must be abfss://<container>@<account>.dfs.core.windows.net/<folder>, found 'abfss://bookstore@",
        ),
        ("LAKE_ROOT", "s3://bucket/lake", "LAKE_ROOT must be abfss://.*, found 's3://bucket/lake'"),
        ("AZURE_KEY_VAULT_URL", "http://vault", "AZURE_KEY_VAULT_URL must be the vault's https:// address"),
        ("BOOKSTORE_WHEEL", "/tmp/x.whl", "BOOKSTORE_WHEEL must be a .whl under /Workspace/ or /Volumes/"),  # noqa: S108
        ("BOOKSTORE_COMPUTE", "laptop", "BOOKSTORE_COMPUTE .*'job_cluster'.*, found 'laptop'"),
        ("BOOKSTORE_RFM_SCHEME", "quartiles", "BOOKSTORE_RFM_SCHEME must be a JSON object, .* found 'quartiles'"),
        ("BOOKSTORE_RFM_SCHEME", "[5, 5, 5]", "BOOKSTORE_RFM_SCHEME must be a JSON object, as docs/segmentation.md"),
        ("BOOKSTORE_RFM_SCHEME", '{"name": "{{ x }}"}', "BOOKSTORE_RFM_SCHEME must be a JSON object, .* without {{"),
        ("BOOKSTORE_POLL_SECONDS", "0", "BOOKSTORE_POLL_SECONDS .*greater than or equal to 1, found '0'"),
    ],
)
def test_wrong_form_is_refused_in_one_sentence(
    name: str, value: str, sentence: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(ConfigurationError, match=sentence) as refused:
        Settings.load()
    assert "\n" not in str(refused.value)


def test_every_wrong_setting_is_named_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LAKE_ROOT", "lake")
    monkeypatch.setenv("AZURE_KEY_VAULT_URL", "vault")
    with pytest.raises(ConfigurationError, match=r"LAKE_ROOT must be .*; AZURE_KEY_VAULT_URL must be"):
        Settings.load()


def test_required_setting_says_what_to_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("BOOKSTORE_WHEEL")
    with pytest.raises(ConfigurationError) as refused:
        Settings.load().required("wheel")
    assert str(refused.value) == (
        "BOOKSTORE_WHEEL is required and is not set: run `python -m include.deploy` and set what it prints"
    )


def test_storage_host_comes_from_the_lake() -> None:
    assert Settings.load().storage_host == "bookstorelake.dfs.core.windows.net"


def test_wheel_version_is_its_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    assert Settings.load().wheel_version == "0.1.0-4f3a9c2b7d10"
    monkeypatch.setenv("BOOKSTORE_WHEEL", "")
    assert Settings.load().wheel_version == "not-deployed"
