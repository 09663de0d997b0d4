"""The result of a campaign: a row of `gold.campaign_results`, and what it says in words."""

import datetime as dt
from collections.abc import Iterator
from typing import Any, NamedTuple

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from spark_jobs.campaigns.uplift import RATIO_ALARM, Group, Interval, rate_uplift, revenue_uplift, sample_ratio_p

_INSTANTS = ("window_end", "orders_until", "measured_at")
_MINUTE = "%Y-%m-%d %H:%M UTC"
_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


class CampaignResult(NamedTuple):
    """A row of `gold.campaign_results`.

    Attributes:
        window_end: When the last customer's days are over.
        orders_until: Of the newest order that is known, whoever's it is.
        is_over: Whether all of the window is known.
        held_out_share: What all its customers were drawn with; None where that isn't known.
        written_to: Customers; `held_out` likewise.
        written_to_revenue: Per customer, in whole units of money.
        rate_uplift: The difference of the two rates.
        sample_ratio_p: How probable groups of such sizes are; None where nobody was to be held out or the share
            isn't known.
        verdict: All of it in words.
    """

    campaign: str
    window_end: dt.datetime
    response_days: int
    orders_until: dt.datetime | None
    is_over: bool
    held_out_share: float | None
    written_to: int
    written_to_buyers: int
    written_to_rate: float | None
    written_to_revenue: float | None
    held_out: int
    held_out_buyers: int
    held_out_rate: float | None
    held_out_revenue: float | None
    rate_uplift: float | None
    rate_uplift_low: float | None
    rate_uplift_high: float | None
    revenue_uplift: float | None
    revenue_uplift_low: float | None
    revenue_uplift_high: float | None
    sample_ratio_p: float | None
    is_sample_ratio_alarm: bool
    verdict: str
    measured_at: dt.datetime


class Window(NamedTuple):
    """The time in which a campaign's orders count, and how much of it is known."""

    days: int
    end: dt.datetime
    orders_until: dt.datetime | None

    @property
    def is_over(self) -> bool:
        return self.orders_until is not None and self.orders_until >= self.end


def result_of(
    campaign: str,
    window: Window,
    *,
    share: float | None,
    written_to: Group,
    held_out: Group,
    measured_at: dt.datetime,
) -> CampaignResult:
    """Compares the two groups.

    Args:
        campaign: Its id.
        window: The time in which orders count.
        share: What the groups were drawn with; None where it isn't known.
        written_to: Who got the campaign.
        held_out: Who didn't.
        measured_at: Now.
    """
    rates, revenues = rate_uplift(written_to, held_out), revenue_uplift(written_to, held_out)
    p = sample_ratio_p(written_to.customers, held_out.customers, share) if share else None
    return CampaignResult(
        campaign=campaign,
        window_end=window.end,
        response_days=window.days,
        orders_until=window.orders_until,
        is_over=window.is_over,
        held_out_share=share,
        written_to=written_to.customers,
        written_to_buyers=written_to.buyers,
        written_to_rate=written_to.rate,
        written_to_revenue=written_to.revenue,
        held_out=held_out.customers,
        held_out_buyers=held_out.buyers,
        held_out_rate=held_out.rate,
        held_out_revenue=held_out.revenue,
        rate_uplift=rates and rates.estimate,
        rate_uplift_low=rates and rates.low,
        rate_uplift_high=rates and rates.high,
        revenue_uplift=revenues and revenues.estimate,
        revenue_uplift_low=revenues and revenues.low,
        revenue_uplift_high=revenues and revenues.high,
        sample_ratio_p=p,
        is_sample_ratio_alarm=_is_alarm(p),
        verdict="; ".join([_finding(held_out, rates, share, p), *_reservations(window, share)]),
        measured_at=measured_at,
    )


def read_results(results: DataFrame) -> Iterator[CampaignResult]:
    """Rows of `gold.campaign_results`, with instants that don't depend on any time zone."""
    micros = {name: F.unix_micros(name) for name in _INSTANTS}
    for row in results.withColumns(micros).select(*CampaignResult._fields).collect():
        values: dict[str, Any] = row.asDict()
        yield CampaignResult(**(values | {name: instant(values[name]) for name in _INSTANTS}))


def instant(micros: int | None) -> dt.datetime | None:
    """Spark's `unix_micros` as an instant in UTC."""
    return None if micros is None else _EPOCH + dt.timedelta(microseconds=micros)


def _is_alarm(p: float | None) -> bool:
    return p is not None and p < RATIO_ALARM


def _finding(held_out: Group, rates: Interval | None, share: float | None, p: float | None) -> str:
    if p is not None and _is_alarm(p):
        return (
            f"the sizes of the groups don't fit the share of {share:.2%} that was drawn (p = {p:.1g}): something other "
            f"than the draw has decided who is in which group, so their difference may not be the campaign's"
        )
    if not held_out.customers:
        return "nobody is held out, so what would have been bought without the campaign isn't known"
    if rates is None:
        return "everybody is held out, so the campaign can't have had an effect"
    estimate, low, high = (f"{100 * share:+.1f}" for share in rates)
    reach = f"{estimate} percentage points, with 95% confidence between {low} and {high}"
    if rates.low <= 0 <= rates.high:
        return f"no effect on the share of buyers is shown: {reach}"
    return f"{'more' if rates.low > 0 else 'fewer'} bought than would have without the campaign: {reach}"


def _reservations(window: Window, share: float | None) -> list[str]:
    found = []
    if share is None:
        found.append("the sizes of the groups are not checked, since no one share is known that all were drawn with")
    if not window.is_over:
        until = window.orders_until
        known = f"orders are known until {until:{_MINUTE}}" if until else "no order is known"
        found.append(f"not final: the window ends {window.end:{_MINUTE}} and {known}")
    return found
