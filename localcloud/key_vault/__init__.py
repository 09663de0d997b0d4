"""Azure Key Vault's secrets and the managed identity that may read them, on one machine."""
