"""How a job reads its command line: `--name=value` pairs into a frozen dataclass."""

import dataclasses
import datetime as dt
import types
import typing
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from spark_jobs.errors import ArgumentError

Config = TypeVar("Config")


def parse_arguments(config: type[Config], argv: Sequence[str]) -> Config:
    """Reads `--field=value` or `--field value` pairs into the frozen dataclass `config`.

    A field without a default is required; an empty value counts as absent.
    Field types: `str`, `int`, `float`, `bool`, `datetime.date`, each also as `X | None`.

    Raises:
        ArgumentError: An argument is unknown, missing, or can't be read as its field's type.
    """
    assert dataclasses.is_dataclass(config)  # noqa: S101 - a programming error, not an input
    fields = {field.name: field for field in dataclasses.fields(config)}
    hints = typing.get_type_hints(config)
    values = {}
    for name, text in _pairs(argv):
        if name not in fields:
            raise ArgumentError(f"unknown argument --{name}: expected one of {_listed(fields)}")
        if text != "":
            values[name] = _converted(name, text, hints[name])
    for name, field in fields.items():
        required = field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
        if required and name not in values:
            raise ArgumentError(f"--{name} is required and was not given: pass --{name}=<{hints[name].__name__}>")
    return config(**values)


def divided(argv: Sequence[str], *, prefix: str) -> tuple[list[str], list[str]]:
    """The arguments whose names begin with a prefix, and the others.

    Raises:
        ArgumentError: One of them isn't of the form that all have.
    """
    parts: tuple[list[str], list[str]] = ([], [])
    for name, text in _pairs(argv):
        parts[not name.startswith(prefix)].append(f"--{name}={text}")
    return parts


def _pairs(argv: Sequence[str]) -> list[tuple[str, str]]:
    pairs = []
    words = iter(argv)
    for word in words:
        if not word.startswith("--"):
            raise ArgumentError(f"expected --name=value, found {word!r}")
        name, equals, text = word[2:].partition("=")
        pairs.append((name.replace("-", "_"), text if equals else next(words, "")))
    return pairs


def _converted(name: str, text: str, hint: Any) -> Any:
    kind = _without_none(hint)
    try:
        return _CONVERTERS[kind](text)
    except ValueError:
        raise ArgumentError(f"--{name} must be {_FORMS[kind]}, found {text!r}") from None


def _without_none(hint: Any) -> Any:
    if typing.get_origin(hint) in (types.UnionType, typing.Union):
        return next(part for part in typing.get_args(hint) if part is not type(None))
    return hint


def _boolean(text: str) -> bool:
    known = {"true": True, "1": True, "false": False, "0": False}
    if text.lower() not in known:
        raise ValueError(text)
    return known[text.lower()]


def _date(text: str) -> dt.date:
    return dt.datetime.strptime(text, "%Y-%m-%d").date()  # noqa: DTZ007 - a date has no zone; fromisoformat takes more


_CONVERTERS: dict[type, Callable[[str], Any]] = {
    str: str,
    int: int,
    float: float,
    bool: _boolean,
    dt.date: _date,
}
_FORMS: dict[type, str] = {
    str: "text",
    int: "a whole number",
    float: "a number",
    bool: "true or false",
    dt.date: "a date as YYYY-MM-DD",
}


def _listed(names: typing.Iterable[str]) -> str:
    return ", ".join(f"--{name}" for name in sorted(names))
