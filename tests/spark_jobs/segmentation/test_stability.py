import numpy as np
import pytest

from spark_jobs.segmentation.features import Scaling
from spark_jobs.segmentation.stability import LASTING, silhouette_of_a_cloud, stabilities
from spark_jobs.segmentation.training import fit
from tests.spark_jobs.segmentation.groups import GROUPS, planted


def test_planted_groups_are_found_again_and_a_group_cut_in_two_is_not() -> None:
    values, _ = planted(*GROUPS)
    points = Scaling.fit(values).apply(values)

    assert min(stabilities(points, fit(points, 4, seed=42).centres, seed=42)) > 0.95
    assert min(stabilities(points, fit(points, 8, seed=42).centres, seed=42)) < LASTING


def test_clusters_that_are_far_apart_are_found_again_always() -> None:
    centres = np.array([[0.0, 0, 0], [9, 9, 9]])
    points = np.repeat(centres, 50, axis=0) + np.random.default_rng(0).normal(0, 0.1, (100, 3))
    assert stabilities(points, centres, seed=42) == (1.0, 1.0)


@pytest.mark.parametrize("k", [2, 4])
def test_a_cloud_is_compared_with_clouds_of_its_own_shape(k: int) -> None:
    covariances = np.array([[1.0, 0.9, 0.0], [0.9, 1.0, 0.0], [0.0, 0.0, 1.0]])
    slanted = np.random.default_rng(3).multivariate_normal(np.zeros(3), covariances, 1_000)
    assert fit(slanted, k, seed=42).silhouette == pytest.approx(silhouette_of_a_cloud(slanted, k, seed=42), abs=0.02)
    assert silhouette_of_a_cloud(slanted, k, seed=42) == silhouette_of_a_cloud(slanted, k, seed=42)
