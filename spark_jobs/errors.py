"""What the jobs raise. A message says what was required, what was found and what to do next."""

from typing import ClassVar


class JobError(Exception):
    """Base of every error that a job raises on purpose.

    Attributes:
        retry_helps: Whether the same call may succeed soon, with nobody changing anything.
    """

    retry_helps: ClassVar[bool] = False


class ArgumentError(JobError):
    """Raised when a job's argument is missing, unknown or not of the required form."""


class LostMessagesError(JobError):
    """Raised when Kafka has deleted messages that were not read yet, and nobody said to go on without them."""


class RecreatedTopicError(JobError):
    """Raised when a topic was deleted or made anew: its offsets no longer mean what they meant."""


class StaleBronzeError(JobError):
    """Raised when the newest message in bronze is older than the configuration allows."""


class MissingTableError(JobError):
    """Raised when a table that a job reads has not been written yet."""


class MissingPartitionError(JobError):
    """Raised when a partition that a job reads holds no rows."""


class MissingCampaignError(JobError):
    """Raised when nobody was exported for a campaign that is to be measured."""


class TooLittleDataError(JobError):
    """Raised when there is too little data for what was asked: a reason to skip, not a failure."""


class StillWritingError(JobError):
    """Raised when other jobs kept writing what a job had erased."""

    retry_helps = True
