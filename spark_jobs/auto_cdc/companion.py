"""The companion of a target: its name, how it is found, and how it is created.

It remembers what the target doesn't show. It lies beside the target as `<target>__cdc`. Both carry the same random id
in their properties, so that a target that was dropped and created anew doesn't inherit the old one's memory.
"""

from collections.abc import Mapping

from pyspark.sql import SparkSession

from spark_jobs.auto_cdc.bounds import leading_field
from spark_jobs.auto_cdc.ddl import Definition, create_table, find_table, register_table, type_ddl
from spark_jobs.auto_cdc.errors import TargetError
from spark_jobs.auto_cdc.properties import ID, own_properties
from spark_jobs.auto_cdc.shape import Shape
from spark_jobs.auto_cdc.spec import LOGGED_AT, PART, SEQUENCE, Spec
from spark_jobs.conflicts import OVERTAKEN
from spark_jobs.sql import quoted

STATISTICS = "delta.dataSkippingStatsColumns"
_SUFFIX = "__cdc"
_DEFAULTS = {"delta.enableTypeWidening": "true"}


def companion_name(target: str) -> str:
    return f"{target.rstrip('`/')}{_SUFFIX}`" if target.endswith("`") else f"{target}{_SUFFIX}"


def companion_of(spark: SparkSession, target: Definition) -> Definition:
    name = companion_name(target.name)
    found = find_table(spark, name)
    if found is None and register_table(spark, name, _beside(spark, target.name)):
        found = find_table(spark, name)
    if found is None or found.properties.get(ID) != target.properties[ID]:
        raise TargetError(
            f"{target.name} needs its companion {name}, which remembers what the target doesn't show, and "
            f"{'found none' if found is None else 'the one found belongs to another table'}: restore it, or make a "
            f"fresh start with ALTER TABLE {target.name} UNSET TBLPROPERTIES ('{ID}')"
        )
    return found


def find_companion(spark: SparkSession, target: str) -> str | None:
    """Name of the table that remembers a target's events; None where no call has written the target.

    Raises:
        TargetError: The companion was lost.
    """
    found = find_table(spark, target)
    return companion_of(spark, found).name if found is not None and ID in found.properties else None


def new_companion(spark: SparkSession, spec: Spec, shape: Shape, location: str = "") -> dict[str, str]:
    """Gives a target that belongs to no companion an empty one.

    An empty one that fits is taken as it is: another first call has just made it, or one that was killed. So calls at
    once agree on one memory.

    Returns:
        The properties that target and companion share.
    """
    name, properties = companion_name(spec.target), own_properties(spec)
    if location:
        register_table(spark, name, location)
    found = find_table(spark, name)
    if found is not None and _is_unused(spark, found, shape, properties):
        return {**properties, ID: found.properties[ID]}
    _require_unclaimed(spark, spec.target)
    defaults = _DEFAULTS | {STATISTICS: _skipped_by(shape)}
    companion = Definition(name, shape.companion_schema(), defaults | properties)
    create_table(spark, companion, replace=found is not None, partitioned_by=PART, location=location)
    return properties


def _is_unused(spark: SparkSession, companion: Definition, shape: Shape, properties: Mapping[str, str]) -> bool:
    fits = all(companion.properties.get(name) == value for name, value in properties.items() if name != ID)
    is_same = type_ddl(companion.schema) == type_ddl(shape.companion_schema())
    return fits and is_same and spark.table(companion.name).isEmpty()


def _require_unclaimed(spark: SparkSession, name: str) -> None:
    """What lies beside a target without an id is left from another; but a call that came between may have set one."""
    target = find_table(spark, name)
    if target is not None and ID in target.properties:
        raise RuntimeError(f"{OVERTAKEN}: another call has written {name} first")


def _skipped_by(shape: Shape) -> str:
    """The column by which files are skipped: of others the log needs no values, which may be people's names."""
    leading = leading_field((SEQUENCE,), shape.sequence)
    return quoted(*leading.path) if leading else quoted(LOGGED_AT)


def companion_location(spark: SparkSession, target: str) -> str:
    """Where a companion is to be created: beside a target that lies at a path, else wherever the catalog keeps it."""
    return "" if _is_managed(spark, target) else _beside(spark, target)


def _is_managed(spark: SparkSession, name: str) -> bool:
    return not name.lower().startswith("delta.`") and spark.catalog.getTable(name).tableType == "MANAGED"


def _beside(spark: SparkSession, target: str) -> str:
    detail = spark.sql(f"DESCRIBE DETAIL {target}").select("location").collect()
    return str(detail[0]["location"]).rstrip("/") + _SUFFIX
