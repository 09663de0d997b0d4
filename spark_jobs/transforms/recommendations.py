"""Books to offer each customer: what goes with the books they have, weighed by what their segment buys now.

All sums are of whole numbers, so that they come out the same however rows are spread over a cluster.
"""

import datetime as dt
from collections.abc import Callable

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from spark_jobs.transforms.rfm import ordered_within

RANKS = 10
NEIGHBOURS = 20
"""Books that a book points to: those that go with it best."""

RECENT_DAYS = 90
POPULAR = 50
"""Popular books that each customer is offered besides, in case that few of the others are left."""

STEADYING = 300
"""Buyers of everybody's share that a segment's own share of a book is mixed with: a small segment says little."""

BOUGHT_TOGETHER, FAVOURITE_GENRE, POPULAR_NOW = "bought together", "favourite genre", "popular now"

GENRE_WEIGHT = 0.2
"""What a genre's lift counts beside affinity, which goes from 0 to 1: tried on produced bookstores."""

UNKNOWN_BOOKS = 5
"""Books of everybody's taste that are added to a customer's own: of two books little can be told."""

_WHOLE = 1_000_000

Keep = Callable[[DataFrame], DataFrame]


def recommendations(
    customers: DataFrame,
    tastes: DataFrame,
    owned: DataFrame,
    books: DataFrame,
    *,
    snapshot_date: dt.date,
    keep: Keep = lambda rows: rows,
) -> DataFrame:
    """The `RANKS` books with the highest score for each customer, of those on sale that they don't have.

    score = (affinity + `GENRE_WEIGHT` x lift of the genre) x popularity. Affinity is how much of what leads to a book
    the customer has: see `affinities`. Lift is how much more of the genre the customer has than everybody: see
    `genre_tastes`. Popularity is the share of the segment's buyers who bought it lately: see `popularities`.

    Args:
        customers: Everybody who is to have recommendations: `customer_id`, and `rfm_segment` or null.
        tastes: As `transforms.purchased_books.tastes` gives them.
        owned: `customer_id` and `book_id` of what each has bought at any time.
        books: `book_id` and `genre` of those on sale.
        snapshot_date: The last day that is known.
        keep: Keeps rows that are read twice.

    Returns:
        The columns of `gold.recommendations`.
    """
    popular = keep(popularities(customers, tastes, books, snapshot_date))
    most_popular = popular.where(F.col("place") <= POPULAR)
    fallback = customers.join(F.broadcast(most_popular), F.equal_null("rfm_segment", "segment"))
    known = customers.join(genre_tastes(tastes), on="customer_id", how="left")
    best_first = Window.partitionBy("customer_id").orderBy(F.desc("score"), "book_id")
    return (
        _candidates(affinities(tastes), fallback, owned)
        .join(known, on="customer_id")
        .join(popular.withColumnRenamed("book_id", "book"), _same_cell("rfm_segment", "segment"))
        .withColumn("times_everybodys", times_everybodys())
        .withColumn("score", (F.col("affinity") + GENRE_WEIGHT * _lift()) * F.col("popularity"))
        .withColumn("rank", F.row_number().over(best_first))
        .where(F.col("rank") <= RANKS)
        .select(
            F.lit(snapshot_date).alias("snapshot_date"),
            "customer_id",
            "rank",
            "book_id",
            "score",
            _source().alias("source"),
            "rfm_segment",
        )
    )


def _candidates(affinities: DataFrame, fallback: DataFrame, owned: DataFrame) -> DataFrame:
    """What each customer may be offered: `customer_id`, `book_id`, `affinity`, 0 for what is only popular.

    Grouped instead of joined: rows of the three come together in one exchange.
    """
    offered = affinities.unionByName(fallback.select("customer_id", "book_id", F.lit(0.0).alias("affinity")))
    rows = offered.withColumn("is_owned", F.lit(False)).unionByName(
        owned.select("customer_id", "book_id", F.lit(0.0).alias("affinity"), F.lit(True).alias("is_owned"))
    )
    each = rows.groupBy("customer_id", "book_id")
    found = each.agg(F.max("affinity").alias("affinity"), F.bool_or("is_owned").alias("is_owned"))
    return found.where(~F.col("is_owned")).drop("is_owned")


def affinities(tastes: DataFrame) -> DataFrame:
    """How much of what leads to a book a customer has: `customer_id`, `book_id`, `affinity`.

    The sum of the similarities of the customer's books that point to it, by that of all books that point to it.
    """
    total = F.sum("similarity").over(Window.partitionBy("other_id"))
    similar = neighbours(tastes).withColumn("total", total)
    led_to = tastes.join(similar, on="book_id").groupBy("customer_id", F.col("other_id").alias("book_id"))
    # All rows of a group have one total.
    return led_to.agg((F.sum("similarity") / F.max("total")).alias("affinity"))


def genre_tastes(tastes: DataFrame) -> DataFrame:
    """How a customer's books are spread over genres: `customer_id`, `books`, and `genres`, how many of each."""
    # One exchange by customer serves both groupings.
    own = tastes.repartition("customer_id").groupBy("customer_id", "genre").agg(F.count("*").alias("own"))
    listed = F.collect_list(F.when(F.col("genre").isNotNull(), F.struct("genre", "own")))
    return own.groupBy("customer_id").agg(F.sum("own").alias("books"), F.map_from_entries(listed).alias("genres"))


def neighbours(tastes: DataFrame) -> DataFrame:
    """The books that go best with each: `book_id`, `other_id`, `similarity` in millionths.

    The cosine of two books over the customers who have them, in which a customer with n books counts 1/n: of somebody
    who has everything, a pair says little.
    """
    per_customer = Window.partitionBy("customer_id")
    weighed = tastes.select(
        "customer_id", "book_id", F.round(_WHOLE / F.count("*").over(per_customer)).cast("bigint").alias("weight")
    )
    sizes = weighed.groupBy("book_id").agg(F.sum("weight").alias("size"))
    other = weighed.select("customer_id", F.col("book_id").alias("other_id"))
    pairs = weighed.join(other, on="customer_id").where(F.col("book_id") != F.col("other_id"))
    together = pairs.groupBy("book_id", "other_id").agg(F.sum("weight").alias("together"))
    other_sizes = sizes.select(F.col("book_id").alias("other_id"), F.col("size").alias("other_size"))
    closest_first = Window.partitionBy("book_id").orderBy(F.desc("similarity"), "other_id")
    return (
        together.join(F.broadcast(sizes), on="book_id")
        .join(F.broadcast(other_sizes), on="other_id")
        .withColumn("similarity", _cosine(F.col("together"), F.col("size"), F.col("other_size")))
        .withColumn("place", F.row_number().over(closest_first))
        .where((F.col("place") <= NEIGHBOURS) & (F.col("similarity") > 0))
        .select("book_id", "other_id", "similarity")
    )


def popularities(customers: DataFrame, tastes: DataFrame, books: DataFrame, snapshot_date: dt.date) -> DataFrame:
    """How each book on sale sells in each segment, and among those who have none.

    Popularity is the share of the segment's recent buyers who bought the book, mixed with everybody's share.

    Returns:
        `segment`, `book_id`, `genre`, `popularity`, the `place` among the segment's books by it, and of everybody's
        tastes the size of the book's genre, `genre_size`, and of all, `everything`.
    """
    recent = tastes.where(ordered_within(snapshot_date, RECENT_DAYS, of="last_at"))
    recent = recent.join(customers, on="customer_id").select("customer_id", "book_id", "rfm_segment")
    of_segment = recent.groupBy(F.col("rfm_segment").alias("theirs"), F.col("book_id").alias("book")).agg(
        F.count("*").alias("in_segment")
    )
    everybody = recent.agg(F.count_distinct("customer_id").alias("everybody"))
    sizes = recent.groupBy(F.col("rfm_segment").alias("own")).agg(F.count_distinct("customer_id").alias("segment_size"))
    segments = customers.select(F.col("rfm_segment").alias("segment")).distinct()
    buyers = F.sum("in_segment").over(Window.partitionBy("book_id"))
    most_popular_first = Window.partitionBy("segment").orderBy(F.desc("popularity"), "book_id")
    return (
        books.join(F.broadcast(genre_sizes(tastes)), on="genre", how="left")
        .crossJoin(everybody)
        .crossJoin(segments)
        .join(sizes, F.equal_null("segment", "own"), how="left")
        .join(of_segment, _same_cell("segment", "theirs"), how="left")
        .withColumn("buyers", buyers)
        .withColumn("popularity", _popularity())
        .withColumn("place", F.row_number().over(most_popular_first))
        .select("segment", "book_id", "genre", "popularity", "place", "genre_size", "everything")
    )


def genre_sizes(tastes: DataFrame) -> DataFrame:
    """How everybody's books are spread over genres: `genre`, `genre_size`, and how many there are, `everything`."""
    sizes = tastes.groupBy("genre").agg(F.count("*").alias("genre_size"))
    return sizes.crossJoin(F.broadcast(tastes.agg(F.count("*").alias("everything"))))


def times_everybodys() -> Column:
    """The customer's books of the genre by the genre's share of everybody's books; null where there are none."""
    return F.try_element_at("genres", "genre") * F.col("everything") / F.col("genre_size")


def _lift() -> Column:
    """A genre's share of the customer's books by that of everybody's; 1 for who has no books."""
    own = F.coalesce("times_everybodys", F.lit(0.0))
    return (own + UNKNOWN_BOOKS) / (F.coalesce("books", F.lit(0)) + UNKNOWN_BOOKS)


def _source() -> Column:
    source = F.when(F.col("affinity") > 0, BOUGHT_TOGETHER)
    return source.when(F.col("times_everybodys").isNotNull(), FAVOURITE_GENRE).otherwise(POPULAR_NOW)


def _cosine(together: Column, size: Column, other_size: Column) -> Column:
    cosine = together / (F.sqrt(size.cast("double")) * F.sqrt(other_size.cast("double")))
    return F.round(cosine * _WHOLE).cast("bigint")


def _same_cell(segment: str, other: str) -> Column:
    return (F.col("book_id") == F.col("book")) & F.equal_null(segment, other)


def _popularity() -> Column:
    # One more than there were: a book that nobody bought lately comes last, and is not impossible.
    share = (F.coalesce("buyers", F.lit(0)) + 1) / (F.col("everybody") + 1)
    own, size = (F.coalesce(name, F.lit(0)) for name in ("in_segment", "segment_size"))
    return (own + STEADYING * share) / (size + STEADYING)
