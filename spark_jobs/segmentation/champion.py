"""Whether a newly trained model takes over."""

from dataclasses import dataclass

from spark_jobs.segmentation.challenger import Challenger
from spark_jobs.segmentation.model import Model
from spark_jobs.segmentation.silhouette import TOLERANCE, as_good


@dataclass(frozen=True)
class Verdict:
    is_champion: bool
    reason: str


def judge(challenger: Challenger, champion: Model | None) -> Verdict:
    """By the silhouettes of both on the same customers."""
    if champion is None or challenger.champion_silhouette is None:
        return Verdict(True, "champion: the first model")
    if challenger.model == champion:
        return Verdict(True, "champion already: training gave the same model")
    figures = (
        f"silhouette {challenger.silhouette:.3f} against the champion's {challenger.champion_silhouette:.3f} "
        f"on the same customers"
    )
    if as_good(challenger.silhouette, challenger.champion_silhouette):
        return Verdict(True, f"champion: {figures}")
    return Verdict(False, f"not champion: {figures}, worse by more than {TOLERANCE}")
