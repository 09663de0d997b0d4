"""A scheme of the shop's own: read, or refused with what is wrong with it."""

import json
from decimal import Decimal
from typing import Any

import pytest

from spark_jobs.errors import ArgumentError
from spark_jobs.transforms.scheme import read_scheme

SEGMENTS = {"Regulars": ["R2-3 F2"], "New": ["R3 F1"], "Quiet": ["R1 F1-2", "R2 F1"]}
FIELDS = {"name": "reach", "recency_days": [14, 60], "frequency": [4], "monetary": 4, "segments": SEGMENTS}


def refusal(**fields: Any) -> str:
    with pytest.raises(ArgumentError) as refused:
        read_scheme(json.dumps(FIELDS | fields))
    return str(refused.value)


def test_a_scheme_has_its_scales_and_a_name_for_every_cell() -> None:
    scheme = read_scheme(json.dumps(FIELDS | {"monetary": [0.5, 20, 99.99]}))

    assert scheme.name == "reach"
    assert [list(scheme.scores(metric)) for metric in "rfm"] == [[1, 2, 3], [1, 2], [1, 2, 3, 4]]
    # From the worst score on: more than 60 days, at most 60, at most 14.
    assert [scheme.lowest(metric) for metric in "rfm"] == [
        (-(2**63), -60, -14),
        (-(2**63), 4),
        (-(2**63), 50, 2000, 9999),
    ]
    assert scheme.cut_points("m") == (Decimal("0.5"), Decimal(20), Decimal("99.99"))
    assert scheme.segments == {
        (1, 1): "Quiet",
        (1, 2): "Quiet",
        (2, 1): "Quiet",
        (2, 2): "Regulars",
        (3, 1): "New",
        (3, 2): "Regulars",
    }


def test_bins_are_cut_by_the_customers() -> None:
    scheme = read_scheme(json.dumps(FIELDS))
    assert (list(scheme.scores("m")), scheme.lowest("m"), scheme.cut_points("m")) == ([1, 2, 3, 4], None, None)


def test_a_hole_and_an_overlap_are_named() -> None:
    assert refusal(segments=SEGMENTS | {"Quiet": ["R1 F1"]}).endswith("no segment has R1 F2, R2 F1")
    assert refusal(segments=SEGMENTS | {"Two": ["R2-3 F1"]}).endswith("R2 F1 has two names: 'Quiet' and 'Two'")
    assert refusal(segments=SEGMENTS | {"New": ["R3 F1", "R3 F1"]}).endswith("R3 F1 has two names: 'New' and 'New'")


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"frequency": [2, 5, 5]}, "frequency must have cut points that rise, found 5 before 5"),
        ({"recency_days": [60, 14]}, "recency_days must have cut points that rise, found 60 before 14"),
        ({"frequency": [1, 5]}, "frequency must have whole numbers from 2 on as cut points, found 1"),
        ({"recency_days": [7.5]}, "recency_days must have whole numbers from 0 on as cut points, found Decimal('7.5')"),
        ({"monetary": [9.999]}, "monetary must have amounts in whole cents from 0.01 on as cut points, found Decimal"),
        ({"monetary": ["20"]}, "monetary must have amounts in whole cents from 0.01 on as cut points, found '20'"),
        ({"monetary": 10}, "monetary must be a number of bins from 2 to 9, or a list of 1 to 8 cut points; found 10"),
        (
            {"monetary": True},
            "monetary must be a number of bins from 2 to 9, or a list of 1 to 8 cut points; found True",
        ),
        ({"monetary": []}, "monetary must be a number of bins from 2 to 9, or a list of 1 to 8 cut points; found []"),
        ({"name": "quintiles"}, "name must be small letters, digits and hyphens, and not quintiles; found 'quintiles'"),
        ({"name": "x' OR true"}, "name must be small letters, digits and hyphens, and not quintiles; found"),
        ({"segments": []}, "segments must be names with the areas that they have, found []"),
        ({"segments": {"All": "R1-3 F1-2"}}, "must have a name and a list of areas, found 'All': 'R1-3 F1-2'"),
        ({"segments": {" ": ["R1-3 F1-2"]}}, "must have a name and a list of areas, found ' ': ['R1-3 F1-2']"),
        ({"segments": {"All": ["R1-3, F1-2"]}}, "areas must be like 'R1-2 F3', found 'R1-3, F1-2' of 'All'"),
        ({"segments": {"All": ["R1-4 F1-2"]}}, "must lie between R1 F1 and R3 F2 and rise, found 'R1-4 F1-2' of 'All'"),
        ({"segments": {"All": ["R3-1 F1-2"]}}, "must lie between R1 F1 and R3 F2 and rise, found 'R3-1 F1-2' of 'All'"),
        (
            {"bins": 3},
            "--scheme must have name, recency_days, frequency, monetary, segments and nothing else, found name",
        ),
    ],
)
def test_what_is_wrong_is_said(fields: dict[str, Any], message: str) -> None:
    assert message in refusal(**fields)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"name": ', "--scheme must be JSON, and is none at line 1, column 10"),
        ("[]", "segments and nothing else, found []"),
        (json.dumps(FIELDS)[:-1] + ', "name": "other"}', "--scheme must have each name once, found 'name' twice"),
        ('{"name": "x", "monetary": [NaN]}', "found name, monetary"),
    ],
)
def test_what_is_no_scheme_is_refused(text: str, message: str) -> None:
    with pytest.raises(ArgumentError) as refused:
        read_scheme(text)
    assert message in str(refused.value)


@pytest.mark.parametrize("odd", ["NaN", "Infinity", "1e400"])
def test_numbers_that_are_none_are_refused(odd: str) -> None:
    text = json.dumps(FIELDS | {"monetary": ["odd"]}).replace('"odd"', odd)
    with pytest.raises(ArgumentError, match="monetary must have amounts in whole cents"):
        read_scheme(text)
