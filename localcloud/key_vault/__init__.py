"""Azure Key Vault's secrets and the managed identity that may read them, on one machine."""

IDENTITY_PATH = "/msi/token"
"""Of the managed identity's endpoint; here, so that whoever only calls it needn't import its server."""
