"""How an event reaches the catalogue, without ever failing a job or holding it up for long."""

import json
import os
import urllib.request
from dataclasses import dataclass
from threading import Thread
from typing import Any
from urllib.parse import urlsplit

from spark_jobs.lineage.events import Event

API_KEY = "OPENLINEAGE_API_KEY"
"""The environment variable with the key, where the catalogue asks for one."""
PATIENCE_SECONDS = 3.0
"""How long a job waits for the catalogue, for each of its two events."""


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """Whoever answers from elsewhere must not get the key."""

    def redirect_request(self, *_: Any) -> None:
        return None


@dataclass(frozen=True)
class Catalogue:
    """Where events go.

    Attributes:
        url: The address that takes them, e.g. `http://marquez:5000/api/v1/lineage`.
    """

    url: str

    def send(self, event: Event) -> None:
        """Tells the catalogue, or the log why that can't be done."""
        failures: list[str] = []
        # A thread of its own: a socket's timeout bounds neither a name's look-up nor an answer that trickles.
        sender = Thread(target=self._try, args=(event, failures), daemon=True)
        sender.start()
        sender.join(PATIENCE_SECONDS)
        if sender.is_alive():
            failures.append(f"no answer within {PATIENCE_SECONDS:g} seconds")
        if failures:
            where = urlsplit(self.url).netloc
            sentence = f"Lineage: {where} was not told {event['eventType']} ({failures[0]}); the job goes on"
            print(sentence, flush=True)  # noqa: T201 - the run's log

    def _try(self, event: Event, failures: list[str]) -> None:
        try:
            self._post(event)
        except Exception as error:
            failures.append(str(error))

    def _post(self, event: Event) -> None:
        headers = {"Content-Type": "application/json"}
        if key := os.environ.get(API_KEY):
            headers["Authorization"] = f"Bearer {key}"
        request = urllib.request.Request(self.url, json.dumps(event).encode(), headers)  # noqa: S310 - see LineageConfig
        urllib.request.build_opener(_NoRedirects).open(request).close()
