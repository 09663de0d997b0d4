from collections.abc import Iterable
from decimal import Decimal

from pyspark.sql import SparkSession

from spark_jobs.transforms.orders import changed_lines
from tests.spark_jobs.bookstore import Row, order_lines


def line(order_id: str, line_no: int = 1, **values: object) -> Row:
    return {"order_id": order_id, "line_no": line_no, "book_id": 5, "unit_price": Decimal("9.99"), **values}


def changes(spark: SparkSession, known: Iterable[Row], derived: Iterable[Row]) -> list[Row]:
    """Of each line that is to be written, what isn't null."""
    changed = changed_lines(order_lines(spark, known), order_lines(spark, derived)).orderBy("order_id", "line_no")
    return [{name: value for name, value in row.asDict().items() if value is not None} for row in changed.collect()]


def test_only_what_differs_is_written(spark: SparkSession) -> None:
    same = [line("O-1"), line("O-1", 2, title="T", list_price=Decimal("12.00"))]
    known = [*same, line("O-2", title="before"), line("O-3", title="known"), line("O-4"), line("O-4", 2)]
    derived = [*same, line("O-2", title="after"), line("O-3"), line("O-4"), line("O-5")]
    assert changes(spark, known, derived) == [
        {**line("O-2", title="after"), "is_gone": False},
        {**line("O-3"), "is_gone": False},
        {"order_id": "O-4", "line_no": 2, "is_gone": True},
        {**line("O-5"), "is_gone": False},
    ]
