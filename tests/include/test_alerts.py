"""What is told of a failure, to a real receiver on this machine."""

import email
import json
import socketserver
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
from airflow.sdk.log import mask_secret

from include.alerts import WebhookNotifier, alerts
from include.errors import AlertError, ConfigurationError, JobFailedError
from include.settings import Settings


class TaskInstance:
    dag_id, task_id, run_id, try_number = "segment_customers", "aggregate_rfm", "backfill__2026-01-31", 3
    log_url = "http://airflow/dags/segment_customers/runs/backfill__2026-01-31/tasks/aggregate_rfm"


class Receiver(HTTPServer):
    """A webhook that keeps what it is told, or refuses it."""

    status = 200

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.told: list[tuple[str, dict[str, Any]]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/services/a-secret-path"


class Handler(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        self.server.told.append((self.path, json.loads(body)))
        self.send_response(self.server.status)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def receiver(monkeypatch: pytest.MonkeyPatch) -> Iterator[Receiver]:
    with Receiver() as receiver:
        connection = {"conn_type": "generic", "password": receiver.url}
        monkeypatch.setenv("AIRFLOW_CONN_ALERTS", json.dumps(connection))
        monkeypatch.setenv("BOOKSTORE_ALERT_WEBHOOK", "alerts")
        threading.Thread(target=receiver.serve_forever, daemon=True).start()
        yield receiver
        receiver.shutdown()


def context(reason: str = "aggregate_rfm FAILED: no capacity") -> Any:
    return {"ti": TaskInstance(), "run_id": TaskInstance.run_id, "exception": JobFailedError(reason)}


def test_nobody_is_told_unless_the_configuration_says_so() -> None:
    assert alerts(Settings.load()) == []


def test_a_webhook_is_told_what_failed_why_and_where_to_look(receiver: Receiver) -> None:
    (tell,) = alerts(Settings.load())
    tell(context())
    reason = "aggregate_rfm FAILED: no capacity"
    assert receiver.told == [
        (
            "/services/a-secret-path",
            {
                "text": (
                    f"segment_customers.aggregate_rfm failed in backfill__2026-01-31: {reason}\n{TaskInstance.log_url}"
                ),
                "dag_id": "segment_customers",
                "run_id": "backfill__2026-01-31",
                "task_id": "aggregate_rfm",
                "try_number": 3,
                "reason": reason,
                "log_url": TaskInstance.log_url,
            },
        )
    ]


def test_secrets_that_airflow_knows_are_not_told(receiver: Receiver) -> None:
    mask_secret("c2VjcmV0a2V5")
    WebhookNotifier("alerts")(context("the key c2VjcmV0a2V5 was refused"))
    ((_, told),) = receiver.told
    assert told["reason"] == "the key *** was refused"
    assert "c2VjcmV0a2V5" not in told["text"]


def test_a_webhook_that_refuses_is_named_and_its_address_is_not(receiver: Receiver) -> None:
    receiver.status = 410
    with pytest.raises(AlertError) as failed:
        WebhookNotifier("alerts")(context())
    assert str(failed.value) == "the webhook of connection alerts answered 410: nobody was told"


def test_a_connection_without_an_address_says_where_it_belongs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_EMPTY", json.dumps({"conn_type": "generic", "host": "hooks.example.com"}))
    with pytest.raises(ConfigurationError, match="connection empty must have the webhook's address as its password"):
        WebhookNotifier("empty")(context())


class Mailbox(socketserver.TCPServer):
    """A mail server that takes one message."""

    allow_reuse_address = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), MailHandler)
        self.lines: list[str] = []


class MailHandler(socketserver.StreamRequestHandler):
    server: Mailbox

    def handle(self) -> None:
        self._answer("220 here")
        while line := self.rfile.readline().decode().rstrip():
            self.server.lines.append(line)
            if line == "data":
                self._answer("354 go on")
                self._take_message()
            self._answer("221 bye" if line.lower() == "quit" else "250 fine")

    def _take_message(self) -> None:
        while (line := self.rfile.readline().decode().rstrip("\r\n")) != ".":
            self.server.lines.append(line)

    def _answer(self, line: str) -> None:
        self.wfile.write(f"{line}\r\n".encode())


def test_a_mailbox_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    with Mailbox() as mailbox:
        settings = {"conn_type": "smtp", "host": "127.0.0.1", "port": mailbox.server_address[1]}
        extra = {"disable_ssl": True, "disable_tls": True, "from_email": "airflow@example.com"}
        monkeypatch.setenv("AIRFLOW_CONN_SMTP_DEFAULT", json.dumps({**settings, "extra": extra}))
        monkeypatch.setenv("BOOKSTORE_ALERT_MAIL", "operators@example.com")
        threading.Thread(target=mailbox.serve_forever, daemon=True).start()
        (tell,) = alerts(Settings.load())
        mask_secret("c2VjcmV0a2V5")
        tell(context("a < b, c2VjcmV0a2V5"))
        mailbox.shutdown()
    assert "rcpt TO:<operators@example.com>" in mailbox.lines
    mail = email.message_from_string("\n".join(mailbox.lines[mailbox.lines.index("data") + 1 :]))
    assert mail["subject"] == "segment_customers.aggregate_rfm failed"
    (part,) = (each for each in mail.walk() if each.get_content_type() == "text/html")
    text = part.get_payload(decode=True)
    assert isinstance(text, bytes)
    assert b"a &lt; b, ***" in text
    assert TaskInstance.log_url.encode() in text
