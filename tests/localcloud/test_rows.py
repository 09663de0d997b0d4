"""Rows keep their exact values in every form."""

import datetime as dt
import io
import json
from decimal import Decimal

import pyarrow as pa
import pytest

from localcloud.rows import print_csv, print_json, print_table

_TYPES = pa.schema(
    [
        ("id", pa.int64()),
        ("amount", pa.decimal128(18, 2)),
        ("day", pa.date32()),
        ("at", pa.timestamp("us", "UTC")),
        ("name", pa.string()),
        ("is_current", pa.bool_()),
        ("parts", pa.struct([("x", pa.int32()), ("tags", pa.list_(pa.string()))])),
        ("share", pa.float64()),
    ]
)
_ROWS = pa.Table.from_pylist(
    [
        {
            "id": 9007199254740993,
            "amount": Decimal("12.50"),
            "day": dt.date(2026, 1, 31),
            "at": dt.datetime(2026, 1, 31, 10, 15, tzinfo=dt.UTC),
            "name": 'Zoë "the" reader, 2nd',
            "is_current": True,
            "parts": {"x": 1, "tags": ["a", "b"]},
            "share": 0.1,
        },
        dict.fromkeys(_TYPES.names) | {"id": 2, "share": float("nan")},
    ],
    _TYPES,
)


def _printed(form: object) -> str:
    out = io.StringIO()
    assert callable(form)
    form(_ROWS, out)
    return out.getvalue()


def test_json_is_one_array_of_objects() -> None:
    first, second = json.loads(_printed(print_json), parse_float=Decimal)
    assert first == {
        "id": 9007199254740993,
        "amount": Decimal("12.50"),
        "day": "2026-01-31",
        "at": "2026-01-31T10:15:00+00:00",
        "name": 'Zoë "the" reader, 2nd',
        "is_current": True,
        "parts": {"x": 1, "tags": ["a", "b"]},
        "share": Decimal("0.1"),
    }
    assert second == dict.fromkeys(_TYPES.names) | {"id": 2}


def test_json_keeps_all_digits_of_a_decimal() -> None:
    assert '"amount":12.50,' in _printed(print_json)


def test_no_rows_are_an_empty_array() -> None:
    out = io.StringIO()
    print_json(_ROWS.slice(0, 0), out)
    assert out.getvalue() == "[]\n"


def test_csv_quotes_what_needs_it() -> None:
    assert _printed(print_csv) == (
        "id,amount,day,at,name,is_current,parts,share\n"
        '9007199254740993,12.50,2026-01-31,2026-01-31 10:15:00+00:00,"Zoë ""the"" reader, 2nd",true,'
        '"{""x"":1,""tags"":[""a"",""b""]}",0.1\n'
        "2,,,,,,,nan\n"
    )


@pytest.mark.parametrize("text", ["9007199254740993", "12.50", "2026-01-31", 'Zoë "the" reader, 2nd', '["a","b"]'])
def test_a_table_in_a_pipe_is_not_cut(text: str) -> None:
    assert text in _printed(print_table)


def test_a_table_shows_brackets_as_they_are() -> None:
    out = io.StringIO()
    print_table(pa.table({"name": ["[red]not markup[/red]"]}), out)
    assert "[red]not markup[/red]" in out.getvalue()
