"""What `include` raises. A message says what was required, what was found and what to do next."""


class ConfigurationError(Exception):
    """Raised when the configuration can't work: before anything is submitted, and never worth a retry."""


class JobFailedError(Exception):
    """Raised when a step's run on Databricks did not succeed; carries the job's own sentence."""


class VaultError(Exception):
    """Raised when Key Vault did not give a secret; a retry may help."""


class AlertError(Exception):
    """Raised when nobody could be told of a failure; Airflow logs it, and the failure stays what it was."""
