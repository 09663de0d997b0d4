"""A headless browser, for the documentation's pictures and for tests of pages."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, sync_playwright


class NoBrowserError(Exception):
    """Raised when the machine has no Chromium."""


@contextmanager
def chromium() -> Iterator[Browser]:
    """Starts Chromium; `CHROMIUM` names it where it isn't found by itself.

    Raises:
        NoBrowserError: There is none.
    """
    names = ("chromium", "chromium-browser", "google-chrome")
    path = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, names)), None)
    if path is None:
        raise NoBrowserError("a browser is required: apt-get install chromium, or set CHROMIUM to one")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield browser
        browser.close()
