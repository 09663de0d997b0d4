"""Tables and topics as OpenLineage's datasets, named as its specification says: https://openlineage.io/docs/spec/naming."""

from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import urlsplit

from spark_jobs.lake import Lake
from spark_jobs.lineage.columns import ColumnLineage, Source
from spark_jobs.lineage.facets import facet
from spark_jobs.tables import Table, types

Dataset = Mapping[str, Any]


def table_dataset(lake: Lake, table: Table, lineage: ColumnLineage | None = None) -> Dataset:
    """A table by its place in the lake, which every engine knows it by; its name in the catalog is a symlink.

    The schema is the one that a table is created with: columns that a producer adds later aren't in it.
    """
    by_name = {"namespace": lake.root, "name": lake.name(table), "type": "TABLE"}
    fields = [{"name": name, "type": kind} for name, kind in types(table.columns).items()]
    facets = {
        "schema": facet("SchemaDatasetFacet", fields=fields),
        "symlinks": facet("SymlinksDatasetFacet", identifiers=[by_name]),
    }
    if lineage:
        facets["columnLineage"] = _column_lineage(lake, lineage)
    return {**_place(lake, table), "facets": facets}


def topic_dataset(bootstrap_servers: str, topic: str) -> Dataset:
    """A Kafka topic; of several servers the first one gives the cluster its name."""
    return {"namespace": f"kafka://{bootstrap_servers.split(',', maxsplit=1)[0].strip()}", "name": topic, "facets": {}}


def _place(lake: Lake, table: Table) -> dict[str, str]:
    location = urlsplit(lake.path(table))
    if not location.netloc:
        return {"namespace": location.scheme, "name": location.path}
    return {"namespace": f"{location.scheme}://{location.netloc}", "name": location.path.strip("/")}


def _column_lineage(lake: Lake, lineage: ColumnLineage) -> dict[str, Any]:
    fields = {name: {"inputFields": _fields(lake, sources)} for name, sources in lineage.columns.items()}
    return facet("ColumnLineageDatasetFacet", fields=fields, dataset=_fields(lake, lineage.rows))


def _fields(lake: Lake, sources: Iterable[Source]) -> list[dict[str, str]]:
    ordered = sorted(sources, key=lambda source: (source[0].full_name, source[1]))
    return [{**_place(lake, table), "field": name} for table, name in ordered]
