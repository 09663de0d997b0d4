"""Warns of different events with one key and one sequence, counted while the target is written."""

import warnings
from dataclasses import dataclass, field

from pyspark.sql import DataFrame, Observation
from pyspark.sql import functions as F

from spark_jobs.auto_cdc.errors import TiedEventsWarning
from spark_jobs.auto_cdc.spec import KEY, SEQUENCE

TIED = "__TIED"


@dataclass(frozen=True)
class TieWatch:
    """Counts the tied events of one statement and keeps two as examples."""

    observation: Observation = field(default_factory=Observation)

    def over(self, events: DataFrame) -> DataFrame:
        """Watches events that say in the column `__TIED` whether they were tied."""
        tie = F.when(F.col(TIED), F.to_json(F.struct(F.col(KEY).alias("key"), F.col(SEQUENCE).alias("sequence"))))
        return events.observe(
            self.observation, F.count(tie).alias("count"), F.min(tie).alias("least"), F.max(tie).alias("greatest")
        )

    def warn(self, target: str) -> None:
        seen = self.observation.get
        if seen.get("count"):
            examples = " and ".join(sorted({seen["least"], seen["greatest"]}))
            warnings.warn(
                f"{seen['count']} times {target} was given different events with one key and one sequence, such as "
                f"{examples}: a delete wins, else the greatest values; make sequence_by finer",
                TiedEventsWarning,
                stacklevel=2,
            )
