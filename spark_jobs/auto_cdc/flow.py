"""The order of a call's writes, by which a call that was killed anywhere can be repeated.

1. The events are logged in the companion, in one commit. From here on they are never lost: every later call finds them
   pending and applies them together with its own.
2. Type 2: the events that the target will not show are remembered.
3. The target changes, in one commit, to what all events so far say.
4. The pending events are dropped.

Nothing depends on knowing which of the steps a killed call had done: events are kept as a set, each step can be done
again, and step 3 changes only what differs.
"""

from collections.abc import Callable

from pyspark.errors import PySparkException
from pyspark.sql import DataFrame, SparkSession

from spark_jobs.auto_cdc import scd1, scd2
from spark_jobs.auto_cdc.companion import forget_pending, log_events, read_pending
from spark_jobs.auto_cdc.ddl import find_table
from spark_jobs.auto_cdc.errors import ConcurrentCallError
from spark_jobs.auto_cdc.events import REJECTED, as_events, kept_columns, require_complete, sequence_type
from spark_jobs.auto_cdc.spec import Spec
from spark_jobs.auto_cdc.tables import Tables, prepare_tables

_ATTEMPTS = 10
_CONFLICTS = ("DELTA_CONCURRENT_", "DELTA_METADATA_CHANGED", "DELTA_PROTOCOL_CHANGED", scd2.FORGETFUL)


def apply(spec: Spec, source: DataFrame) -> None:
    """Applies one batch; see `apply_changes`."""
    spark = source.sparkSession
    sequence = sequence_type(source, spec)
    target = find_table(spark, spec.target)
    spec.check_source(source.schema, sequence)
    _check_choices(spec, source, target.schema.names if target else [])
    if target is None:
        require_complete(source, spec)
    tables = prepare_tables(spark, spec, target, kept_columns(source, spec), sequence)
    _repeated(spec, lambda: _log(spec, source, tables))
    _repeated(spec, lambda: _settle(spark, spec, tables))


def _check_choices(spec: Spec, source: DataFrame, target_columns: list[str]) -> None:
    spec.kept.check([*source.columns, *target_columns])
    spec.tracked.check([*(name for name in source.columns if spec.kept.picks(name)), *target_columns])


def _log(spec: Spec, source: DataFrame, tables: Tables) -> None:
    try:
        log_events(as_events(source, spec, tables.shape), spec, tables)
    except PySparkException as error:
        if REJECTED in str(error):
            require_complete(source, spec)
        raise


def _settle(spark: SparkSession, spec: Spec, tables: Tables) -> None:
    pending = read_pending(spark, tables)
    if pending is None:
        return
    if spec.scd_type == 1:
        scd1.apply_pending(spark, spec, tables, pending)
    else:
        scd2.remember_hidden(spark, spec, tables, pending)
        scd2.apply_pending(spark, spec, tables, pending)
    forget_pending(spark, tables, pending)


def _repeated(spec: Spec, step: Callable[[], None]) -> None:
    """Does a step again when another call came between; every step may be done any number of times."""
    for attempt in range(1, _ATTEMPTS + 1):
        try:
            return step()
        except Exception as error:  # a classic session hands Delta's conflicts on as Py4J has them
            if not any(conflict in str(error) for conflict in _CONFLICTS):
                raise
            if attempt == _ATTEMPTS:
                raise ConcurrentCallError(
                    f"{spec.target} can be changed by one call at a time, and other calls came between {_ATTEMPTS} "
                    f"times: repeat the call, what it has logged is not lost and not applied twice"
                ) from error
    return None
