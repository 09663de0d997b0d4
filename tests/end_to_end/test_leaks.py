import base64
from pathlib import Path
from urllib.parse import quote

import pytest

from tests.end_to_end.leaks import forms, in_files

SECRET = "a+b/c" * 12 + "=="


@pytest.mark.parametrize(
    "written",
    [
        SECRET,
        base64.b64encode(SECRET.encode()).decode(),
        base64.b64encode(f"x:{SECRET}".encode()).decode(),
        base64.b64encode(f"y{SECRET}z".encode()).decode(),
        quote(SECRET, safe=""),
        SECRET.replace("/", "\\/"),
    ],
)
def test_finds_a_secret_in_each_form(tmp_path: Path, written: str) -> None:
    (tmp_path / "log").write_text(f"{'.' * (1 << 20)}key is {written}!")  # lies across two chunks

    assert list(in_files(tmp_path, forms(SECRET), allowed=[])) == [tmp_path / "log"]


def test_leaves_out_where_it_may_be(tmp_path: Path) -> None:
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets" / "storage-key").write_text(SECRET)

    assert list(in_files(tmp_path, forms(SECRET), allowed=[tmp_path / "secrets"])) == []
