"""Change data capture on plain Delta tables: one function, one law.

The table is a pure function of the set of events seen so far.
"""

from spark_jobs.auto_cdc.api import apply_changes
from spark_jobs.auto_cdc.companion import companion_name, find_companion
from spark_jobs.auto_cdc.errors import (
    ChangeDataError,
    ConcurrentCallError,
    RejectedBatchError,
    SchemaError,
    SpecificationError,
    TargetError,
    TiedEventsWarning,
)
from spark_jobs.auto_cdc.maintenance import forget_events

__all__ = [
    "ChangeDataError",
    "ConcurrentCallError",
    "RejectedBatchError",
    "SchemaError",
    "SpecificationError",
    "TargetError",
    "TiedEventsWarning",
    "apply_changes",
    "companion_name",
    "find_companion",
    "forget_events",
]
