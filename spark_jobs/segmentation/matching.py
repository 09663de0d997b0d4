"""Which clusters of a new model are those of the model in force."""

import numpy as np
from scipy.optimize import linear_sum_assignment
from scipy.spatial.distance import cdist

from spark_jobs.segmentation.features import Scaling, Values
from spark_jobs.segmentation.model import Cluster, Model


def surviving_clusters(centres: Values, scaling: Scaling, champion: Model) -> dict[int, Cluster]:
    """Which of the new `centres`, by position, continues which cluster of the champion.

    The pairs are those with the smallest sum of distances, on the new model's scale. A pair counts when the centre has
    moved by less than half of the way to the champion's nearest other centre: so near, it is no other cluster.
    """
    earlier = scaling.apply(champion.typical_customers)
    distances = cdist(centres, earlier)
    reach = _distances_to_nearest_other(earlier) / 2
    pairs = zip(*linear_sum_assignment(distances), strict=True)
    return {int(new): champion.clusters[old] for new, old in pairs if distances[new, old] < reach[old]}


def _distances_to_nearest_other(points: Values) -> Values:
    distances = cdist(points, points)
    np.fill_diagonal(distances, np.inf)
    nearest: Values = distances.min(axis=1)
    return nearest
