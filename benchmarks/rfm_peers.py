"""RFM of one partition by DuckDB and by polars, from the lines of the orders; each in a process of its own."""

import datetime as dt
from collections.abc import Sequence
from pathlib import Path

import duckdb
import polars as pl

_MICROS_PER_DAY = 86_400_000_000
_SCORES = {"r_score": "recency_days DESC", "f_score": "frequency", "m_score": "monetary"}


def by_duckdb(lines: Sequence[str], customers: Sequence[str], last_day: dt.date, days: int, target: Path) -> None:
    """Writes metrics and scores as Parquet."""
    first, end = _bounds(last_day, days)
    scores = ", ".join(
        f"1 + 5 * (rank() OVER (ORDER BY {order}) - 1) // count(*) OVER () AS {name}" for name, order in _SCORES.items()
    )
    duckdb.sql(f"""
        COPY (
            WITH orders AS (
                SELECT customer_id, max(ordered_at) AS ordered_at,
                    sum((quantity - returned_quantity) * unit_price) AS net_amount
                FROM read_parquet({list(lines)})
                WHERE ordered_at >= TIMESTAMPTZ '{first.isoformat()}' AND ordered_at < TIMESTAMPTZ '{end.isoformat()}'
                GROUP BY customer_id, order_id
            ), totals AS (
                SELECT customer_id,
                    {_day_number(last_day)} - epoch_us(max(ordered_at)) // {_MICROS_PER_DAY} AS recency_days,
                    count(*) AS frequency, sum(net_amount) AS monetary
                FROM orders SEMI JOIN read_parquet({list(customers)}) USING (customer_id)
                WHERE net_amount > 0
                GROUP BY customer_id
            )
            SELECT *, {scores} FROM totals
        ) TO '{target}' (FORMAT parquet)
    """)


def by_polars(lines: Sequence[str], customers: Sequence[str], last_day: dt.date, days: int, target: Path) -> None:
    """Writes metrics and scores as Parquet; money in cents."""
    first, end = _bounds(last_day, days)
    kept = (pl.col("quantity") - pl.col("returned_quantity")).cast(pl.Int64)
    cents = (pl.col("unit_price").cast(pl.Float64) * 100).round().cast(pl.Int64)
    orders = (
        pl.scan_parquet(list(lines))
        .filter((pl.col("ordered_at") >= _naive(first)) & (pl.col("ordered_at") < _naive(end)))
        .group_by("customer_id", "order_id")
        .agg(pl.max("ordered_at"), (kept * cents).sum().alias("cents"))
        .filter(pl.col("cents") > 0)
    )
    day = pl.max("ordered_at").dt.epoch("us") // _MICROS_PER_DAY
    totals = (
        orders.join(pl.scan_parquet(list(customers)), on="customer_id", how="semi")
        .group_by("customer_id")
        .agg((_day_number(last_day) - day).alias("recency_days"), pl.len().alias("frequency"), pl.sum("cents"))
    )
    worse = {
        "r_score": pl.col("recency_days").rank("min", descending=True),
        "f_score": pl.col("frequency").rank("min"),
        "m_score": pl.col("cents").rank("min"),
    }
    scores = [(1 + 5 * (rank.cast(pl.Int64) - 1) // pl.len()).alias(name) for name, rank in worse.items()]
    totals.with_columns(scores).collect(engine="streaming").write_parquet(target)


def _bounds(last_day: dt.date, days: int) -> tuple[dt.datetime, dt.datetime]:
    end = dt.datetime.combine(last_day, dt.time(), tzinfo=dt.UTC) + dt.timedelta(days=1)
    return end - dt.timedelta(days=days), end


def _naive(moment: dt.datetime) -> pl.Expr:
    """As polars reads the timestamps that Delta writes: nanoseconds without a zone."""
    return pl.lit(moment.replace(tzinfo=None), dtype=pl.Datetime("ns"))


def _day_number(day: dt.date) -> int:
    return (day - dt.date(1970, 1, 1)).days
