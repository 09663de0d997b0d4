"""From an RFM partition's features to a model that can be compared with the one in force."""

import dataclasses
import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from spark_jobs.segmentation.features import Scaling, Values, rounded
from spark_jobs.segmentation.matching import surviving_clusters
from spark_jobs.segmentation.model import Cluster, Model
from spark_jobs.segmentation.naming import names, order_of_value
from spark_jobs.segmentation.stability import silhouette_of_a_cloud
from spark_jobs.segmentation.training import best_fit, silhouette


@dataclass(frozen=True)
class Challenger:
    """A newly trained model and how well it does.

    Attributes:
        customers: Of the partition.
        inertia: Of the customers that it was trained on.
        sizes: Customers per cluster of the partition, in the model's order of clusters.
        champion_silhouette: The champion's, on the same customers and scale; None without a champion.
        cloud_silhouette: The best of as many clusters where there are none: see `silhouette_of_a_cloud`.
        champion_sizes: Customers per cluster of the champion, of the same customers, in its order of clusters.
        moved_share: Of the customers, those whom champion and challenger give different clusters.
    """

    model: Model
    customers: int
    sizes: tuple[int, ...]
    silhouette: float
    inertia: float
    champion_silhouette: float | None
    cloud_silhouette: float
    champion_sizes: tuple[int, ...] = ()
    moved_share: float = 0.0


def train(
    values: Values, ks: Iterable[int], *, snapshot_date: dt.date, seed: int, champion: Model | None
) -> Challenger:
    """Trains on the features of all customers of a partition, in customer order."""
    scaling = Scaling.fit(values)
    points = scaling.apply(values)
    fitted = best_fit(points, ks, seed)
    centres = np.array([rounded(fitted.centres[position]) for position in order_of_value(fitted.centres)])
    model = _with_identities(Model(snapshot_date, seed, scaling, (), 0), centres, champion)
    challenger = Challenger(
        model=model,
        customers=len(values),
        sizes=_sizes(model, values),
        silhouette=fitted.silhouette,
        inertia=fitted.inertia,
        champion_silhouette=None,
        cloud_silhouette=silhouette_of_a_cloud(points, len(centres), seed),
    )
    return challenger if champion is None else _compared(challenger, champion, values, points)


def _sizes(model: Model, values: Values) -> tuple[int, ...]:
    return tuple(int(size) for size in np.bincount(model.nearest(values), minlength=len(model.clusters)))


def _compared(challenger: Challenger, champion: Model, values: Values, points: Values) -> Challenger:
    seed = challenger.model.seed
    return dataclasses.replace(
        challenger,
        champion_silhouette=silhouette(points, champion.nearest(values), seed),
        champion_sizes=_sizes(champion, values),
        moved_share=float((_cluster_ids(champion, values) != _cluster_ids(challenger.model, values)).mean()),
    )


def _cluster_ids(model: Model, values: Values) -> NDArray[np.int64]:
    return np.array([cluster.cluster_id for cluster in model.clusters])[model.nearest(values)]


def _with_identities(model: Model, centres: Values, champion: Model | None) -> Model:
    """Gives the clusters ids and names: those of the champion's where they continue, else new ones."""
    survivors = surviving_clusters(centres, model.scaling, champion) if champion else {}
    new = [position for position in range(len(centres)) if position not in survivors]
    new_names = names(centres[new], taken={cluster.name for cluster in survivors.values()}) if new else []
    next_id = champion.next_cluster_id if champion else 0
    identities = {position: (cluster.cluster_id, cluster.name) for position, cluster in survivors.items()}
    identities |= {position: (next_id + i, name) for i, (position, name) in enumerate(zip(new, new_names, strict=True))}
    clusters = [Cluster(*identities[position], tuple(centre)) for position, centre in enumerate(centres.tolist())]
    return dataclasses.replace(
        model,
        clusters=tuple(sorted(clusters, key=lambda cluster: cluster.cluster_id)),
        next_cluster_id=next_id + len(new),
    )
