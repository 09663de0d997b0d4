"""Airflow with every task's libraries imported beforehand: `python -m localcloud.airflow.warm scheduler`.

Tasks and DAG files run in forks of the scheduler and the DAG processor: what these have imported, no fork imports
again, which saves about two seconds each time. The project's own modules are left out, so that an edit counts at once.
"""

import sys
from importlib import import_module

_LIBRARIES = (
    "airflow.dag_processing.bundles.manager",
    "airflow.dag_processing.dagbag",
    "airflow.providers.databricks.operators.databricks",
    "airflow.providers.microsoft.azure.hooks.base_azure",
    "airflow.sdk.execution_time.task_runner",
    "azure.keyvault.secrets",
    "databricks.sdk",
    "pydantic_settings",
)


def main() -> None:
    for library in _LIBRARIES:
        import_module(library)
    sys.argv[0] = "airflow"
    import_module("airflow.__main__").main()


if __name__ == "__main__":
    main()
