import datetime as dt

from spark_jobs.segmentation.neighbours import Comparisons, Described, Pair, adjacent, of_one_kind


def day(number: int) -> dt.date:
    return dt.date(2026, 1, number)


def partitions(**kinds: str) -> list[Described]:
    """`d5="A"`: the partition of 5 January, of kind A."""
    return [Described(day(int(name[1:])), kind) for name, kind in kinds.items()]


def test_a_date_in_the_middle_touches_itself_and_the_next() -> None:
    found = of_one_kind(partitions(d9="365", d1="365", d5="365", d7="365"), on=day(5))

    assert found == Comparisons((day(5), day(7)), (Pair(day(1), day(5)), Pair(day(5), day(7))))


def test_another_lookback_is_passed_over_and_the_next_of_each_is_touched() -> None:
    found = of_one_kind(partitions(d1="365", d5="30", d7="365", d8="30", d9="365"), on=day(5))

    assert found == Comparisons((day(5), day(7), day(8)), (Pair(day(1), day(7)), Pair(day(5), day(8))))


def test_a_date_that_is_gone_touches_the_next() -> None:
    assert of_one_kind(partitions(d1="365", d7="365"), on=day(5)) == Comparisons((day(7),), (Pair(day(1), day(7)),))


def test_the_first_date_has_nothing_to_be_compared_with() -> None:
    assert of_one_kind(partitions(d5="365"), on=day(5)) == Comparisons((day(5),), ())


def test_adjacent_dates_of_two_models_are_no_pair_and_none_is_passed_over() -> None:
    labelled = partitions(d1="a", d5="b", d7="a", d8="a")

    assert adjacent(labelled, on=day(5)) == Comparisons((day(5), day(7)), ())
    assert adjacent(labelled, on=day(7)) == Comparisons((day(7), day(8)), (Pair(day(7), day(8)),))
    assert adjacent(labelled, on=day(6)) == Comparisons((day(7),), ())
    assert adjacent([], on=day(6)) == Comparisons((), ())
