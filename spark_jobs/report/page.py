"""The page itself: content into the template."""

import datetime as dt
from decimal import Decimal

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from spark_jobs.report.actions import ACTIONS
from spark_jobs.report.content import Report
from spark_jobs.report.gaps import Gap
from spark_jobs.report.picture import colour, picture
from spark_jobs.report.sankey import sankey
from spark_jobs.schema_changes import ADDED, CHANGED, IGNORED
from spark_jobs.segmentation.drift import WORTH_KNOWING
from spark_jobs.segmentation.features import FEATURES
from spark_jobs.segmentation.silhouette import SAMPLE_SIZE, TOLERANCE
from spark_jobs.transforms.rfm import SEGMENTS

_FEATURE_NAMES = {
    "recency_days": "Recency",
    "frequency": "Frequency",
    "monetary": "Spending",
    "rfm_segment": "Segment shares",
    "cluster_id": "Cluster shares",
}
_CHANGES = {
    ADDED: "new, and a column now",
    IGNORED: "new, and kept in value alone",
    CHANGED: "of another type, and quarantined",
}
_IN_COMMON = {
    "recency_days": "ordered last {} days ago",
    "frequency": "have made {} orders",
    "monetary": "have spent €{:,.2f}",
}
"""What customers with the same value have in common."""
_ABSENT = "\N{EN DASH}"


def render(report: Report) -> str:
    """One HTML document without scripts, and without anything that it would have to load."""
    environment = Environment(
        loader=PackageLoader("spark_jobs.report", "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "number": number,
        "money": money,
        "share": share,
        "day": day,
        "explained": explained,
        "points": points,
        "more_money": more_money,
        "colour": colour,
        "feature_name": _FEATURE_NAMES.__getitem__,
    }
    return environment.get_template("page.html.j2").render(
        report=report,
        picture=Markup(picture(report.clusters)) if report.clusters else None,  # noqa: S704 - drawn here, no input
        sankey=_sankey(report),
        actions=ACTIONS,
        cell_names=SEGMENTS,
        change_words=_CHANGES,
        scores=range(1, 6),
        features=FEATURES,
        tolerance=TOLERANCE,
        worth_knowing=WORTH_KNOWING,
        silhouette_sample=SAMPLE_SIZE,
    )


def _sankey(report: Report) -> Markup | None:
    if report.migrations is None:
        return None
    days = (day(report.migrations.from_date), day(report.snapshot_date))
    return Markup(sankey(report.migrations, *days))  # noqa: S704 - drawn here, names are escaped


def number(value: float | None) -> str:
    return _ABSENT if value is None else f"{value:,.0f}"


def money(value: Decimal | float) -> str:
    """Whole euros from 100 on, cents below."""
    return f"€{value:,.0f}" if value >= 100 else f"€{value:,.2f}"  # noqa: PLR2004 - said in the docstring


def share(part: Decimal | float, whole: Decimal | float) -> str:
    return f"{100 * float(part) / float(whole):.1f}%" if whole else _ABSENT


def explained(gap: Gap) -> str:
    """Why nobody has some scores."""
    scores = " or ".join(f"{gap.metric[0].upper()}{score}" for score in gap.scores)
    value = gap.value if gap.metric == "monetary" else int(gap.value)
    common = _IN_COMMON[gap.metric].format(value)
    common = common.replace(" 1 days", " 1 day").replace(" 1 orders", " 1 order")
    return f"Nobody has {scores}: more than a fifth of the customers {common}, and equal values get equal scores."


def points(difference: float | None) -> str:
    """A difference of two shares, in percentage points."""
    return _ABSENT if difference is None else f"{100 * difference:+.1f} pp"


def more_money(difference: float | None) -> str:
    """A difference of two amounts, with its sign."""
    return _ABSENT if difference is None else f"{'-' if difference < 0 else '+'}{money(abs(difference))}"


def day(date: dt.date) -> str:
    return f"{date.day} {date:%B %Y}"
