"""The one base of everything that the local cloud refuses or gives up on."""


class LocalCloudError(Exception):
    """What was required, what was found, and what to do next, in one sentence that a user can read."""
