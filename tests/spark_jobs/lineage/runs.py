"""A run for tests: its settings, and Airflow's runs above it."""

from dataclasses import dataclass

LAKE_ROOT = "abfss://bookstore@account.dfs.core.windows.net/lake"
TASK = "bookstore/refresh_silver.merge_orders/0b5e0b6c-2f55-4a7c-9d6c-0c7a2b3b3b02"
DAG_RUN = "bookstore/refresh_silver/0b5e0b6c-2f55-4a7c-9d6c-0c7a2b3b3b03"


@dataclass(frozen=True)
class Settings:
    """A step's own arguments, as far as lineage looks at them."""

    lake_root: str = LAKE_ROOT
    catalog: str = ""
    kafka_bootstrap_servers: str = "kafka:9093"
