"""CDNOW's customers: see `tests/data/cdnow/README.md`."""

import datetime as dt
from pathlib import Path

import pandas as pd

from spark_jobs.value.histories import Histories
from tests.spark_jobs.bookstore import Row, order

_FOLDER = Path(__file__).parents[2] / "data" / "cdnow"
LAST_DAY = dt.date(1997, 9, 30)
DAYS_PER_WEEK = 7


def summary() -> pd.DataFrame:
    """The published summary: `ID`, `x`, and in weeks `t_x` and `T`, and `zbar`."""
    return pd.read_csv(_FOLDER / "summary.csv")


def histories() -> Histories:
    """The published summary, in weeks."""
    rows = summary()
    repeats, last, age, value = (rows[name].to_numpy(dtype=float) for name in ("x", "t_x", "T", "zbar"))
    return Histories(repeats, last, age, value)


def orders() -> list[Row]:
    """Each transaction as an order; eight have an amount of 0."""
    columns = ["master_id", "id", "date", "cds", "dollars"]
    lines = pd.read_csv(_FOLDER / "transactions.txt.gz", sep=r"\s+", names=columns, dtype=str)
    days = pd.to_datetime(lines["date"]).dt.strftime("%Y-%m-%dT12:00:00")
    each = zip(lines["id"].astype(int).tolist(), days.tolist(), lines["dollars"].tolist(), strict=True)
    return [order(f"O-{number}", customer, day, dollars) for number, (customer, day, dollars) in enumerate(each)]
