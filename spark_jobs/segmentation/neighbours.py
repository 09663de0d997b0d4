"""Which partitions are compared with which, when one of them has been written again."""

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True, order=True)
class Described:
    """A partition that exists, and what it has in common with those that it can be compared with.

    Attributes:
        snapshot_date: Its date.
        made_with: The look-back of an RFM partition; the model of a labelled one.
    """

    snapshot_date: dt.date
    made_with: str


@dataclass(frozen=True)
class Pair:
    """Two partitions to compare."""

    earlier: dt.date
    later: dt.date


@dataclass(frozen=True)
class Comparisons:
    """What is to be said anew after a change on a date.

    Attributes:
        dates: The partitions whose comparison with an earlier one the change touches.
        pairs: Those of them that have an earlier one, with it.
    """

    dates: tuple[dt.date, ...]
    pairs: tuple[Pair, ...]


def of_one_kind(partitions: Iterable[Described], on: dt.date) -> Comparisons:
    """Each touched partition with the newest earlier one of the same kind.

    Touched are the date's own partition, and of each kind the first one after it, for which the date's may have become
    the one before, or ceased to be.
    """
    ordered = sorted(partitions)
    touched = [one for one in ordered if one.snapshot_date == on or one in _first_of_each_kind(ordered, after=on)]
    return _compared({one: [other for other in ordered if other.made_with == one.made_with] for one in touched})


def adjacent(partitions: Iterable[Described], on: dt.date) -> Comparisons:
    """The date's partition and the one after it, each with the one just before where that is of the same kind."""
    ordered = sorted(partitions)
    own = [one for one in ordered if one.snapshot_date == on]
    touched = own + [one for one in ordered if one.snapshot_date > on][:1]
    found = _compared(dict.fromkeys(touched, ordered))
    kinds = {one.snapshot_date: one.made_with for one in ordered}
    return Comparisons(found.dates, tuple(pair for pair in found.pairs if kinds[pair.earlier] == kinds[pair.later]))


def _compared(candidates: Mapping[Described, Iterable[Described]]) -> Comparisons:
    """Each partition with the newest of its candidates that is earlier."""
    pairs = []
    for one, others in candidates.items():
        earlier = [other.snapshot_date for other in others if other.snapshot_date < one.snapshot_date]
        if earlier:
            pairs.append(Pair(max(earlier), one.snapshot_date))
    return Comparisons(tuple(one.snapshot_date for one in candidates), tuple(pairs))


def _first_of_each_kind(ordered: Iterable[Described], after: dt.date) -> list[Described]:
    """The first partition of each kind after a date."""
    first: dict[str, Described] = {}
    for one in ordered:
        if one.snapshot_date > after:
            first.setdefault(one.made_with, one)
    return list(first.values())
