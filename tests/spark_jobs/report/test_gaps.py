"""Why nobody has a score: told from the thresholds of the fifths."""

import random
from collections import Counter
from decimal import Decimal

import pytest
from pyspark.sql import Row

from spark_jobs.report.gaps import Gap, gaps_in


def thresholds(metric: str, *scores: tuple[int, int]) -> list[Row]:
    """A metric's scores from 1 on: the best value, and how many customers have the score."""
    return [
        Row(metric=metric, score=score, best_value=Decimal(best) if customers else None, customers=customers)
        for score, (best, customers) in enumerate(scores, 1)
    ]


def test_a_gap_is_told_by_the_value_below_it() -> None:
    rows = [
        *thresholds("frequency", (1, 50), (0, 0), (0, 0), (3, 30), (9, 20)),
        *thresholds("monetary", (10, 20), (20, 20), (30, 20), (40, 20), (50, 20)),
        *thresholds("recency_days", (300, 20), (0, 0), (60, 40), (7, 40), (0, 0)),
    ]

    assert gaps_in(rows) == (
        Gap("frequency", (2, 3), Decimal(1)),
        Gap("recency_days", (2,), Decimal(300)),
        Gap("recency_days", (5,), Decimal(7)),
    )


@pytest.mark.parametrize("seed", range(50))
def test_more_than_a_fifth_have_the_value_that_is_told(seed: int) -> None:
    rng = random.Random(seed)  # noqa: S311 - repeatable, not secret
    values = [rng.choice([1, 1, 1, 2, 2, 3, rng.randrange(1, 20)]) for _ in range(rng.randrange(1, 60))]
    score_of = {value: 1 + 5 * sum(other < value for other in values) // len(values) for value in values}
    ranges = [[value for value in values if score_of[value] == score] for score in range(1, 6)]
    rows = thresholds("frequency", *[(max(found, default=0), len(found)) for found in ranges])

    counts = Counter(values)
    assert all(5 * counts[int(gap.value)] > len(values) for gap in gaps_in(rows))
    assert sorted(score for gap in gaps_in(rows) for score in gap.scores) == [
        score for score, found in enumerate(ranges, 1) if not found
    ]
