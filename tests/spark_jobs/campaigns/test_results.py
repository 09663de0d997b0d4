"""What a campaign's result says in words."""

import datetime as dt

import pytest

from spark_jobs.campaigns.results import CampaignResult, Window, result_of
from spark_jobs.campaigns.uplift import Group

END = dt.datetime(2026, 3, 2, 10, tzinfo=dt.UTC)
OVER = Window(30, END, END)


def measured(
    written_to: Group, held_out: Group, *, window: Window = OVER, share: float | None = 0.25
) -> CampaignResult:
    return result_of("spring-2026", window, share=share, written_to=written_to, held_out=held_out, measured_at=END)


def test_a_difference_that_chance_does_not_explain_is_told_with_its_range() -> None:
    result = measured(Group(300, 60, 600_00, 14_000_000), Group(100, 8, 80_00, 1_600_000))

    assert result.verdict == (
        "more bought than would have without the campaign: +12.0 percentage points, with 95% confidence between +3.9 "
        "and +18.3"
    )
    assert (result.written_to_rate, result.held_out_rate, result.rate_uplift) == pytest.approx((0.2, 0.08, 0.12))
    assert (result.written_to_revenue, result.held_out_revenue) == (2.0, 0.8)
    assert (result.is_over, result.is_sample_ratio_alarm) == (True, False)


@pytest.mark.parametrize(
    ("written_to", "held_out", "beginning"),
    [
        (Group(300, 10), Group(100, 30), "fewer bought than would have without the campaign: -26.7 percentage points"),
        (Group(300, 60), Group(100, 18), "no effect on the share of buyers is shown: +2.0 percentage points"),
        (Group(5, 1), Group(), "nobody is held out, so what would have been bought without the campaign isn't known"),
        (Group(), Group(2, 1), "everybody is held out, so the campaign can't have had an effect"),
    ],
)
def test_what_the_groups_show(written_to: Group, held_out: Group, beginning: str) -> None:
    assert measured(written_to, held_out).verdict.startswith(beginning)


def test_groups_that_the_draw_does_not_explain_are_an_alarm() -> None:
    result = measured(Group(300, 60), Group(40, 2))

    assert result.is_sample_ratio_alarm
    assert result.verdict.startswith(
        "the sizes of the groups don't fit the share of 25.00% that was drawn (p = 2e-09): something other than the "
        "draw has decided who is in which group"
    )
    assert not measured(Group(300, 60), Group(75, 2)).is_sample_ratio_alarm


def test_a_share_that_is_not_known_is_said_and_without_a_hold_out_none_is_needed() -> None:
    unknown = measured(Group(300, 60), Group(40, 2), share=None)
    assert (unknown.sample_ratio_p, unknown.is_sample_ratio_alarm) == (None, False)
    assert "; the sizes of the groups are not checked, since no one share is known" in unknown.verdict
    nobody = measured(Group(300, 60), Group(), share=0.0)
    assert (nobody.sample_ratio_p, nobody.verdict[:18]) == (None, "nobody is held out")


def test_a_window_that_is_not_over_is_said() -> None:
    early = Window(30, END, END - dt.timedelta(microseconds=1))
    assert measured(Group(3, 1), Group(1), window=early).verdict.endswith(
        "; not final: the window ends 2026-03-02 10:00 UTC and orders are known until 2026-03-02 09:59 UTC"
    )
    none = measured(Group(3, 1), Group(1), window=Window(30, END, None))
    assert none.verdict.endswith("; not final: the window ends 2026-03-02 10:00 UTC and no order is known")
    assert not none.is_over
