"""The name under which a step's run is submitted, so that a step is paid for once.

Databricks gives a run that was submitted under a name before, and makes no other. The name is kept from before the
submission until the task waits for the run, in Airflow's store of the task's state: so it outlives an answer that was
lost and a worker that was killed. After that a try has a name of its own, since a retry must not get the failed run.
"""

import uuid

from airflow.sdk import Context

_KEY = "submission"


class Submission:
    """The submission that a try makes, or one before it left unfinished.

    Args:
        context: The try's; without a store, as in an Airflow that has none, the name is good for this try.

    Attributes:
        token: Databricks' `idempotency_token`.
        is_left_over: Whether a try before was about to submit under this name, or has.
    """

    def __init__(self, context: Context) -> None:
        self._store = context.get("task_state_store")
        found = self._store.get(_KEY) if self._store else None
        self.is_left_over = found is not None
        self.token = str(found) if found else self.renew()

    def renew(self) -> str:
        self.token = uuid.uuid4().hex
        if self._store:
            self._store.set(_KEY, self.token)
        return self.token

    def end(self) -> None:
        """Airflow knows of the run from here on."""
        if self._store:
            self._store.delete(_KEY)
