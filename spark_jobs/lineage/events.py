"""A run's OpenLineage events: that it began, and how it ended. https://openlineage.io/spec/2-0-2/OpenLineage.json."""

import datetime as dt
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from spark_jobs.errors import ArgumentError, JobError
from spark_jobs.lineage.datasets import Dataset
from spark_jobs.lineage.facets import PRODUCER, RUN_EVENT, facet

Event = Mapping[str, Any]
Kind = Literal["START", "COMPLETE", "FAIL"]
_PARTS = 3


@dataclass(frozen=True)
class RunName:
    """A run as OpenLineage names it.

    Attributes:
        namespace: Of the job; all jobs of an Airflow have the same.
        job: The job's name within it.
        run_id: A UUID.
    """

    namespace: str
    job: str
    run_id: str

    @classmethod
    def parse(cls, text: str) -> "RunName":
        """Reads `namespace/job/run id`, in which only the namespace may hold slashes.

        Raises:
            ArgumentError: The text isn't of that form.
        """
        parts = text.rsplit("/", _PARTS - 1)
        if len(parts) != _PARTS or not all(parts) or not _is_uuid(parts[-1]):
            raise ArgumentError(f"a run's name in lineage must be namespace/job/UUID, found {text!r}")
        return cls(*parts)

    def as_dict(self) -> dict[str, Any]:
        return {"run": {"runId": self.run_id}, "job": {"namespace": self.namespace, "name": self.job}}


def _is_uuid(text: str) -> bool:
    try:
        uuid.UUID(text)
    except ValueError:
        return False
    return True


@dataclass(frozen=True)
class TracedRun:
    """A run of a step, and what it is known to read and write.

    Attributes:
        name: The run.
        parent: Airflow's run of the task; None for a job that a person started.
        root: Airflow's run of the DAG.
    """

    name: RunName
    parent: RunName | None = None
    root: RunName | None = None
    inputs: Sequence[Dataset] = ()
    outputs: Sequence[Dataset] = field(default=())

    def event(self, kind: Kind, at: dt.datetime, error: BaseException | None = None) -> Event:
        """What is told of the run at a moment.

        Args:
            kind: What has happened.
            at: When, with a time zone.
            error: Why it failed.
        """
        named = self.name.as_dict()
        return {
            "eventType": kind,
            "eventTime": at.isoformat(),
            "producer": PRODUCER,
            "schemaURL": RUN_EVENT,
            "run": named["run"] | {"facets": self._parent_facet() | _error_facet(error)},
            "job": named["job"] | {"facets": {"jobType": _JOB_TYPE}},
            "inputs": list(self.inputs),
            "outputs": list(self.outputs),
        }

    def _parent_facet(self) -> dict[str, Any]:
        if self.parent is None:
            return {}
        root = {"root": self.root.as_dict()} if self.root else {}
        return {"parent": facet("ParentRunFacet", **self.parent.as_dict(), **root)}


_JOB_TYPE = facet("JobTypeJobFacet", processingType="BATCH", integration="SPARK", jobType="JOB")


def _error_facet(error: BaseException | None) -> dict[str, Any]:
    """A job's own sentence; of any other error the kind alone, since nobody knows what its message holds."""
    if error is None:
        return {}
    message = str(error) if isinstance(error, JobError) else type(error).__name__
    return {"errorMessage": facet("ErrorMessageRunFacet", message=message, programmingLanguage="PYTHON")}
