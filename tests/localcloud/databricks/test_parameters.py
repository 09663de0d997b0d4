"""Values in SQL statements: where they go, and that they stay values."""

import pytest

from localcloud.databricks.engine.statement import Parameter, QueryError, bind


def bound(statement: str, **values: str) -> str:
    return bind(statement, [Parameter(name, value, "INT") for name, value in values.items()])


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        ("SELECT :a, :a+:bb", "SELECT 1, 1+2"),
        ("SELECT ':a', \":a\", `:a`, :a", "SELECT ':a', \":a\", `:a`, 1"),
        (r"SELECT 'it\'s :a', :a", r"SELECT 'it\'s :a', 1"),
        (r"SELECT r'\', :a", r"SELECT r'\', 1"),
        ("SELECT 1 -- :x\n, :a /* :y\n */", "SELECT 1 -- :x\n, 1 /* :y\n */"),
        ("SELECT :a::string, '10:15'", "SELECT 1::string, '10:15'"),
    ],
)
def test_only_names_outside_of_texts_and_comments_are_parameters(statement: str, expected: str) -> None:
    assert bound(statement, a="1", bb="2") == expected


def test_a_text_is_never_read_as_sql() -> None:
    hostile = "x' OR ':a' = ':a' -- "
    text = Parameter("a", hostile, "STRING").literal()
    assert text == f"CAST(X'{hostile.encode().hex()}' AS STRING)"
    assert bind("SELECT :a", [Parameter("a", hostile, "STRING")]) == f"SELECT {text}"


@pytest.mark.parametrize(
    ("value", "kind", "text"),
    [("12.50", "DECIMAL(10,2)", "12.50"), ("2026-01-31", "DATE", "2026-01-31"), ("true", "BOOLEAN", "True")],
)
def test_other_values_are_cast_from_their_text(value: str, kind: str, text: str) -> None:
    assert Parameter("a", value, kind).literal() == f"CAST(CAST(X'{text.encode().hex()}' AS STRING) AS {kind})"


def test_numbers_and_nothing_are_what_they_are() -> None:
    literals = [Parameter("a", value, "INT").literal() for value in ("7", "-7", None)]
    assert literals == ["7", "(-7)", "CAST(NULL AS INT)"]


def test_a_name_without_a_value_is_refused() -> None:
    with pytest.raises(QueryError, match="Found the unbound parameter: b"):
        bound("SELECT :a, :b", a="1")
