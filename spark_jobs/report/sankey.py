"""The picture of migrations: clusters before and after, with bands as wide as the customers between them."""

from collections.abc import Iterable

from spark_jobs.report.content import Migrations, Move
from spark_jobs.report.picture import colour, escaped

# Text keeps its size on a phone: the picture is as wide as a phone's page, and grows little on a desk.
_WIDTH, _HEIGHT = 360, 320
_TOP, _GAP, _BAR = 22, 16, 12
_LEFT, _RIGHT = 64, _WIDTH - 64
_THINNEST = 1.2
_TOLD = 3

Span = tuple[float, float]
"""Where a cluster's bar starts, and how high it is."""


def sankey(migrations: Migrations, from_day: str, to_day: str) -> str:
    """An `<svg>` element that fits itself to the width it is given."""
    origins, targets = _spans(migrations, "origin"), _spans(migrations, "target")
    parts = [
        _heading(0, "start", from_day),
        _heading(_WIDTH, "end", to_day),
        *_bands(migrations, origins, targets),
        *_bars(migrations, "origin", origins),
        *_bars(migrations, "target", targets),
    ]
    label = escaped(_description(migrations, from_day, to_day))
    return f'<svg role="img" aria-label="{label}" viewBox="0 0 {_WIDTH} {_HEIGHT}">{"".join(parts)}</svg>'


def _spans(migrations: Migrations, side: str) -> dict[int, Span]:
    """One below the other, in order of the clusters' ids."""
    totals = _totals(migrations.moves, side)
    unit = (_HEIGHT - _TOP - _GAP * len(totals)) / migrations.customers
    spans, top = {}, float(_TOP)
    for cluster, customers in sorted(totals.items()):
        spans[cluster] = (top, customers * unit)
        top += customers * unit + _GAP
    return spans


def _totals(moves: Iterable[Move], side: str) -> dict[int, int]:
    totals: dict[int, int] = {}
    for move in moves:
        cluster, _ = getattr(move, side)
        totals[cluster] = totals.get(cluster, 0) + move.customers
    return totals


def _bands(migrations: Migrations, origins: dict[int, Span], targets: dict[int, Span]) -> list[str]:
    starts, ends = ({cluster: top for cluster, (top, _) in spans.items()} for spans in (origins, targets))
    unit = sum(height for _, height in origins.values()) / migrations.customers
    bands = []
    for move in migrations.moves:
        (origin, _), (target, _) = move.origin, move.target
        height = move.customers * unit
        bands.append(_band(starts[origin], ends[target], max(height, _THINNEST), colour(origin)))
        starts[origin] += height
        ends[target] += height
    return bands


def _band(start: float, end: float, height: float, fill: str) -> str:
    left, right, middle = _LEFT + _BAR, _RIGHT - _BAR, _WIDTH / 2
    below, below_end = start + height, end + height
    upper = f"M{left} {start:.1f}C{middle} {start:.1f} {middle} {end:.1f} {right} {end:.1f}"
    lower = f"V{below_end:.1f}C{middle} {below_end:.1f} {middle} {below:.1f} {left} {below:.1f}Z"
    return f'<path d="{upper}{lower}" fill="{fill}" fill-opacity="0.4"/>'


def _bars(migrations: Migrations, side: str, spans: dict[int, Span]) -> list[str]:
    totals = _totals(migrations.moves, side)
    return [_bar(side, cluster, totals[cluster], *span) for cluster, span in spans.items()]


def _bar(side: str, cluster: int, customers: int, top: float, height: float) -> str:
    is_origin = side == "origin"
    x, text_x, anchor = (_LEFT, _LEFT - 6, "end") if is_origin else (_RIGHT - _BAR, _RIGHT + 6, "start")
    own, middle = colour(cluster), top + height / 2 + 4
    name = f'<tspan font-weight="700" fill="{own}">{cluster}</tspan>'
    words = f"{customers:,} {name}" if is_origin else f"{name} {customers:,}"
    return (
        f'<rect x="{x}" y="{top:.1f}" width="{_BAR}" height="{max(height, _THINNEST):.1f}" fill="{own}"/>'
        f'<text x="{text_x}" y="{middle:.1f}" text-anchor="{anchor}" font-size="12">{words}</text>'
    )


def _heading(x: float, anchor: str, words: str) -> str:
    return f'<text x="{x}" y="12" text-anchor="{anchor}" font-size="11" fill="#545c65">{words}</text>'


def _description(migrations: Migrations, from_day: str, to_day: str) -> str:
    """What the picture shows, in words."""
    changes = migrations.changes
    moved = sum(move.customers for move in changes)
    told = "; ".join(f"{move.customers:,} from {move.origin[1]} to {move.target[1]}" for move in changes[:_TOLD])
    return (
        f"Clusters of {migrations.customers:,} customers on {from_day} and on {to_day}: "
        f"{migrations.customers - moved:,} stayed, {moved:,} moved{': ' + told if told else ''}."
    )
