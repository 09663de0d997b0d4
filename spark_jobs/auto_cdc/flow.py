"""The order of a call's writes, by which a call that was killed anywhere can be repeated.

1. The events are logged in the companion twice, in one commit: as pending and as remembered. From here on they are
   never lost: every later call finds them pending and applies them together with its own.
2. The target changes, in one commit, to what all events so far say.
3. The pending events are dropped.

Nothing depends on knowing which of the steps a killed call had done: events are kept as a set, and each step can be
done again.

What step 2 reads is of one moment: Delta reads the companion after the state of the target that the MERGE changes, and
fails the MERGE where another has changed the same rows since. At that moment each event is either

- pending in a call that this one has found before: it is applied;
- pending in a call that was logged since: reading it fails the MERGE, and this call looks again. So no call's events
  are shown before all of them are;
- not pending any more: then it was applied by a MERGE that this one's state of the target contains, or conflicts with.
"""

from pyspark.sql import DataFrame, SparkSession

from spark_jobs.auto_cdc import scd1, scd2
from spark_jobs.auto_cdc.attempts import repeated
from spark_jobs.auto_cdc.ddl import find_table
from spark_jobs.auto_cdc.event_log import Logged, forget_pending, log_events
from spark_jobs.auto_cdc.events import REJECTED, as_events, kept_columns, require_complete, sequence_type
from spark_jobs.auto_cdc.pending import read_pending
from spark_jobs.auto_cdc.spec import Spec
from spark_jobs.auto_cdc.tables import Tables, prepare_tables
from spark_jobs.auto_cdc.ties import TieWatch
from spark_jobs.conflicts import until_created


def apply(spec: Spec, source: DataFrame) -> None:
    """Applies one batch; see `apply_changes`."""
    spark = source.sparkSession
    tables = until_created(lambda: _prepare(spec, source))
    logged = repeated(spec.target, lambda: _log(spec, source, tables))
    repeated(spec.target, lambda: _settle(spark, spec, tables, logged))


def _prepare(spec: Spec, source: DataFrame) -> Tables:
    spark = source.sparkSession
    sequence = sequence_type(source, spec)
    target = find_table(spark, spec.target)
    spec.check_source(source.schema, sequence)
    _check_choices(spec, source, target.schema.names if target else [])
    if target is None:
        require_complete(source, spec)
    return prepare_tables(spark, spec, target, kept_columns(source, spec), sequence)


def _check_choices(spec: Spec, source: DataFrame, target_columns: list[str]) -> None:
    spec.kept.check([*source.columns, *target_columns])
    spec.tracked.check([*(name for name in source.columns if spec.kept.picks(name)), *target_columns])


def _log(spec: Spec, source: DataFrame, tables: Tables) -> Logged:
    ties = TieWatch()
    events = as_events(source, spec, tables.shape)
    if spec.scd_type == 1:
        events = scd1.decisive(events, spec=spec, row=tables.shape.row, ties=ties)
    try:
        logged = log_events(events, tables)
    except Exception as error:
        if REJECTED in str(error):
            require_complete(source, spec)
        raise
    if spec.scd_type == 1:
        ties.warn(tables.target)
    return logged


def _settle(spark: SparkSession, spec: Spec, tables: Tables, logged: Logged) -> None:
    pending = read_pending(spark, tables, logged)
    if pending is None:
        return
    if spec.scd_type == 1:
        scd1.apply_pending(spark, spec, tables, pending)
    else:
        scd2.apply_pending(spark, spec, tables, pending)
    forget_pending(spark, tables, pending.calls)
