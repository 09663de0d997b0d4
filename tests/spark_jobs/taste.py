"""A bookstore's purchases cut in two in time: whether the first part tells the second."""

import datetime as dt
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pyspark.sql import SparkSession

from localcloud.bookstore.plan import DAY, Plan
from localcloud.bookstore.population import GUEST
from localcloud.bookstore.shop import shop_of
from spark_jobs.transforms.recommendations import RANKS, RECENT_DAYS, recommendations

Recall = NDArray[np.float64]


@dataclass(frozen=True)
class Split:
    """Lines of customers' orders, `customer_id`, `book_id`, `genre` and `last_at`: what was known, and what came.

    Attributes:
        day: The last known day.
        segments: The planted group of each customer.
    """

    day: dt.date
    known: pd.DataFrame
    came: pd.DataFrame
    segments: pd.DataFrame


def drawn_purchases(plan: Plan, held_out_days: int) -> Split:
    """The last days of the bookstore that `localcloud produce` plays, held out."""
    shop = shop_of(plan)
    order = np.repeat(np.arange(plan.orders), shop.orders.baskets.sizes)
    columns = {
        "customer_id": shop.orders.visits.customer[order],
        "book_id": shop.orders.baskets.book,
        "last_at": pd.to_datetime(shop.orders.visits.at[order], unit="s", utc=True),
    }
    lines = pd.DataFrame(columns).query(f"customer_id != {GUEST}").copy()
    day = plan.end - dt.timedelta(days=held_out_days)
    is_known: pd.Series[bool] = lines["last_at"] < pd.Timestamp(day + dt.timedelta(days=1), tz="UTC")
    lines["genre"] = shop.books.catalogue.genre[lines["book_id"]].astype(str)
    known = lines[is_known].groupby(["customer_id", "book_id", "genre"], as_index=False).agg({"last_at": "max"})
    came = lines[~is_known].drop_duplicates(["customer_id", "book_id"])
    segments = pd.DataFrame(
        {"customer_id": np.arange(plan.customers), "rfm_segment": shop.population.group.astype(str)}
    )
    return Split(day, known, came, segments)


def compared(spark: SparkSession, split: Split) -> tuple[Recall, Recall]:
    """Recall at 10, customer by customer, of recommendations and of what sold best lately.

    Of those who were known and bought a book that they didn't have. Neither offers a book that the customer has.
    """
    new = split.came.merge(split.known, on=["customer_id", "book_id"], how="left", indicator=True)
    new = new[new["_merge"] == "left_only"][["customer_id", "book_id"]]
    new = new[new["customer_id"].isin(split.known["customer_id"])]
    return _recall(_recommended(spark, split), new), _recall(_popular(split), new)


def _recommended(spark: SparkSession, split: Split) -> pd.DataFrame:
    columns = "customer_id bigint, book_id bigint, genre string, last_at timestamp"
    known = spark.createDataFrame(split.known, columns)
    books = known.select("book_id", "genre").distinct()
    customers = spark.createDataFrame(split.segments, "customer_id bigint, rfm_segment string")
    owned = known.select("customer_id", "book_id")
    return recommendations(customers, known, owned, books, snapshot_date=split.day).toPandas()


def _popular(split: Split) -> pd.DataFrame:
    since = pd.Timestamp(split.day, tz="UTC") - pd.Timedelta(seconds=(RECENT_DAYS - 1) * DAY)
    recent = split.known[split.known["last_at"] >= since]
    sales = recent.groupby("book_id").size().sort_values(ascending=False, kind="stable")
    owned = split.known.groupby("customer_id")["book_id"].agg(set)
    rows = [
        (customer, book)
        for customer, own in owned.items()
        for book in [book for book in sales.index if book not in own][:RANKS]
    ]
    return pd.DataFrame(rows, columns=["customer_id", "book_id"])


def _recall(offered: pd.DataFrame, new: pd.DataFrame) -> Recall:
    hits = new.merge(offered[["customer_id", "book_id"]], on=["customer_id", "book_id"]).groupby("customer_id").size()
    bought = new.groupby("customer_id").size()
    return np.array(hits.reindex(bought.index).fillna(0) / bought, dtype=np.float64)
