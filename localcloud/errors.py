"""What the local cloud raises. A message says what was required, what was found and what to do next."""


class LocalCloudError(Exception):
    """Base of every error that the local cloud raises on purpose; the command line prints it as one sentence."""
