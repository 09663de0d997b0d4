"""The REST API, one file per API group."""
