"""K-Means, seeded and repeatable to the bit."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.cluster import KMeans
from sklearn.metrics import silhouette_score
from threadpoolctl import threadpool_limits

from spark_jobs.segmentation.features import Values
from spark_jobs.segmentation.silhouette import SAMPLE_SIZE, as_good
from spark_jobs.segmentation.stability import LASTING, stabilities

TRIED_ON = 100_000
"""Customers on whom ways to start are tried; with more, the best of these is carried on with all. Each start on a
million takes seconds, and where it ends differs from a sample's end by far less than between starts."""

_STARTS = 10


@dataclass(frozen=True)
class Fit:
    """Clusters found.

    Attributes:
        centres: On the scale of the points, in no meaningful order.
        silhouette: Of the sample; -1 to 1, more is better.
        inertia: Sum over all points of the squared distance to their centre.
    """

    centres: Values
    silhouette: float
    inertia: float


def different_customers(points: Values) -> int:
    """How many rows differ: no clustering can tell more groups than that apart."""
    return len(pd.DataFrame(points).drop_duplicates())


def best_fit(points: Values, ks: Iterable[int], seed: int) -> Fit:
    """The most clusters that are all found again in resamples, among fits whose silhouette is `as_good` as the best.

    The best silhouette alone decides where no such fit has clusters that last.
    """
    fits = [fit(points, k, seed) for k in sorted(ks)]
    best = max(fits, key=lambda candidate: candidate.silhouette)
    good = [candidate for candidate in fits if as_good(candidate.silhouette, best.silhouette)]
    lasting = [candidate for candidate in good if min(stabilities(points, candidate.centres, seed)) >= LASTING]
    return lasting[-1] if lasting else best


def fit(points: Values, k: int, seed: int) -> Fit:
    # One thread: several would add up the same numbers in an order that changes from run to run.
    with threadpool_limits(limits=1):
        kmeans = KMeans(n_clusters=k, n_init=_STARTS, random_state=seed).fit(points[_positions(points, TRIED_ON, seed)])
        if len(points) > TRIED_ON:
            kmeans = KMeans(n_clusters=k, n_init=1, init=kmeans.cluster_centers_).fit(points)
    return Fit(kmeans.cluster_centers_, silhouette(points, kmeans.labels_, seed), float(kmeans.inertia_))


def _positions(points: Values, count: int, seed: int) -> NDArray[np.intp]:
    """The same customers for every use of the same points, in customer order."""
    return np.sort(np.random.default_rng(seed).permutation(len(points))[:count])


def silhouette(points: Values, labels: NDArray[np.intp], seed: int) -> float:
    """How clearly the clusters are apart, on the same sample of customers for every labelling of the same points.

    -1, the worst, where all of the sample is in one cluster.
    """
    sample = _positions(points, SAMPLE_SIZE, seed)
    if len(np.unique(labels[sample])) == 1:
        return -1.0
    with threadpool_limits(limits=1):
        return float(silhouette_score(points[sample], labels[sample]))
