"""That a catalogue gets events, and that one which is down, slow or sly costs a job seconds and nothing else."""

import socket
import time

import pytest

from spark_jobs.lineage import sending
from spark_jobs.lineage.sending import Catalogue
from tests.spark_jobs.lineage.catalogue import FakeCatalogue

EVENT = {"eventType": "START"}


def said(capsys: pytest.CaptureFixture[str]) -> str:
    return capsys.readouterr().out.strip()


def test_an_event_is_posted_without_a_key_where_there_is_none(
    catalogue: FakeCatalogue, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OPENLINEAGE_API_KEY", raising=False)
    Catalogue(catalogue.url).send(EVENT)
    assert (catalogue.told, catalogue.keys, said(capsys)) == ([EVENT], [None], "")


def test_the_key_goes_along_and_into_no_log(
    catalogue: FakeCatalogue, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENLINEAGE_API_KEY", "s3cret")
    catalogue.status = 403
    Catalogue(catalogue.url).send(EVENT)
    assert catalogue.keys == ["Bearer s3cret"]
    where = catalogue.url.split("/")[2]
    assert said(capsys) == f"Lineage: {where} was not told START (HTTP Error 403: Forbidden); the job goes on"


def test_a_refused_port_is_said_at_once(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    began = time.monotonic()
    Catalogue(f"http://127.0.0.1:{port}/api/v1/lineage").send(EVENT)
    assert time.monotonic() - began < sending.PATIENCE_SECONDS
    sentence = said(capsys)
    assert sentence.startswith(f"Lineage: 127.0.0.1:{port} was not told START (")
    assert sentence.endswith("Connection refused>); the job goes on")


def test_one_that_does_not_answer_is_waited_for_no_longer_than_that(
    catalogue: FakeCatalogue, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sending, "PATIENCE_SECONDS", 0.2)
    catalogue.may_answer.clear()
    began = time.monotonic()
    Catalogue(catalogue.url).send(EVENT)
    assert 0.2 <= time.monotonic() - began < 3
    assert "was not told START (no answer within 0.2 seconds); the job goes on" in said(capsys)


def test_the_key_follows_no_redirect(
    catalogue: FakeCatalogue, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENLINEAGE_API_KEY", "s3cret")
    catalogue.status = 302
    catalogue.headers = {"Location": catalogue.url.replace("127.0.0.1", "localhost")}
    Catalogue(catalogue.url).send(EVENT)
    assert len(catalogue.events) == 1
    assert "HTTP Error 302" in said(capsys)
