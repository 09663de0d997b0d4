import numpy as np
import pytest
from sklearn.metrics import adjusted_rand_score

from spark_jobs.segmentation import training
from spark_jobs.segmentation.features import Scaling
from spark_jobs.segmentation.training import best_fit, different_customers, fit, silhouette
from tests.spark_jobs.segmentation.groups import GROUPS, planted


@pytest.mark.parametrize(("spread", "bound"), [(0.15, 0.99), (0.4, 0.9)])
def test_planted_groups_come_back_and_their_number_is_found(spread: float, bound: float) -> None:
    values, group = planted(*GROUPS, spread=spread)
    points = Scaling.fit(values).apply(values)

    found = best_fit(points, range(2, 9), seed=42)

    labels = np.linalg.norm(points[:, None] - found.centres[None], axis=2).argmin(axis=1)
    assert len(found.centres) == len(GROUPS)
    assert adjusted_rand_score(group, labels) >= bound


def test_two_fits_of_the_same_points_are_the_same_to_the_bit() -> None:
    values, _ = planted(*GROUPS, each=2_000, spread=0.8)
    points = Scaling.fit(values).apply(values)

    first, second = fit(points, 6, seed=42), fit(points, 6, seed=42)

    assert first.centres.tobytes() == second.centres.tobytes()
    assert (first.silhouette, first.inertia) == (second.silhouette, second.inertia)


def test_a_start_tried_on_some_customers_ends_where_one_tried_on_all_does(monkeypatch: pytest.MonkeyPatch) -> None:
    values, _ = planted(*GROUPS, each=5_000, spread=0.8)
    points = Scaling.fit(values).apply(values)
    on_all = [fit(points, k, seed=42).inertia for k in range(2, 9)]

    monkeypatch.setattr(training, "TRIED_ON", 2_000)

    assert [fit(points, k, seed=42).inertia for k in range(2, 9)] == pytest.approx(on_all, rel=0.005)


def test_a_known_labelling_has_its_known_silhouette() -> None:
    points = np.array([[0.0], [1.0], [10.0], [11.0]])

    actual = silhouette(points, np.array([0, 0, 1, 1]), seed=42)

    # The outer points are 1 from their own and on average 10.5 from the others, the inner ones 1 and 9.5.
    assert actual == pytest.approx(((1 - 1 / 10.5) + (1 - 1 / 9.5)) / 2)


def test_a_labelling_that_tells_nobody_apart_is_the_worst() -> None:
    assert silhouette(np.array([[0.0], [1.0]]), np.array([3, 3]), seed=42) == -1.0


def test_equal_customers_count_once() -> None:
    assert different_customers(np.array([[1.0, 2.0], [1.0, 2.0], [2.0, 1.0]])) == 2
