"""A call that finds, when it is about to write, that another one came between."""

import pytest
from pyspark.sql import SparkSession

from spark_jobs.auto_cdc import ConcurrentCallError, scd2
from tests.spark_jobs.auto_cdc.ledger import BEFORE, CALL, Ledger

pytestmark = pytest.mark.full


def test_an_event_that_would_be_forgotten_stops_the_call_before_it_writes(
    spark: SparkSession, target: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As when another call changed the target after this one had looked what the target would not show."""
    ledger = Ledger(2)
    ledger.apply(spark, target, BEFORE)
    with monkeypatch.context() as patch:
        patch.setattr(scd2, "remember_hidden", lambda *_: None)
        with pytest.raises(ConcurrentCallError, match="repeat the call, what it has logged is not lost"):
            ledger.apply(spark, target, CALL)
    assert ledger.shown(spark.table(target)) == ledger.model(BEFORE)

    ledger.apply(spark, target, [])
    assert ledger.shown(spark.table(target)) == ledger.model(BEFORE + CALL)
