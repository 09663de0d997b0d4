"""What `apply_changes` raises and warns of. All of it before anything is written, unless the text says otherwise."""

from spark_jobs.errors import JobError


class ChangeDataError(JobError):
    """Base of every error of change data capture."""


class SpecificationError(ChangeDataError):
    """Raised when the arguments contradict each other or name columns that don't exist."""


class TargetError(ChangeDataError):
    """Raised when the existing target is of another kind than the call asks for."""


class SchemaError(ChangeDataError):
    """Raised when the source's columns can't become the target's without losing something."""


class RejectedBatchError(ChangeDataError):
    """Raised when an event has no key or no sequence; nothing of its batch is applied."""


class ConcurrentCallError(ChangeDataError):
    """Raised when other calls kept changing the target; repeating the call is safe, whatever of it was already done."""

    retry_helps = True


class TiedEventsWarning(UserWarning):
    """Two different events have one key and one sequence."""
