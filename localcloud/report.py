"""The newest report, as a file that a browser opens."""

from pathlib import Path

from localcloud.databricks.sql import query
from localcloud.errors import LocalCloudError
from localcloud.home import Home, write_private

_NEWEST = "SELECT html FROM gold.reports ORDER BY snapshot_date DESC LIMIT 1"


def write_newest_report(home: Home) -> Path:
    """Writes the report of the latest partition that has one; returns the file.

    Raises:
        LocalCloudError: No report has been made yet.
    """
    pages = query(home, _NEWEST).column("html").to_pylist()
    if not pages:
        raise LocalCloudError("gold.reports should hold a report and is empty: run the DAG segment_customers first")
    path = home.report / "index.html"
    write_private(path, pages[0])
    return path
