"""A small table and the changes made to it: how they are applied, and what the model makes of them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from pyspark.sql import DataFrame, SparkSession

from spark_jobs.auto_cdc import apply_changes
from tests.spark_jobs.auto_cdc.model import Event, Row, type_1, type_2

SCHEMA = "id int, at int, name string, deletes boolean"
Change = tuple[int, int, str | None]
"""Key, sequence and what is said; None deletes."""

# Together they open, close, split and extend rows, and leave something to remember of each kind.
BEFORE: list[Change] = [(1, 10, "a"), (2, 10, "a"), (3, 10, "a"), (4, 20, None)]
CALL: list[Change] = [
    (1, 20, "b"),
    (2, 5, "a"),
    (2, 30, None),
    (3, 5, None),
    (4, 10, "x"),
    (5, 1, "n"),
    (6, 9, None),
]
OTHER: list[Change] = [(2, 7, "z"), (1, 15, "c"), (6, 5, "y"), (5, 2, "n")]


@dataclass(frozen=True)
class Ledger:
    """Tables of one SCD type."""

    scd_type: Literal[1, 2]

    def apply(self, spark: SparkSession, target: str, changes: Sequence[Change]) -> None:
        apply_changes(
            spark,
            target=target,
            source=spark.createDataFrame([(*change, change[2] is None) for change in changes], SCHEMA).coalesce(1),
            keys=["id"],
            sequence_by="at",
            apply_as_deletes="deletes",
            except_column_list=["at", "deletes"],
            stored_as_scd_type=self.scd_type,
        )

    @property
    def columns(self) -> str:
        return "id int, name string" + (", __START_AT int, __END_AT int" if self.scd_type == 2 else "")

    def model(self, changes: Iterable[Change]) -> list[Row]:
        events = [Event(key, at, None if name is None else {"id": key, "name": name}) for key, at, name in changes]
        return in_order(type_1(events) if self.scd_type == 1 else type_2(events))

    @staticmethod
    def shown(table: DataFrame) -> list[Row]:
        return in_order(row.asDict() for row in table.collect())


def in_order(rows: Iterable[Row]) -> list[Row]:
    return sorted(rows, key=_order)


def _order(row: Row) -> tuple[Any, ...]:
    return row["id"], row.get("__START_AT", 0)
