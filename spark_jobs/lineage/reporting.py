"""A job told of to a catalogue, from its beginning to its end."""

import datetime as dt
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlsplit

from spark_jobs.errors import ArgumentError
from spark_jobs.lake import Lake
from spark_jobs.lineage.columns import COLUMNS
from spark_jobs.lineage.datasets import table_dataset, topic_dataset
from spark_jobs.lineage.events import RunName, TracedRun
from spark_jobs.lineage.sending import Catalogue
from spark_jobs.lineage.steps import STEPS

_ALONE = "default"
"""The namespace of a job that no Airflow started: OpenLineage's own default."""


@dataclass(frozen=True)
class LineageConfig:
    """Arguments that every job takes.

    Attributes:
        lineage_url: Where events go.
        lineage_parent: Airflow's run of the task, as `namespace/job/run id`.
        lineage_root: Airflow's run of the DAG, in the same form.
    """

    lineage_url: str
    lineage_parent: str = ""
    lineage_root: str = ""

    def __post_init__(self) -> None:
        if urlsplit(self.lineage_url).scheme not in ("http", "https"):
            raise ArgumentError(f"--lineage_url must be an http:// or https:// address, found {self.lineage_url!r}")


def reported(
    step: str, settings: Any, lineage: LineageConfig, job: Callable[[], Mapping[str, Any]]
) -> Mapping[str, Any]:
    """Runs a job, and tells the catalogue that it began and how it ended.

    A job that is skipped has completed and has written nothing; what one that failed has written isn't known.

    Args:
        step: The step's name.
        settings: The job's own arguments.
        lineage: Where to tell it.
        job: The job; what it returns is returned, and what it raises is raised.
    """
    run = traced_run(step, settings, lineage)
    without_outputs = replace(run, outputs=())
    catalogue = Catalogue(lineage.lineage_url)
    catalogue.send(run.event("START", _now()))
    try:
        result = job()
    except BaseException as error:
        catalogue.send(without_outputs.event("FAIL", _now(), error))
        raise
    catalogue.send((without_outputs if "skipped" in result else run).event("COMPLETE", _now()))
    return result


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


def traced_run(step: str, settings: Any, lineage: LineageConfig) -> TracedRun:
    """A new run of a step, with the tables that it reads and writes."""
    parent, root = (RunName.parse(text) if text else None for text in (lineage.lineage_parent, lineage.lineage_root))
    namespace = parent.namespace if parent else _ALONE
    lake, tables = Lake(settings.lake_root, settings.catalog), STEPS[step]
    topics = [topic_dataset(settings.kafka_bootstrap_servers, topic) for topic in tables.topics]
    made = [table_dataset(lake, table, COLUMNS.get(table)) for table in tables.makes]
    return TracedRun(
        RunName(namespace, step, str(uuid.uuid4())),
        parent,
        root,
        inputs=[*topics, *(table_dataset(lake, table) for table in tables.reads)],
        outputs=[*made, *(table_dataset(lake, table) for table in tables.amends)],
    )
