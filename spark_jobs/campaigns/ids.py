"""What a campaign may be called."""

import re

from spark_jobs.errors import ArgumentError

_CAMPAIGN = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")


def check_campaign(campaign: str) -> None:
    """Refuses an id that can't be part of a path or of a condition.

    Raises:
        ArgumentError: It isn't of small letters, digits and hyphens.
    """
    if not _CAMPAIGN.fullmatch(campaign):
        raise ArgumentError(f"--campaign must be small letters, digits and hyphens, at most 63, found {campaign!r}")
