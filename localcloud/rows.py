"""Rows of a query, printed for people or for programs."""

import csv
import math
from decimal import Decimal
from typing import TextIO

import orjson
import pyarrow as pa
from rich.console import Console
from rich.table import Table


def print_table(rows: pa.Table, out: TextIO) -> None:
    table = Table(*rows.column_names, header_style="bold")
    for row in rows.to_pylist():
        table.add_row(*map(_text, row.values()))
    # A terminal folds long lines as it likes; what goes into a file or a pipe isn't cut at all.
    Console(file=out, width=None if out.isatty() else 10_000, markup=False).print(table)


def print_csv(rows: pa.Table, out: TextIO) -> None:
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(rows.column_names)
    writer.writerows([_text(value) for value in row.values()] for row in rows.to_pylist())


def print_json(rows: pa.Table, out: TextIO) -> None:
    """One array of objects; decimals are numbers with all their digits, times are ISO 8601."""
    out.write(_json(rows.to_pylist()) + "\n")


def _text(value: object) -> str:
    """As CSV has it: nothing for null, JSON for what has parts."""
    if value is None:
        return ""
    if isinstance(value, bool | dict | list | bytes):
        return _json(value).strip('"')
    return f"{value:f}" if isinstance(value, Decimal) else str(value)


def _json(value: object) -> str:
    return orjson.dumps(value, default=_encode).decode()


def _encode(value: object) -> object:
    if isinstance(value, Decimal):
        return orjson.Fragment(f"{value:f}") if math.isfinite(value) else None
    if isinstance(value, bytes):
        return value.decode(errors="backslashreplace")
    raise TypeError(f"{type(value).__name__} has no form in JSON")
