"""What a call asks for, checked as far as it can be without looking at any table."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from pyspark.sql import Column
from pyspark.sql.types import DataType, StructType

from spark_jobs.auto_cdc.errors import SpecificationError
from spark_jobs.auto_cdc.schema import orderable

ScdType = Literal[1, 2]

START_AT = "__START_AT"
END_AT = "__END_AT"
KEY = "__KEY"
SEQUENCE = "__SEQUENCE"
DELETE = "__DELETE"
ROW = "__ROW"
PART = "__PART"
LOGGED_AT = "__LOGGED_AT"
RESERVED = (START_AT, END_AT, KEY, SEQUENCE, DELETE, ROW, PART, LOGGED_AT)


@dataclass(frozen=True)
class Choice:
    """Some of a table's columns: those named, all but those named, or all.

    Attributes:
        argument: The arguments' common name, for messages.
        only: The columns chosen.
        all_but: The columns not chosen.
    """

    argument: str
    only: tuple[str, ...] | None = None
    all_but: tuple[str, ...] | None = None

    @classmethod
    def of(cls, argument: str, only: Sequence[str] | None, all_but: Sequence[str] | None) -> "Choice":
        return cls(argument, _names(argument, only), _names(argument, all_but))

    def __post_init__(self) -> None:
        if self.only is not None and self.all_but is not None:
            raise SpecificationError(f"{self.argument} are two ways to say the same: found both, pass one of them")

    @property
    def is_everything(self) -> bool:
        return self.only is None and self.all_but is None

    def picks(self, name: str) -> bool:
        if self.only is not None:
            return has_name(self.only, name)
        return self.all_but is None or not has_name(self.all_but, name)

    def check(self, known: Iterable[str]) -> None:
        """Raises SpecificationError when a chosen column isn't among `known`."""
        require_columns(self.argument, self.only or self.all_but or (), known)


@dataclass(frozen=True)
class Spec:
    """One call of `apply_changes` without its source.

    Attributes:
        target: Name of the table.
        keys: Columns that identify what a row is about.
        sequence_by: Orders the events of a key.
        deletes: Condition of the events that delete; null counts as false.
        truncates: Condition of the events that empty the table; null counts as false.
        ignores_nulls: Whether a null column keeps what was said before.
        scd_type: 1 keeps the latest row of each key, 2 every version.
        kept: Columns of the source that the target has.
        tracked: Columns whose change opens a new version.
    """

    target: str
    keys: tuple[str, ...]
    sequence_by: Column
    deletes: Column
    truncates: Column
    ignores_nulls: bool
    scd_type: ScdType
    kept: Choice
    tracked: Choice

    @property
    def shows_every_event(self) -> bool:
        """Whether a type-2 row holds exactly what its first event said, so that the event can be read back from it."""
        return not self.ignores_nulls and self.tracked.is_everything

    def check_source(self, source: StructType, sequence: DataType) -> None:
        """Raises SpecificationError when the source can't be what the call says that it is."""
        require_columns("keys", self.keys, source.names)
        for name in self.keys:
            _require_orderable(f"key column {name}", _type_of(source, name))
            if not self.kept.picks(name):
                raise SpecificationError(f"key column {name} must be kept in the target: {self.kept.argument} drop it")
        _require_orderable("sequence_by", sequence)
        taken = [name for name in source.names if has_name(RESERVED, name) and self.kept.picks(name)]
        if taken:
            raise SpecificationError(f"columns named {taken[0]} are reserved and the source has one: rename or drop it")


def has_name(names: Iterable[str], name: str) -> bool:
    """Whether `name` is among `names`; as in Spark, case does not count."""
    return name.lower() in {known.lower() for known in names}


def require_columns(argument: str, wanted: Iterable[str], known: Iterable[str]) -> None:
    known = list(known)
    unknown = [name for name in wanted if not has_name(known, name)]
    if unknown:
        raise SpecificationError(
            f"{argument} must name existing columns: found {', '.join(unknown)}, expected some of {', '.join(known)}"
        )


def _names(argument: str, names: Sequence[str] | None) -> tuple[str, ...] | None:
    if isinstance(names, str):
        raise SpecificationError(f"{argument} take a list of column names: found the text {names!r}, pass [{names!r}]")
    return None if names is None else tuple(names)


def _type_of(schema: StructType, name: str) -> DataType:
    return next(field.dataType for field in schema.fields if field.name.lower() == name.lower())


def _require_orderable(what: str, kind: DataType) -> None:
    if not orderable(kind):
        raise SpecificationError(
            f"{what} must be of a type that can be ordered: found {kind.simpleString()}, pass a column of numbers, "
            f"text, times, or a struct of them"
        )
