"""What a call has to know of its events before it reads anything: measured while they are written."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pyspark.sql import Column
from pyspark.sql import functions as F

from spark_jobs.auto_cdc.bounds import Bound, Field, bounds_of, leading_field
from spark_jobs.auto_cdc.shape import Shape
from spark_jobs.auto_cdc.spec import KEY, SEQUENCE

_TRUNCATES = "truncates"


@dataclass(frozen=True)
class Summary:
    """What some events have in common.

    Attributes:
        truncates: Whether one of them empties the table.
        first_sequence: None of them is earlier; none where the type can't be compared with a literal.
        keys: Between which values the keys lie, where that is known.
    """

    truncates: bool
    first_sequence: Bound | None
    keys: tuple[Bound, ...]


def measures(shape: Shape) -> list[Column]:
    """The aggregates that a summary is made of."""
    fields = [field for field in (_sequence(shape), *_keys(shape)) if field]
    return [F.bool_or(F.col(KEY).isNull()).alias(_TRUNCATES), *(end for field in fields for end in field.aggregates())]


def summary_of(shape: Shape, measured: Mapping[str, Any]) -> Summary:
    return Summary(
        truncates=bool(measured.get(_TRUNCATES)),
        first_sequence=bounds_of(_sequence(shape), measured),
        keys=tuple(bound for field in _keys(shape) if (bound := bounds_of(field, measured))),
    )


def _sequence(shape: Shape) -> Field | None:
    return leading_field((SEQUENCE,), shape.sequence)


def _keys(shape: Shape) -> list[Field | None]:
    return [leading_field((KEY, field.name), field.dataType) for field in shape.key.fields]
