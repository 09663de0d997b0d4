import dataclasses
import datetime as dt

import numpy as np
from sklearn.metrics import adjusted_rand_score

from spark_jobs.segmentation.challenger import Challenger, train
from spark_jobs.segmentation.champion import Verdict, judge
from spark_jobs.segmentation.features import Values
from spark_jobs.segmentation.model import Model
from tests.spark_jobs.segmentation.groups import CHAMPIONS, GROUPS, LAPSED, NEWCOMERS, REGULARS, planted

JANUARY, FEBRUARY = dt.date(2026, 1, 31), dt.date(2026, 2, 28)
# A group that the four others don't have, far from all of them.
BULK = (5, 3, 20_000)


def trained(
    values: Values, *, on: dt.date = JANUARY, champion: Model | None = None, k: int | None = None
) -> Challenger:
    return train(values, range(2, 9) if k is None else [k], snapshot_date=on, seed=42, champion=champion)


def identities(model: Model) -> dict[int, str]:
    return {cluster.cluster_id: cluster.name for cluster in model.clusters}


def test_the_first_model_numbers_its_clusters_by_value_and_finds_the_planted_groups() -> None:
    values, group = planted(*GROUPS)

    challenger = trained(values)

    assert identities(challenger.model) == {
        0: "Active top-spending regulars",
        1: "Average buyers",
        2: "Long-lapsed buyers",
        3: "Active low-spending rare buyers",
    }
    assert challenger.sizes == (100, 100, 100, 100)
    assert adjusted_rand_score(group, challenger.model.nearest(values)) == 1.0
    # The centre is what a typical member does: 1 % from what was planted is the sample's noise.
    np.testing.assert_allclose(challenger.model.typical_customers[0], CHAMPIONS, rtol=0.05)


def test_the_same_customers_and_seed_give_the_same_version() -> None:
    values, _ = planted(*GROUPS)
    first = trained(values)

    assert trained(values) == first
    assert first.model.version.startswith("2026-01-31-")
    assert trained(values, champion=first.model).model == first.model
    assert Model.from_json(first.model.to_json()) == first.model
    assert trained(values[:-1]).model.version != first.model.version


def test_clusters_that_persist_keep_ids_and_names_and_a_new_one_gets_a_new_id() -> None:
    january = trained(planted(*GROUPS)[0]).model
    moved = [(days * 1.1, orders * 1.1, money * 1.1) for days, orders, money in (REGULARS, CHAMPIONS, LAPSED)]
    values, group = planted(*moved, BULK, each=150, seed=9)

    february = trained(values, on=FEBRUARY, champion=january).model

    kept = {cluster_id: name for cluster_id, name in identities(january).items() if cluster_id != 3}
    assert identities(february) == kept | {4: "Active top-spending rare buyers"}
    assert february.next_cluster_id == 5
    ids = np.array([cluster.cluster_id for cluster in february.clusters])
    expected = np.array([1, 0, 2, 4])  # of the planted groups, in the order given
    assert ids[february.nearest(values)].tolist() == expected[group].tolist()


def test_an_id_that_was_given_up_is_not_used_again() -> None:
    january = trained(planted(*GROUPS)[0]).model
    february = trained(planted(CHAMPIONS, REGULARS, LAPSED)[0], on=FEBRUARY, champion=january).model
    assert identities(february).keys() == {0, 1, 2}

    march = trained(planted(*GROUPS)[0], on=dt.date(2026, 3, 31), champion=february).model

    assert identities(march).keys() == {0, 1, 2, 4}
    assert identities(march)[4] == "Active low-spending rare buyers"


def test_a_worse_challenger_is_refused_and_one_as_good_takes_over() -> None:
    values, _ = planted(*GROUPS)
    champion = trained(values).model

    forced = trained(values, champion=champion, k=8)
    newer = trained(planted(*GROUPS, seed=1)[0], champion=champion)

    assert (judge(forced, champion).is_champion, judge(forced, champion).awaits_approval) == (False, True)
    assert judge(forced, champion).reason.startswith("not champion: silhouette 0.")
    assert judge(forced, champion).reason.endswith("on the same customers, worse by more than 0.02")
    assert judge(newer, champion).is_champion
    assert judge(trained(values), None) == Verdict(True, "champion: the first model")
    assert (
        judge(trained(values, champion=champion), champion).reason == "champion already: training gave the same model"
    )


def test_customers_who_change_their_segment_for_no_reason_are_somebody_s_decision() -> None:
    values, _ = planted(*GROUPS)
    champion = trained(values).model
    challenger = trained(planted(*GROUPS, seed=1)[0], champion=champion)
    assert (challenger.moved_share, challenger.champion_sizes) == (0.0, (100, 100, 100, 100))

    jumps = dataclasses.replace(challenger, moved_share=0.21)
    verdict = judge(jumps, champion, [100, 100, 100, 100])
    assert (verdict.is_champion, verdict.awaits_approval) == (False, True)
    assert verdict.reason.startswith(
        "not champion: 21% of the customers would change their segment, and the data has not moved (silhouette 0."
    )
    assert judge(jumps, champion, [10, 20, 170, 200]).is_champion
    assert judge(dataclasses.replace(challenger, moved_share=0.2), champion, [100, 100, 100, 100]).is_champion


def test_the_customers_of_a_group_that_is_split_are_those_who_moved() -> None:
    values, group = planted(*GROUPS)
    champion = trained(values, k=3).model

    challenger = trained(values, champion=champion, k=4)

    new = {cluster.cluster_id for cluster in challenger.model.clusters} - {
        cluster.cluster_id for cluster in champion.clusters
    }
    sizes = dict(zip((cluster.cluster_id for cluster in challenger.model.clusters), challenger.sizes, strict=True))
    assert len(new) >= 1
    assert challenger.moved_share == sum(sizes[cluster_id] for cluster_id in new) / len(group)


def test_noise_has_no_structure_and_a_person_decides() -> None:
    rng = np.random.default_rng(1)
    slanted = rng.multivariate_normal([3, 2, 5], [[1, -0.3, -0.2], [-0.3, 0.5, 0.45], [-0.2, 0.45, 0.7]], 1_000)
    noise = np.maximum(np.round(np.expm1(slanted)), (0, 1, 0))

    verdict = judge(trained(noise), None)

    assert (verdict.is_champion, verdict.awaits_approval) == (False, True)
    assert verdict.reason.startswith("not champion: there is no structure (silhouette 0.")
    assert judge(trained(planted(*GROUPS, spread=0.8)[0]), None).is_champion


def test_a_champion_that_sees_one_cluster_only_gives_way() -> None:
    champion = trained(planted(CHAMPIONS, NEWCOMERS)[0], k=2).model
    close_to_the_same, _ = planted((4, 30, 1_500), (2, 60, 3_000))

    challenger = trained(close_to_the_same, on=FEBRUARY, champion=champion)

    assert challenger.champion_silhouette == -1.0
    assert judge(challenger, champion, [100, 100]).is_champion
