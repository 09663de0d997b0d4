"""The local Databricks workspace: the public REST API in front, real Spark behind it."""
