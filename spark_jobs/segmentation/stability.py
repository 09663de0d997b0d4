"""Whether clusters are there, or were made up by whoever looked for them."""

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.distance import cdist
from sklearn.cluster import KMeans
from sklearn.metrics import silhouette_score
from threadpoolctl import threadpool_limits

from spark_jobs.segmentation.features import Values

LASTING = 0.75
"""A cluster that resamples find again by less than this may be an accident (Hennig, Cluster-wise assessment of cluster
stability, 2007)."""

_SAMPLE_SIZE = 1_000
_RESAMPLES = 20
_CLOUDS = 10
_STARTS = 3

Labels = NDArray[np.intp]


def stabilities(points: Values, centres: Values, seed: int) -> tuple[float, ...]:
    """How well each cluster is found again in resamples of the customers: the mean Jaccard index, 1 for always.

    A resample is clustered anew, and gives every customer of the sample a cluster; the one that a cluster is most like
    counts.
    """
    rng = np.random.default_rng(seed)
    sample = points[np.sort(rng.permutation(len(points))[:_SAMPLE_SIZE])]
    own = cdist(sample, centres).argmin(axis=1)
    found = [_found_again(sample, own, len(centres), rng, seed + draw) for draw in range(_RESAMPLES)]
    return tuple(float(mean) for mean in np.mean(found, axis=0))


def _found_again(sample: Values, own: Labels, k: int, rng: np.random.Generator, seed: int) -> list[float]:
    resample = sample[rng.integers(len(sample), size=len(sample))]
    other = cdist(sample, _clustered(resample, k, seed).cluster_centers_).argmin(axis=1)
    return [max(_jaccard(own == one, other == another) for another in range(k)) for one in range(k)]


def _jaccard(one: NDArray[np.bool_], other: NDArray[np.bool_]) -> float:
    union = np.count_nonzero(one | other)
    return np.count_nonzero(one & other) / union if union else 1.0


def silhouette_of_a_cloud(points: Values, k: int, seed: int) -> float:
    """The best silhouette that k clusters reach where there are none.

    Looked for in draws from one normal distribution with the customers' own means and covariances: a single cloud, as
    wide and as slanted.
    """
    rng = np.random.default_rng(seed)
    means, covariances = points.mean(axis=0), np.cov(points.T)
    size = min(len(points), _SAMPLE_SIZE)
    clouds = [rng.multivariate_normal(means, covariances, size) for _ in range(_CLOUDS)]
    return max(_silhouette(cloud, k, seed) for cloud in clouds)


def _silhouette(cloud: Values, k: int, seed: int) -> float:
    return float(silhouette_score(cloud, _clustered(cloud, k, seed).labels_))


def _clustered(points: Values, k: int, seed: int) -> KMeans:
    # One thread, as in training: several would add up the same numbers in another order each time.
    with threadpool_limits(limits=1):
        return KMeans(n_clusters=k, n_init=_STARTS, random_state=seed).fit(points)
