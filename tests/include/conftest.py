"""Fixtures for what DAGs import."""

import os

import pytest

from include.settings import Settings

WHEEL = "/Workspace/Shared/bookstore/wheels/0.1.0-4f3a9c2b7d10/bookstore_segmentation-0.1.0-py3-none-any.whl"


@pytest.fixture(autouse=True)
def configured(monkeypatch: pytest.MonkeyPatch) -> None:
    """The environment of a workspace with a lake and a wheel, and nothing of the machine's own."""
    for name in [str(field.validation_alias) for field in Settings.model_fields.values()]:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.delenv("BOOKSTORE_SETTINGS_FILE", raising=False)
    monkeypatch.setenv("LAKE_ROOT", "abfss://bookstore@bookstorelake.dfs.core.windows.net/lake")
    monkeypatch.setenv("BOOKSTORE_WHEEL", WHEEL)
    assert "BOOKSTORE_COMPUTE" not in os.environ
