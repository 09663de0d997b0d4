"""A mail about a failure, in which Airflow's secrets are masked as in its logs."""

from typing import Any

from airflow.providers.smtp.notifications.smtp import SmtpNotifier

from include.alerts import reason

_SUBJECT = "{{ ti.dag_id }}.{{ ti.task_id }} failed"
_TEXT = """\
<p>{{ ti.dag_id }}.{{ ti.task_id }} failed in {{ run_id }}, try {{ ti.try_number }}:</p>
<pre>{{ reason | e }}</pre>
<p><a href="{{ ti.log_url }}">The task's log</a></p>
"""


class MailNotifier(SmtpNotifier):
    def __init__(self, to: str) -> None:
        super().__init__(to=to, subject=_SUBJECT, html_content=_TEXT)

    def __call__(self, context: Any) -> None:
        super().__call__({**context, "reason": reason(context)})
