"""What a target says of itself in its properties: whose companion it has, and how its calls have written it."""

import json
import uuid
from dataclasses import dataclass

from pyspark.sql import SparkSession

from spark_jobs.auto_cdc.ddl import Definition, set_properties
from spark_jobs.auto_cdc.errors import TargetError
from spark_jobs.auto_cdc.spec import START_AT, Spec

ID = "auto_cdc.id"
_KEYS = "auto_cdc.keys"
_SCD_TYPE = "auto_cdc.scd_type"
_IGNORES_NULLS = "auto_cdc.ignores_nulls"
_LEAVES_UNTRACKED = "auto_cdc.leaves_untracked"


@dataclass(frozen=True)
class Habits:
    """How a target has been written so far.

    Attributes:
        scd_type: 1 or 2.
        ignores_nulls: Whether a call has ignored nulls; true where that was never recorded.
        leaves_untracked: Whether a call has left columns untracked; true where that was never recorded.
    """

    scd_type: int
    ignores_nulls: bool
    leaves_untracked: bool


def habits_of(target: Definition) -> Habits:
    """Reads what the calls have recorded.

    Raises:
        TargetError: No call has written the table.
    """
    if ID not in target.properties:
        raise TargetError(f"{target.name} must have been written by apply_changes: found a table without {ID}")
    ignores, untracked = (target.properties.get(name) != "false" for name in (_IGNORES_NULLS, _LEAVES_UNTRACKED))
    return Habits(int(target.properties[_SCD_TYPE]), ignores, untracked)


def require_same_kind(spec: Spec, target: Definition) -> None:
    shown = 2 if START_AT in target.schema.names else 1
    found_type = int(target.properties.get(_SCD_TYPE, shown if shown > 1 else spec.scd_type))
    if found_type != spec.scd_type:
        raise TargetError(
            f"{target.name} was stored as SCD type {found_type} and the call asks for type {spec.scd_type}: pass "
            f"stored_as_scd_type={found_type}, or choose another target"
        )
    found_keys = json.loads(target.properties.get(_KEYS, json.dumps(_sorted_keys(spec))))
    if found_keys != _sorted_keys(spec):
        raise TargetError(
            f"{target.name} has the keys {', '.join(found_keys)} and the call's are {', '.join(_sorted_keys(spec))}: "
            f"pass keys={found_keys}, or choose another target"
        )


def own_properties(spec: Spec) -> dict[str, str]:
    identity = {ID: str(uuid.uuid4()), _KEYS: json.dumps(_sorted_keys(spec)), _SCD_TYPE: str(spec.scd_type)}
    return identity | _habits(spec)


def _habits(spec: Spec) -> dict[str, str]:
    """What decides how much of its events a table shows."""
    habits = {_IGNORES_NULLS: spec.ignores_nulls, _LEAVES_UNTRACKED: not spec.tracked.is_everything}
    return {name: json.dumps(value) for name, value in habits.items()}


def record_habits(spark: SparkSession, spec: Spec, target: Definition) -> None:
    """Once true is true for good: what one call has remembered for it, no maintenance may take for superfluous."""
    new = {name: value for name, value in _habits(spec).items() if value == "true" != target.properties.get(name)}
    if new:
        set_properties(spark, target.name, new)


def _sorted_keys(spec: Spec) -> list[str]:
    return sorted(name.lower() for name in spec.keys)
