"""How customers are scored and what their segments are called: the contract's fifths, or a scheme of the shop's own."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise, product
from typing import Any

from spark_jobs.errors import ArgumentError

METRICS = {"r": "recency_days", "f": "frequency", "m": "monetary"}
CONTRACT = "quintiles"
"""The scheme of `gold.rfm`."""

_ANY = -(2**63)
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
_AREA = re.compile(r"R([1-9])(?:-([1-9]))? F([1-9])(?:-([1-9]))?")
_FEWEST_SCORES, _MOST_SCORES = 2, 9  # a score is one digit
_FIELDS = ("name", *METRICS.values(), "segments")
_LEAST = {"r": Decimal(0), "f": Decimal(2), "m": Decimal("0.01")}
"""The lowest cut point that tells customers apart: each of them has an order, of some money."""

_BEYOND = 10**15  # what the columns of numbers and amounts can hold

Scale = int | tuple[Decimal, ...]
"""So many bins of as many customers each, or the cut points between the scores, rising."""
Cell = tuple[int, int]


@dataclass(frozen=True)
class Scheme:
    """Scores and segments.

    Attributes:
        name: What tells it from others.
        scales: Each metric's, by its letter. A cut point is the most days, or the fewest orders or the least money,
            that still have a score.
        segments: The name of every pair of R and F score.
    """

    name: str
    scales: Mapping[str, Scale]
    segments: Mapping[Cell, str]

    def scores(self, metric: str) -> range:
        """The metric's scores, from the worst."""
        scale = self.scales[metric]
        return range(1, 1 + (scale if isinstance(scale, int) else len(scale) + 1))

    def cut_points(self, metric: str) -> tuple[Decimal, ...] | None:
        """Of the scores from 2 on, as they are configured; None where the customers decide."""
        scale = self.scales[metric]
        if isinstance(scale, int):
            return None
        return scale[::-1] if metric == "r" else scale

    def lowest(self, metric: str) -> tuple[int, ...] | None:
        """The lowest measure of each score, where it is configured: days count downwards, money in cents."""
        points = self.cut_points(metric)
        factor = {"r": -1, "f": 1, "m": 100}[metric]
        return None if points is None else (_ANY, *[int(point * factor) for point in points])


def read_scheme(text: str) -> Scheme:
    """Reads a scheme as `docs/segmentation.md` describes it, and checks it as a whole.

    Raises:
        ArgumentError: It isn't JSON, lacks a part or has one that is unknown, has cut points that don't rise, or leaves
            a cell of the grid without a name or with two.
    """
    try:
        fields = json.loads(text, parse_float=Decimal, object_pairs_hook=_without_repetition)
    except json.JSONDecodeError as error:
        raise ArgumentError(
            f"--scheme must be JSON, and is none at line {error.lineno}, column {error.colno}"
        ) from None
    if not isinstance(fields, dict) or set(fields) != set(_FIELDS):
        found = ", ".join(fields) if isinstance(fields, dict) else repr(fields)
        raise ArgumentError(f"--scheme must have {', '.join(_FIELDS)} and nothing else, found {found}")
    scales = {metric: _scale(metric, fields[column]) for metric, column in METRICS.items()}
    scheme = Scheme(_name(fields["name"]), scales, {})
    return Scheme(scheme.name, scales, _segments(fields["segments"], scheme))


def _without_repetition(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    names = [name for name, _ in pairs]
    for name in names:
        if names.count(name) > 1:
            raise ArgumentError(f"--scheme must have each name once, found {name!r} twice")
    return dict(pairs)


def _name(name: Any) -> str:
    if not isinstance(name, str) or not _NAME.fullmatch(name) or name == CONTRACT:
        raise ArgumentError(
            f"--scheme's name must be small letters, digits and hyphens, and not {CONTRACT}; found {name!r}"
        )
    return name


def _scale(metric: str, value: Any) -> Scale:
    what = f"--scheme's {METRICS[metric]}"
    if _is_whole(value) and _FEWEST_SCORES <= value <= _MOST_SCORES:
        return int(value)
    if not isinstance(value, list) or not 1 <= len(value) < _MOST_SCORES:
        raise ArgumentError(
            f"{what} must be a number of bins from {_FEWEST_SCORES} to {_MOST_SCORES}, "
            f"or a list of 1 to {_MOST_SCORES - 1} cut points; found {value!r}"
        )
    points = tuple(_point(what, metric, point) for point in value)
    for lower, higher in pairwise(points):
        if lower >= higher:
            raise ArgumentError(f"{what} must have cut points that rise, found {lower} before {higher}")
    return points


def _point(what: str, metric: str, value: Any) -> Decimal:
    decimals = 2 if metric == "m" else 0
    is_number = _is_whole(value) or isinstance(value, Decimal)
    if not is_number or not _LEAST[metric] <= value < _BEYOND or round(Decimal(value), decimals) != value:
        kind = "amounts in whole cents" if decimals else "whole numbers"
        raise ArgumentError(f"{what} must have {kind} from {_LEAST[metric]} on as cut points, found {value!r}")
    return Decimal(value)


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _segments(names: Any, scheme: Scheme) -> dict[Cell, str]:
    if not isinstance(names, dict):
        raise ArgumentError(f"--scheme's segments must be names with the areas that they have, found {names!r}")
    grid = list(product(scheme.scores("r"), scheme.scores("f")))
    named: dict[Cell, str] = {}
    for name, areas in names.items():
        for cell in _cells(name, areas, grid):
            if cell in named:
                raise ArgumentError(
                    f"--scheme must name every cell once, and {_listed([cell])} has two names: "
                    f"{named[cell]!r} and {name!r}"
                )
            named[cell] = name
    holes = [cell for cell in grid if cell not in named]
    if holes:
        raise ArgumentError(f"--scheme must name every cell, and no segment has {_listed(holes)}")
    return named


def _cells(name: str, areas: Any, grid: list[Cell]) -> Iterator[Cell]:
    if not name.strip() or not isinstance(areas, list) or not areas:
        raise ArgumentError(f"--scheme's segments must have a name and a list of areas, found {name!r}: {areas!r}")
    for area in areas:
        match = _AREA.fullmatch(area) if isinstance(area, str) else None
        if match is None:
            raise ArgumentError(f"--scheme's areas must be like 'R1-2 F3', found {area!r} of {name!r}")
        r, until_r, f, until_f = (int(digit) if digit else 0 for digit in match.groups())
        cells = list(product(range(r, max(r, until_r) + 1), range(f, max(f, until_f) + 1)))
        outside = [cell for cell in cells if cell not in grid]
        if outside or 0 < until_r < r or 0 < until_f < f:
            raise ArgumentError(f"--scheme's areas must lie between {_ends(grid)} and rise, found {area!r} of {name!r}")
        yield from cells


def _ends(grid: list[Cell]) -> str:
    return f"{_listed(grid[:1])} and {_listed(grid[-1:])}"


def _listed(cells: list[Cell]) -> str:
    return ", ".join(f"R{r} F{f}" for r, f in cells)
