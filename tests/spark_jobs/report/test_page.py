import dataclasses
import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from spark_jobs.report.actions import ACTIONS
from spark_jobs.report.content import Point
from spark_jobs.report.customers import SAMPLE_SIZE
from spark_jobs.report.page import render
from spark_jobs.report.picture import COLOURS
from spark_jobs.report.sankey import sankey
from spark_jobs.transforms.rfm import SEGMENTS
from tests.spark_jobs.report.contents import (
    CAMPAIGNS,
    DRIFT,
    GAPS,
    MIGRATIONS,
    OFFERS,
    PIPELINE,
    VALUE,
    clusters,
    everything,
    report,
)
from tests.spark_jobs.report.reading import text_of


def test_the_segments_are_told_with_shares_medians_and_an_action() -> None:
    text = text_of(render(report(found=None)))

    assert "31 January 2026 Who bought, how recently, how often and for how much, in the 365 days" in text
    assert "Champions 250 25.0% €7,500 75.0% 2 days ago 8 €300 " + ACTIONS["Champions"] in text
    assert "Hibernating 750 75.0% €2,500 25.0% 200 days ago 1 €10.25 " + ACTIONS["Hibernating"] in text
    assert "R5 0 0.0% New Customers" in text
    assert "250 25.0% Champions R4" in text
    assert text.endswith("Written 2026-02-01 00:30 UTC.")


def test_all_history_is_said_in_words() -> None:
    assert "in all the time up to and including this day." in text_of(render(report(found=None, lookback_days=0)))


def test_every_segment_has_one_action() -> None:
    assert ACTIONS.keys() == set(SEGMENTS.values())


def test_without_segments_and_without_events_the_page_says_so() -> None:
    text = text_of(render(report(found=None)))

    assert "No clusters for this day yet. Run train_kmeans to get a champion model, then assign_segments" in text
    assert "No model has labelled this day's customers yet." in text
    assert "Nothing has been ingested yet: ops.ingest_audit is empty." in text


def test_each_cluster_is_told_by_its_centre_in_days_orders_and_money() -> None:
    html = render(report(found=clusters()))
    text = text_of(html)

    # The centres undo the scale: e to the power of 1, 2 and 6, less 1, for the first cluster.
    first = "0 Active regulars 250 customers (25.0%) bring 75.0% of the revenue. Last order 2 days ago Orders 6.4"
    assert f"{first} Spent €402 Confidence 0.75" in text
    assert "3 Lapsed <buyers> Nobody of this day's customers. Last order 54 days ago Orders 0.0 Spent €19.09" in text
    assert "<buyers>" not in html
    assert 'role="img" aria-label="Scatter of 2 customers' in html
    assert "Centres: 0, Active regulars: 2 days, 402 EUR; 3, Lapsed &lt;buyers>: 54 days, 19 EUR." in html
    assert "Each dot is a customer of a sample of 2;" in text


def test_the_model_card_has_version_training_and_verdict() -> None:
    text = text_of(render(report(found=clusters())))

    assert "Version 2026-01-31-" in text
    assert ", no longer the champion" in text
    assert "Trained 2026-01-31 23:00 UTC on the 990 customers of 31 January 2026, seed 42" in text
    assert "Silhouette 0.457 on at most 3,000 customers; inertia 123.4" in text


def test_the_funnel_adds_up_or_says_what_is_missing() -> None:
    text = text_of(render(report(found=None, pipeline=PIPELINE)))

    assert "bookstore.books 10 9 1 10.0% 0 ✓ every event accounted for" in text
    assert "bookstore.orders 1,200 1,190 5 0.4% 2 ✗ 3 unaccounted for" in text
    assert "unknown status orders 5 unsupported truncate books 1" in text
    gift = "2026-01-31 09:05 orders gift <wrap> new, and kept in value alone: boolean 2 / 17"
    assert f"{gift} 2026-01-30 08:00 books price of another type, and quarantined: object<eur: string> 0 / 3" in text
    assert "silver. orders 1,100 2026-01-31 22:00 bronze. quarantine 0 \N{EN DASH}" in text
    assert "2026-02-01 00:10 gold. rfm Write 1,000 2026-02-01 00:09 gold. rfm Create table \N{EN DASH}" in text


def test_what_moved_is_told_with_its_alarm_and_in_words_for_those_who_do_not_see_the_picture() -> None:
    html = render(report(found=None, drift=DRIFT, migrations=MIGRATIONS))
    text = text_of(html)

    assert "Spending moved since 24 January 2026, when there were 990 customers." in text
    assert "Frequency 0.012 0.10 ✓ steady Spending 0.457 0.10 ✗ moved Segment shares 0.000 0.12 ✓ steady" in text
    assert "Active regulars Lapsed <buyers> 20 Lapsed <buyers> Active regulars 1" in text
    told = "979 stayed, 21 moved: 20 from Active regulars to Lapsed &lt;buyers>; 1 from Lapsed &lt;buyers> to Active"
    assert f"Clusters of 1,000 customers on 24 January 2026 and on 31 January 2026: {told} regulars." in html


def test_the_bands_leave_and_reach_bars_as_high_as_their_customers() -> None:
    svg = sankey(MIGRATIONS, "before", "after")

    heights = [float(height) for height in re.findall(r'<rect [^>]*height="([\d.]+)"', svg)]
    unit = sum(heights[:2]) / 1_000
    assert heights == pytest.approx([260 * unit, 740 * unit, 241 * unit, 759 * unit], abs=0.1)
    assert svg.count("<path ") == 4
    assert re.findall(r"text-anchor=\"\w+\" font-size=\"12\">([\d,]+) <", svg) == ["260", "740"]


def test_nothing_moved_and_nobody_to_compare_with_are_said_in_words() -> None:
    calm = dataclasses.replace(DRIFT, features=DRIFT.features[:1])
    stayed = dataclasses.replace(MIGRATIONS, moves=MIGRATIONS.moves[:1])

    first = text_of(render(report(found=None)))
    steady = text_of(render(report(found=None, drift=calm, migrations=stayed)))

    assert "There is no earlier date with the same look-back to compare this one with" in first
    assert "✓ Nothing moved by more than chance and habit explain since 24 January 2026" in steady
    assert "Everybody stayed." in steady
    assert "The date before has no clusters of the same model." in text_of(render(report(found=None, drift=DRIFT)))


def test_expected_value_is_told_with_how_its_test_ended() -> None:
    text = text_of(render(report(found=None, value=VALUE)))

    assert "In the 90 days from here customers can be expected to spend €8,251 ." in text
    assert "Champions 250 €7,500 90.9% €30.00 2.0 95.0%" in text
    assert "Without orders in these days 50 €1.25 0.0% €0.02 0.0 1.0%" in text
    assert "held out: ✗ not better in value than the same as in the last period." in text


def test_books_to_offer_are_listed_by_segment() -> None:
    text = text_of(render(report(found=None, offers=OFFERS)))

    offered = "Champions The <Silent> Harbour Ada Keller · for 200 customers Dune for 150 customers"
    assert f"{offered} Without orders in these days The Last Map Zoë O'Brien · for 40 customers" in text


def test_without_estimates_and_offers_the_page_says_what_to_run() -> None:
    text = text_of(render(report(found=None)))

    assert "No estimates for this day: estimate_value needs more customers who bought twice" in text
    assert "No books to offer yet: run recommend_books for this date." in text


def test_scores_that_nobody_has_are_explained() -> None:
    text = text_of(render(report(found=None, gaps=GAPS)))

    reason = "and equal values get equal scores."
    assert f"Nobody has F2 or F3: more than a fifth of the customers have made 1 order, {reason}" in text
    assert f"Nobody has M5: more than a fifth of the customers have spent €9.99, {reason}" in text
    assert f"Nobody has R1: more than a fifth of the customers ordered last 3 days ago, {reason}" in text
    assert "Nobody has" not in text_of(render(report(found=None)))


def test_campaigns_are_told_with_the_range_that_chance_leaves() -> None:
    text = text_of(render(report(found=None, campaigns=CAMPAIGNS)))

    assert (
        "spring-2026 30 days to 30 January 2026 300 20.0% bought 100 8.0% bought +12.0 pp +3.9 pp to +18.3 pp" in text
    )
    assert "+€1.20 +€0.98 to +€1.42 More bought than would have without the campaign: +12.0 percentage points" in text
    absent = "\N{EN DASH}"
    assert f"5 20.0% bought 0 {absent} {absent} Nobody is held out, so what would have been bought" in text
    assert "✗ The sizes of the groups don't fit the share of 25.00% that was drawn (p = 2e-09)" in text
    assert "No campaign has been measured yet: run measure_campaign once" in text_of(render(report(found=None)))


def test_the_page_needs_no_network_no_script_and_little_space() -> None:
    sample = tuple(Point(3 * (number % 2), number % 365, 1.5 * number) for number in range(SAMPLE_SIZE))

    html = render(everything(sample))

    assert "<script" not in html
    loaded = re.findall(r"""(?:src|href)=["']([^"'#][^"']*)""", html)
    assert loaded == []
    assert "@import" not in html
    assert "url(http" not in html
    assert len(html.encode()) < 1_000_000


def test_the_same_content_is_the_same_page() -> None:
    assert render(report(found=clusters())) == render(report(found=clusters()))


@pytest.mark.parametrize("colour", COLOURS)
def test_white_text_on_a_clusters_colour_has_enough_contrast(colour: str) -> None:
    assert 1.05 / (luminance(colour) + 0.05) >= 4.5  # WCAG AA; white has luminance 1


def luminance(colour: str) -> float:
    channels = [int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("width", [390, 1280])
def test_nothing_sticks_out_on_a_phone_or_at_a_desk(tmp_path: Path, browser: Browser, width: int) -> None:
    page_file = tmp_path / "page.html"
    page_file.write_text(render(everything()))
    page = browser.new_page(viewport={"width": width, "height": 900})
    page.goto(page_file.as_uri())
    assert page.evaluate("document.documentElement.scrollWidth") == width
