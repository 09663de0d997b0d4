"""What a run's conf may say, typed and explained for the trigger form; and how DAGs hand it to the jobs."""

from collections.abc import Sequence

from airflow.sdk import Param

from include.compute import Compute

AS_CONFIGURED = "as_configured"

SNAPSHOT_DATE = "{{ params.snapshot_date or partition_key or macros.ds_add(dag_run.run_after | ds, -1) }}"
"""The run's conf, else its partition key, else the day (UTC) before the run was due: the same on every retry."""

COMPUTE = f"{{{{ '' if params.compute == '{AS_CONFIGURED}' else params.compute }}}}"
"""The compute that the run's conf names; nothing where it leaves that to the configuration."""

APPROVED_BY = "{{ (ti.xcom_pull(task_ids='approve_model')['responded_by_user'] or {}).get('name', '') }}"
"""Who answered in the web UI."""


def snapshot_date(description: str) -> Param:
    return Param(None, type=["null", "string"], format="date", title="Snapshot date", description_md=description)


def whole_number(default: int | None, *, minimum: int, title: str, description: str) -> Param:
    kinds = "integer" if default is not None else ["null", "integer"]
    return Param(default, type=kinds, minimum=minimum, title=title, description_md=description)


def text(title: str, description: str) -> Param:
    return Param("", type="string", title=title, description_md=description)


def yes_or_no(default: bool, *, title: str, description: str) -> Param:
    return Param(default, type="boolean", title=title, description_md=description)


def one_of(default: str, choices: Sequence[str], *, title: str, description: str) -> Param:
    return Param(default, type="string", enum=list(choices), title=title, description_md=description)


def compute() -> Param:
    return Param(
        AS_CONFIGURED,
        type="string",
        enum=[AS_CONFIGURED, *Compute],
        title="Compute",
        description_md="What to run on. `as_configured`: what `BOOKSTORE_COMPUTE` says. See `docs/compute.md`.",
    )


def campaign(description: str) -> Param:
    return Param(type="string", pattern="^[a-z0-9][a-z0-9-]{0,62}$", title="Campaign", description_md=description)
