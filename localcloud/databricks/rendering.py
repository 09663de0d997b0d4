"""Templates into pages, with what every page has in common."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from localcloud.databricks.state import Run, now

_POLICY = "default-src 'none'; style-src 'self' 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'"


def render(template: str, status: int = 200, **values: Any) -> HTMLResponse:
    """A page without scripts; `refresh` has it loaded again every two seconds."""
    html = _templates.get_template(template).render({"refresh": False} | values)
    # Other sites learn nothing of where the reader was. With "no-referrer" a browser would hide the origin from this
    # server too, which then takes its own form for a foreign one.
    headers = {"content-security-policy": _POLICY, "cache-control": "no-store", "referrer-policy": "same-origin"}
    return HTMLResponse(html, status_code=status, headers=headers)


def _moment(milliseconds: int) -> str:
    return datetime.fromtimestamp(milliseconds / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S") if milliseconds else ""


def _duration(run: Run) -> str:
    seconds = ((run.end_time or now()) - run.start_time) / 1000
    minutes, rest = divmod(seconds, 60)
    return f"{minutes:.0f} min {rest:.0f} s" if minutes else f"{rest:.1f} s"


_templates = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "pages"), autoescape=True, undefined=StrictUndefined
)
_templates.filters |= {"moment": _moment, "duration": _duration}
