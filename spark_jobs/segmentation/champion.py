"""Whether a newly trained model takes over, stays out, or waits for somebody to decide."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from spark_jobs.segmentation.challenger import Challenger
from spark_jobs.segmentation.drift import drift
from spark_jobs.segmentation.model import Model
from spark_jobs.segmentation.silhouette import TOLERANCE, as_good

MOST_MOVED = 0.2
"""The share of customers who may change their segment without anything having happened to the data."""


@dataclass(frozen=True)
class Verdict:
    is_champion: bool
    reason: str
    awaits_approval: bool = False


def judge(challenger: Challenger, champion: Model | None, sizes_then: Sequence[int] = ()) -> Verdict:
    """By the silhouettes of both on the same customers, and by how many customers would change their segment.

    Whether there are groups at all comes first: any customers can be cut into k parts.

    Args:
        challenger: The newly trained model.
        champion: The model in force; None: there is none yet.
        sizes_then: Customers per cluster of the champion when it was trained, in its order of clusters; empty: unknown.
    """
    if challenger.model == champion:
        return Verdict(True, "champion already: training gave the same model")
    if as_good(challenger.cloud_silhouette, challenger.silhouette):
        cloud = (
            f"silhouette {challenger.silhouette:.3f}, and {challenger.cloud_silhouette:.3f} in a cloud without groups"
        )
        return Verdict(False, f"not champion: there is no structure ({cloud})", awaits_approval=True)
    if champion is None or challenger.champion_silhouette is None:
        return Verdict(True, "champion: the first model")
    figures = (
        f"silhouette {challenger.silhouette:.3f} against the champion's {challenger.champion_silhouette:.3f} "
        f"on the same customers"
    )
    if not as_good(challenger.silhouette, challenger.champion_silhouette):
        return Verdict(False, f"not champion: {figures}, worse by more than {TOLERANCE}", awaits_approval=True)
    if challenger.moved_share > MOST_MOVED and not _data_moved(sizes_then, challenger.champion_sizes):
        moved = f"{challenger.moved_share:.0%} of the customers would change their segment, and the data has not moved"
        return Verdict(False, f"not champion: {moved} ({figures})", awaits_approval=True)
    return Verdict(True, f"champion: {figures}")


def _data_moved(then: Sequence[int], now: Sequence[int]) -> bool:
    """Whether the champion itself puts other shares of the customers into its clusters than when it was trained."""
    return bool(then) and drift(np.array(then), np.array(now), features=1).is_alarm
