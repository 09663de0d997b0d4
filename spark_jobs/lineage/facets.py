"""The frame of every facet: who made it, and the published schema that it keeps to."""

from typing import Any

PRODUCER = "urn:bookstore-segmentation"
_SPECIFICATION = "https://openlineage.io/spec"
_VERSIONS = {
    "ColumnLineageDatasetFacet": "1-2-0",
    "ErrorMessageRunFacet": "1-0-1",
    "JobTypeJobFacet": "2-0-4",
    "ParentRunFacet": "1-2-0",
    "SchemaDatasetFacet": "1-2-0",
    "SymlinksDatasetFacet": "1-0-1",
}

RUN_EVENT = f"{_SPECIFICATION}/2-0-2/OpenLineage.json#/$defs/RunEvent"
"""The schema of a run's event."""


def facet(name: str, **fields: Any) -> dict[str, Any]:
    schema = f"{_SPECIFICATION}/facets/{_VERSIONS[name]}/{name}.json#/$defs/{name}"
    return {"_producer": PRODUCER, "_schemaURL": schema, **fields}
