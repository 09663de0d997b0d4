"""The picture of the clusters: a scatter of the sampled customers, as inline SVG."""

import io
import re
from collections.abc import Sequence
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from spark_jobs.report.content import ClusterCard, Clusters, Point

# Dark enough for text on white (contrast 4.5 and more), and apart for every common kind of colour blindness; the shapes
# tell the clusters apart without any colour.
COLOURS = ("#0b5d66", "#b23c0a", "#5a3d9a", "#3d7317", "#a31d55", "#7a5a00", "#1d4fa3", "#4b5560")
_SHAPES = ("o", "s", "^", "D", "v", "P", "X", "p")
_INK, _GRID = "#3a4149", "#e4e2dc"
_DAYS = (0, 1, 3, 7, 14, 30, 60, 120, 365, 1_000)
_MONEY = (1, 3, 10, 30, 100, 300, 1_000, 3_000, 10_000, 30_000, 100_000)
_SETTINGS: Any = {
    "svg.fonttype": "none",  # text stays text: small, sharp, and read aloud
    "svg.hashsalt": "clusters",  # the same picture has the same ids each time
    "font.family": "sans-serif",
    "font.sans-serif": ["system-ui", "Segoe UI", "Roboto", "Helvetica", "Arial", "DejaVu Sans"],
    "font.size": 10.5,
}


def colour(cluster_id: int) -> str:
    return COLOURS[cluster_id % len(COLOURS)]


def picture(clusters: Clusters) -> str:
    """An `<svg>` element that fits itself to the width it is given."""
    with mpl.rc_context(_SETTINGS):
        figure = Figure(figsize=(5.0, 4.9), layout="constrained", facecolor="none")
        axes = figure.add_subplot(facecolor="none")
        for card in clusters.cards:
            own = [point for point in clusters.sample if point.cluster_id == card.cluster.cluster_id]
            _draw_customers(axes, card.cluster.cluster_id, own)
        _label_axes(axes)
        for card in clusters.cards:
            _draw_centre(axes, card)
        svg = io.StringIO()
        figure.savefig(svg, format="svg", metadata={"Date": None, "Creator": None, "Format": None, "Type": None})
    return _inline(svg.getvalue(), _description(clusters))


def _draw_customers(axes: Axes, cluster_id: int, points: Sequence[Point]) -> None:
    axes.scatter(
        np.log1p([point.recency_days for point in points]),
        np.log1p([point.monetary for point in points]),
        s=13,
        c=colour(cluster_id),
        marker=_SHAPES[cluster_id % len(_SHAPES)],
        alpha=0.45,
        linewidths=0,
    )


def _draw_centre(axes: Axes, card: ClusterCard) -> None:
    days, _, money = card.typical
    own = colour(card.cluster.cluster_id)
    axes.annotate(
        str(card.cluster.cluster_id),
        (float(np.log1p(days)), float(np.log1p(money))),
        ha="center",
        va="center",
        color="white",
        fontweight="bold",
        fontsize=12,
        bbox={"boxstyle": "circle,pad=0.35", "facecolor": own, "edgecolor": "white", "linewidth": 2},
    )


def _label_axes(axes: Axes) -> None:
    axes.set_xlabel("Days since the last order, more recent to the right", color=_INK)
    axes.set_ylabel("Spent, in EUR", color=_INK)
    axes.invert_xaxis()
    _set_ticks(axes, "x", _DAYS)
    _set_ticks(axes, "y", _MONEY)
    axes.grid(color=_GRID, linewidth=0.8)
    axes.set_axisbelow(True)
    axes.tick_params(length=0, colors=_INK)
    for spine in axes.spines.values():
        spine.set_visible(False)


def _set_ticks(axes: Axes, which: str, values: Sequence[int]) -> None:
    axis, limits = (axes.xaxis, axes.get_xlim()) if which == "x" else (axes.yaxis, axes.get_ylim())
    shown = [value for value in values if min(limits) <= np.log1p(value) <= max(limits)]
    axis.set_ticks([float(np.log1p(value)) for value in shown], [f"{value:,}" for value in shown])


def _description(clusters: Clusters) -> str:
    """What the picture shows, in words."""
    centres = "; ".join(
        f"{card.cluster.cluster_id}, {card.cluster.name}: {card.typical[0]:.0f} days, {card.typical[2]:,.0f} EUR"
        for card in clusters.cards
    )
    return (
        f"Scatter of {len(clusters.sample):,} customers by days since the last order and by money spent, both on log "
        f"scales, coloured by cluster. Centres: {centres}."
    )


def _inline(document: str, description: str) -> str:
    """The `<svg>` element alone, as wide as its surroundings, with a text for those who don't see it."""
    svg = document[document.index("<svg") :]
    svg = re.sub(r' (width|height)="[\d.]+pt"', "", svg, count=2)
    return svg.replace("<svg ", f'<svg role="img" aria-label="{escaped(description)}" ', 1)


def escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace('"', "&quot;").replace("<", "&lt;")
