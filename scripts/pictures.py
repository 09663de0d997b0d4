"""Takes the documentation's pictures from the report of the last `make demo`: `python -m scripts.pictures`."""

import sys
from pathlib import Path

from playwright.sync_api import Page

from scripts.browser import NoBrowserError, chromium
from scripts.stages import ROOT

_IMAGES = ROOT / "docs" / "images"
_WIDTH, _HEIGHT = 1180, 900
_SECTIONS = {"clusters": "clusters", "outlook": "offers"}
"""Sections of the report, and what their pictures are called."""


def main() -> None:
    report = ROOT / ".localcloud" / "report" / "index.html"
    if not report.exists():
        sys.exit(f"Error: a report is required at {report}, and there is none: run `make demo`")
    try:
        with chromium() as browser:
            page = browser.new_page(viewport={"width": _WIDTH, "height": _HEIGHT})
            page.goto(report.as_uri())
            _shoot(page)
    except NoBrowserError as error:
        sys.exit(f"Error: {error}")


def _shoot(page: Page) -> None:
    page.screenshot(path=_path("report"))
    for section, name in _SECTIONS.items():
        box = page.locator(f"section#{section}").bounding_box()
        assert box is not None  # noqa: S101 - every report has it
        clip = {"x": 0.0, "y": box["y"], "width": float(_WIDTH), "height": box["height"]}
        page.screenshot(path=_path(name), clip=clip, full_page=True)  # type: ignore[arg-type] # four numbers


def _path(name: str) -> Path:
    return _IMAGES / f"{name}.png"


if __name__ == "__main__":
    main()
