"""Recency, frequency and monetary value of every customer as of a date, with scores and segments."""

import datetime as dt
from collections.abc import Mapping
from decimal import Decimal

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from spark_jobs.transforms.scheme import CONTRACT, METRICS, Scheme

_HIBERNATING, _AT_RISK, _CANT_LOSE = "Hibernating", "At Risk", "Can't Lose Them"
_ABOUT_TO_SLEEP, _NEED_ATTENTION, _LOYAL = "About To Sleep", "Need Attention", "Loyal Customers"
_PROMISING, _POTENTIAL = "Promising", "Potential Loyalists"
_NEW, _CHAMPIONS = "New Customers", "Champions"

# One row per R score, from 1; in it one name per F score, from 1.
_SEGMENTS_BY_SCORE = (
    (_HIBERNATING, _HIBERNATING, _AT_RISK, _AT_RISK, _CANT_LOSE),
    (_HIBERNATING, _HIBERNATING, _AT_RISK, _AT_RISK, _CANT_LOSE),
    (_ABOUT_TO_SLEEP, _ABOUT_TO_SLEEP, _NEED_ATTENTION, _LOYAL, _LOYAL),
    (_PROMISING, _POTENTIAL, _POTENTIAL, _LOYAL, _LOYAL),
    (_NEW, _POTENTIAL, _POTENTIAL, _CHAMPIONS, _CHAMPIONS),
)
SEGMENTS = {(r, f): name for r, row in enumerate(_SEGMENTS_BY_SCORE, 1) for f, name in enumerate(row, 1)}
"""The segment of every pair of R and F score."""
QUINTILES = Scheme(CONTRACT, dict.fromkeys(METRICS, 5), SEGMENTS)
"""The scheme of `gold.rfm`."""


def rfm(customers: DataFrame, totals: DataFrame, *, snapshot_date: dt.date, lookback_days: int) -> DataFrame:
    """One row per customer with a counted order in the `lookback_days` up to and including `snapshot_date`.

    Args:
        customers: `silver.customers`; orders of anybody else don't count.
        totals: What the orders of those days add up to, as `transforms.totals.totals_of` gives it.
        snapshot_date: The last UTC day that counts.
        lookback_days: How many days count, that one included; 0 for all history.

    Returns:
        The columns of `gold.rfm`.
    """
    monetary = F.col("cents").cast("decimal(20,0)") * F.lit(Decimal("0.01"))
    return (
        totals.join(customers.select("customer_id"), on="customer_id", how="left_semi")
        .select(
            "customer_id",
            F.date_diff(F.lit(snapshot_date), "last_day").alias("recency_days"),
            F.col("orders").alias("frequency"),
            monetary.cast("decimal(18,2)").alias("monetary"),
        )
        .transform(with_scores)
        .select(
            F.lit(snapshot_date).alias("snapshot_date"),
            "customer_id",
            F.lit(lookback_days).alias("lookback_days"),
            *["recency_days", "frequency", "monetary"],
            *_scores_and_segment(QUINTILES),
        )
    )


def scheme_rows(scored: DataFrame, scheme: Scheme) -> DataFrame:
    """What a scheme says about a partition's customers, beside `gold.rfm`.

    Args:
        scored: A partition of `gold.rfm`, with the scheme's scores instead of its own.
        scheme: Any but the contract's.

    Returns:
        The columns of `gold.rfm_schemes`.
    """
    key = (F.lit(scheme.name).alias("scheme"), "snapshot_date", "customer_id")
    return scored.select(*key, *_scores_and_segment(scheme))


def counted_orders(customers: DataFrame, orders: DataFrame, *, snapshot_date: dt.date, lookback_days: int) -> DataFrame:
    """The orders that count: of a customer, not cancelled, something kept and paid, in (D - L, D] by UTC date.

    Args:
        customers: `silver.customers`; orders of anybody else don't count.
        orders: `silver.orders`.
        snapshot_date: D, the last day.
        lookback_days: L, how many days count; 0 for all history.

    Returns:
        The columns of `orders`.
    """
    return orders.where(counts() & ordered_within(snapshot_date, lookback_days)).join(
        customers.select("customer_id"), on="customer_id", how="left_semi"
    )


def counts() -> Column:
    """Whether an order counts, whoever's and whenever it is: not cancelled, something kept and paid."""
    return (F.col("status") != "cancelled") & (F.col("net_amount") > 0)


def with_scores(customers: DataFrame, scheme: Scheme = QUINTILES) -> DataFrame:
    """Sets `r_score`, `f_score` and `m_score`: 1 + floor(bins x (rows strictly worse) / n), exact at any size.

    Ranking all customers in one sorted window would put them into one partition. But a score depends on a customer's
    value alone, and rises with it, so the cuts of a metric hold all the scores there are: the lowest value that has a
    score of 2, of 3 and so on. They come from counts of distinct values (see `_cuts`), as one row that every customer
    is compared with, or from the scheme, where it has cut points of its own.
    """
    bins = {metric: len(scheme.scores(metric)) for metric in METRICS if scheme.lowest(metric) is None}
    scores = {f"{metric}_score": _score(scheme, metric, measure) for metric, measure in _measures().items()}
    compared = customers.crossJoin(F.broadcast(_cuts(customers, bins))) if bins else customers
    return compared.withColumns(scores).drop("cuts")


def _cuts(customers: DataFrame, bins: Mapping[str, int]) -> DataFrame:
    """One row with `cuts`: metric and score, e.g. `r5`, to the lowest value that has the score.

    How many are strictly worse than a value is a running count in two steps. The first goes over buckets of close
    values, of which there are a few thousand however many customers there are. The second goes over the distinct values
    within one bucket, and the buckets are spread over the cluster.
    """
    measures = F.create_map(*[part for metric in bins for part in (F.lit(metric), _measures()[metric])])
    bins_of = F.create_map(*[F.lit(part) for pair in bins.items() for part in pair])
    values = customers.select(F.explode(measures)).groupBy("key", "value").agg(F.count("*").alias("customers"))
    values = values.withColumn("bucket", _bucket(F.col("value")))
    earlier_buckets = Window.partitionBy("key").orderBy("bucket").rowsBetween(Window.unboundedPreceding, -1)
    buckets = (
        values.groupBy("key", "bucket")
        .agg(F.sum("customers").alias("in_bucket"))
        .withColumn("in_earlier_buckets", F.coalesce(F.sum("in_bucket").over(earlier_buckets), F.lit(0)))
        .withColumn("n", F.sum("in_bucket").over(Window.partitionBy("key")))
    )
    lower_values = Window.partitionBy("key", "bucket").orderBy("value").rowsBetween(Window.unboundedPreceding, -1)
    lower = F.coalesce(F.sum("customers").over(lower_values), F.lit(0))
    return (
        values.join(buckets, on=["key", "bucket"])
        .withColumn("worse", F.col("in_earlier_buckets") + lower)
        .withColumn("bins", bins_of[F.col("key")])
        .withColumn("score", F.expr("1 + (bins * worse) div n"))
        .groupBy("key", "score")
        .agg(F.min("value").alias("lowest"))
        .agg(F.map_from_entries(F.collect_list(F.struct(F.concat("key", "score"), "lowest"))).alias("cuts"))
    )


def _measures() -> dict[str, Column]:
    """Each metric as a whole number of which more is better; money in cents."""
    return {
        "r": -F.col("recency_days").cast("bigint"),
        "f": F.col("frequency"),
        "m": (F.col("monetary") * 100).cast("bigint"),
    }


def _bucket(value: Column) -> Column:
    """A number that never falls as `value` rises: its sign, its number of digits and its leading four digits."""
    digits = F.abs(value).cast("string")
    return F.signum(value).cast("int") * (F.length(digits) * 10_000 + F.substring(digits, 1, 4).cast("int"))


def _score(scheme: Scheme, metric: str, measure: Column) -> Column:
    # A score that nobody has, because of ties, has no cut; so the highest cut reached decides, not how many.
    lowest, scores = scheme.lowest(metric), scheme.scores(metric)
    cuts = map(F.lit, lowest) if lowest else (F.col("cuts")[f"{metric}{score}"] for score in scores)
    return F.greatest(*[F.when(measure >= cut, F.lit(score)) for score, cut in zip(scores, cuts, strict=True)])


def _scores_and_segment(scheme: Scheme) -> list[Column]:
    scores = [F.col(f"{metric}_score") for metric in METRICS]
    names = F.create_map(*[F.lit(part) for (r, f), name in scheme.segments.items() for part in (f"{r}{f}", name)])
    segment = names[F.concat("r_score", "f_score")]
    return [*scores, F.concat(*scores).alias("rfm_score"), segment.alias("rfm_segment")]


def ordered_within(snapshot_date: dt.date, lookback_days: int, of: str = "ordered_at") -> Column:
    """In (D - L, D] by UTC date, written as instants: the same in every session time zone, and Delta can skip files."""
    until = F.col(of) < midnight(snapshot_date) + dt.timedelta(days=1)
    if lookback_days == 0 or lookback_days >= snapshot_date.toordinal():
        return until
    return until & (F.col(of) >= midnight(snapshot_date) - dt.timedelta(days=lookback_days - 1))


def midnight(day: dt.date) -> dt.datetime:
    return dt.datetime.combine(day, dt.time(), tzinfo=dt.UTC)


def utc_date(instant: str) -> Column:
    """The UTC date of a timestamp, whatever the session's time zone."""
    return F.date_from_unix_date(F.floor(F.unix_seconds(F.col(instant)) / 86_400).cast("int"))
