"""How the columns of source, target and companion come together: what is added, what is widened, what is refused."""

from collections.abc import Iterator
from dataclasses import dataclass

from pyspark.sql.types import (
    ArrayType,
    ByteType,
    CalendarIntervalType,
    DataType,
    DateType,
    DecimalType,
    DoubleType,
    FloatType,
    IntegerType,
    LongType,
    MapType,
    NullType,
    ShortType,
    StructField,
    StructType,
    TimestampNTZType,
    VariantType,
)

from spark_jobs.auto_cdc.columns import same_type
from spark_jobs.auto_cdc.errors import SchemaError

_INTEGER_DIGITS: dict[type[DataType], int] = {ByteType: 3, ShortType: 5, IntegerType: 10, LongType: 19}
_INTEGERS = list(_INTEGER_DIGITS)
_MAX_DIGITS = 38
_EXACT_IN_DOUBLE = (ByteType, ShortType, IntegerType, FloatType)


@dataclass(frozen=True)
class Widening:
    """A column, or a field within one, whose type has to grow."""

    path: tuple[str, ...]
    kind: DataType


@dataclass(frozen=True)
class Addition:
    """A column, or a field within one, that is new."""

    path: tuple[str, ...]
    kind: DataType


def orderable(kind: DataType) -> bool:
    match kind:
        case StructType():
            return all(orderable(field.dataType) for field in kind.fields)
        case ArrayType():
            return orderable(kind.elementType)
        case _:
            return not isinstance(kind, MapType | VariantType | CalendarIntervalType | NullType)


def merged_struct(old: StructType, new: StructType, where: str = "", *, grows: bool = True) -> StructType:
    """The fields of both, in `old`'s order and names, each of a type that holds the values of both.

    Raises:
        SchemaError: A field's two types have no common type without loss, or a field is new and `grows` is false.
    """
    ours = {field.name.lower(): field for field in old.fields}
    theirs = {field.name.lower(): field for field in new.fields if not isinstance(field.dataType, NullType)}
    fields = []
    for name, field in ours.items():
        kind = field.dataType
        if name in theirs:
            kind = merged_type(kind, theirs[name].dataType, _within(where, field.name), grows=grows)
        fields.append(StructField(field.name, kind))
    added = [StructField(field.name, field.dataType) for name, field in theirs.items() if name not in ours]
    if added and not grows:
        raise SchemaError(
            f"{where} has the fields {', '.join(sorted(ours))} and can't have others: found {added[0].name} too"
        )
    return StructType(fields + added)


def merged_type(old: DataType, new: DataType, where: str, *, grows: bool = True) -> DataType:
    """The type that holds every value of both.

    Raises:
        SchemaError: There is none.
    """
    match old, new:
        case StructType(), StructType():
            return merged_struct(old, new, where, grows=grows)
        case ArrayType(), ArrayType():
            return ArrayType(merged_type(old.elementType, new.elementType, f"{where}.element", grows=grows))
        case MapType(), MapType():
            key = merged_type(old.keyType, new.keyType, f"{where}.key", grows=grows)
            return MapType(key, merged_type(old.valueType, new.valueType, f"{where}.value", grows=grows))
        case _, NullType():
            return old
        case _ if same_type(old, new):
            return old
    common = _common(old, new)
    if common is None:
        raise SchemaError(
            f"column {where} is {old.simpleString()} in the target and {new.simpleString()} in the source, and no type "
            f"holds both without loss: cast it in the source to {old.simpleString()}"
        )
    return common


def _common(one: DataType, other: DataType) -> DataType | None:
    for narrow, wide in ((one, other), (other, one)):
        if _widens(narrow, wide):
            return wide
    digits = [_digits(kind) for kind in (one, other)]
    if None in digits:
        return None
    whole = max(d[0] for d in digits if d)
    scale = max(d[1] for d in digits if d)
    return DecimalType(whole + scale, scale) if whole + scale <= _MAX_DIGITS else None


def _widens(narrow: DataType, wide: DataType) -> bool:
    """Whether every value of `narrow` is one of `wide`, and Delta can widen a column so."""
    if type(narrow) in _INTEGERS and type(wide) in _INTEGERS:
        return _INTEGERS.index(type(narrow)) < _INTEGERS.index(type(wide))
    if isinstance(wide, DoubleType):
        return isinstance(narrow, _EXACT_IN_DOUBLE)
    return isinstance(narrow, DateType) and isinstance(wide, TimestampNTZType)


def _digits(kind: DataType) -> tuple[int, int] | None:
    """Digits before and after the decimal point."""
    if isinstance(kind, DecimalType):
        return kind.precision - kind.scale, kind.scale
    return (_INTEGER_DIGITS[type(kind)], 0) if type(kind) in _INTEGER_DIGITS else None


def widenings(old: DataType, new: DataType) -> Iterator[Widening]:
    """The parts of `old` that have to grow to become `new`."""
    return (change for change in _growth(old, new) if isinstance(change, Widening))


def inner_additions(old: StructType, new: StructType) -> Iterator[Addition]:
    """The fields that `new` has and `old` lacks within columns that both have."""
    return (change for change in _growth(old, new) if isinstance(change, Addition) and len(change.path) > 1)


def _growth(old: DataType, new: DataType, path: tuple[str, ...] = ()) -> Iterator[Widening | Addition]:
    match old, new:
        case StructType(), StructType():
            ours = {field.name.lower(): field for field in old.fields}
            theirs = {field.name.lower(): field for field in new.fields}
            for name, field in ours.items():
                if name in theirs:
                    yield from _growth(field.dataType, theirs[name].dataType, (*path, field.name))
            yield from (
                Addition((*path, theirs[name].name), theirs[name].dataType) for name in theirs if name not in ours
            )
        case ArrayType(), ArrayType():
            yield from _growth(old.elementType, new.elementType, (*path, "element"))
        case MapType(), MapType():
            yield from _growth(old.keyType, new.keyType, (*path, "key"))
            yield from _growth(old.valueType, new.valueType, (*path, "value"))
        case _ if not same_type(old, new):
            yield Widening(path, new)


def _within(where: str, name: str) -> str:
    return f"{where}.{name}" if where else name
