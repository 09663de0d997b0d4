"""Who is told that a task has failed for good: a webhook, a mailbox, both or nobody, as the configuration says."""

from typing import Any

import httpx
from airflow.sdk import BaseHook, BaseNotifier, Context
from airflow.sdk.log import redact  # type: ignore[attr-defined] # there is no public way to it

from include.errors import AlertError, ConfigurationError
from include.settings import Settings

_SECONDS = 10


def alerts(settings: Settings) -> list[BaseNotifier]:
    """What a task calls when it has failed and isn't tried again."""
    webhook = [WebhookNotifier(settings.alert_webhook)] if settings.alert_webhook else []
    return [*webhook, *_mails(settings)]


def _mails(settings: Settings) -> list[BaseNotifier]:
    if not settings.alert_mail:
        return []
    from include.mail_alerts import MailNotifier

    return [MailNotifier(settings.alert_mail)]


class WebhookNotifier(BaseNotifier):
    """Posts a failure as JSON to the address of an Airflow connection.

    The field `text` is what chats such as Slack and Teams show; the others are for programs.

    Args:
        conn_id: A connection whose password is the address: whoever knows it may write there.
    """

    template_fields = ()

    def __init__(self, conn_id: str) -> None:
        super().__init__()
        self.conn_id = conn_id

    def notify(self, context: Context) -> None:
        address = BaseHook.get_connection(self.conn_id).password
        if not address:
            raise ConfigurationError(f"connection {self.conn_id} must have the webhook's address as its password")
        answer = httpx.post(address, json=failure(context), timeout=_SECONDS)
        if answer.is_error:
            # The client's own words would hold the address.
            raise AlertError(f"the webhook of connection {self.conn_id} answered {answer.status_code}: nobody was told")


def failure(context: Context) -> dict[str, Any]:
    """What is told of a failed task."""
    task = context["ti"]
    why = reason(context)
    return {
        "text": f"{task.dag_id}.{task.task_id} failed in {task.run_id}: {why}\n{task.log_url}",
        "dag_id": task.dag_id,
        "run_id": task.run_id,
        "task_id": task.task_id,
        "try_number": task.try_number,
        "reason": why,
        "log_url": task.log_url,
    }


def reason(context: Context) -> str:
    """Why the task failed, with Airflow's secrets masked."""
    return str(redact(str(context.get("exception") or "no reason given")))
