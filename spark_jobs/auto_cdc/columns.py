"""Expressions over columns of any type: quoting, comparing, conforming, and folding events into one row."""

from collections.abc import Callable, Iterable
from functools import reduce
from operator import or_

from pyspark.sql import Column
from pyspark.sql import functions as F
from pyspark.sql.types import ArrayType, DataType, MapType, StringType, StructType, VariantType

from spark_jobs.sql import quoted

_BINARY_COLLATION = "UTF8_BINARY"


def column(*path: str) -> Column:
    return F.col(quoted(*path))


def struct(names: Iterable[str], *, within: str | None = None) -> Column:
    path = () if within is None else (within,)
    return F.struct(*[column(*path, name).alias(name) for name in names])


def same_type(one: DataType, other: DataType) -> bool:
    """Whether two types differ in nullability at most."""
    return one.simpleString() == other.simpleString()


def comparable(value: Column, kind: DataType) -> Column:
    """The value in a form that `<`, `<=>` and `max` accept, and under which only equal values are equal.

    Maps become sorted entries, variants their JSON, collated strings their code points.
    """
    if not _needs_form(kind):
        return value
    match kind:
        case MapType():
            return F.array_sort(comparable(F.map_entries(value), _entries(kind)))
        case ArrayType():
            return F.transform(value, lambda element: comparable(element, kind.elementType))
        case StructType():
            fields = [comparable(value.getField(f.name), f.dataType).alias(f.name) for f in kind.fields]
            return F.when(value.isNotNull(), F.struct(*fields))
        case VariantType():
            return F.to_json(value)
        case _:
            return F.collate(value, _BINARY_COLLATION)


def _needs_form(kind: DataType) -> bool:
    match kind:
        case StructType():
            return any(_needs_form(field.dataType) for field in kind.fields)
        case ArrayType():
            return _needs_form(kind.elementType)
        case StringType():
            return bool(kind.collation != _BINARY_COLLATION)
        case _:
            return isinstance(kind, MapType | VariantType)


def _entries(kind: MapType) -> ArrayType:
    return ArrayType(StructType().add("key", kind.keyType).add("value", kind.valueType))


def conformed(value: Column, have: DataType, want: DataType) -> Column:
    """Casts `value` from one type to another that holds all of it, by field name; a field that it lacks is null."""
    if same_type(have, want):
        return value
    match have, want:
        case StructType(), StructType():
            return F.when(value.isNotNull(), F.struct(*conformed_fields(value.getField, have, want)))
        case ArrayType(), ArrayType():
            return F.transform(value, lambda element: conformed(element, have.elementType, want.elementType))
        case MapType(), MapType():
            keys = F.transform(F.map_keys(value), lambda key: conformed(key, have.keyType, want.keyType))
            values = F.transform(F.map_values(value), lambda v: conformed(v, have.valueType, want.valueType))
            return F.map_from_arrays(keys, values)
        case _:
            return value.cast(want)


def conformed_fields(read: Callable[[str], Column], have: StructType, want: StructType) -> list[Column]:
    """One column per field of `want`, read by name from where `have` describes; names match without case."""
    known = {field.name.lower(): field for field in have.fields}
    columns = []
    for field in want.fields:
        source = known.get(field.name.lower())
        value = F.lit(None).cast(field.dataType) if source is None else read(source.name)
        have_type = field.dataType if source is None else source.dataType
        columns.append(conformed(value, have_type, field.dataType).alias(field.name))
    return columns


def folded(value: Column, kind: DataType, last_said: Callable[[Column], Column]) -> Column:
    """Folds the events' values into one, leaf by leaf; null says nothing, and so does a struct of nothing but nulls.

    Args:
        value: The events' column.
        kind: Its type; a struct's fields are folded each on their own.
        last_said: Makes of a column its last value that is not null: an aggregate or a window function.
    """
    if not isinstance(kind, StructType):
        return last_said(value)
    fields = folded_fields(value, kind, last_said)
    return F.when(reduce(or_, [field.isNotNull() for field in fields]), F.struct(*fields))


def folded_fields(value: Column, kind: StructType, last_said: Callable[[Column], Column]) -> list[Column]:
    return [folded(value.getField(f.name), f.dataType, last_said).alias(f.name) for f in kind.fields]
