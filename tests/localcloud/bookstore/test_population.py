"""The planted groups, tastes and seasons."""

import csv
import dataclasses
import datetime as dt
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.cluster import KMeans
from sklearn.metrics import adjusted_rand_score
from sklearn.preprocessing import StandardScaler

from localcloud.bookstore.delivery import deliver
from localcloud.bookstore.groups import GROUPS
from localcloud.bookstore.plan import Disorder, Plan
from localcloud.bookstore.population import GUEST
from localcloud.bookstore.shop import Shop, shop_of
from localcloud.bookstore.truth import write_truth
from tests.end_to_end import reference

YEAR = Plan(customers=600, books=200, orders=9_000, start=dt.date(2025, 1, 1), end=dt.date(2025, 12, 31), seed=5)
MEASURES = ("recency_days", "frequency", "monetary")


@pytest.fixture(scope="module")
def year() -> Shop:
    return shop_of(YEAR)


@pytest.fixture(scope="module")
def measured(year: Shop, tmp_path_factory: pytest.TempPathFactory) -> list[tuple[str, dict[str, Any]]]:
    """Each customer's group and row of RFM on the last day, from the truth files."""
    folder: Path = tmp_path_factory.mktemp("truth")
    write_truth(folder, year, [deliver(stream, Disorder()) for stream in year.streams])
    customers = reference.customers(reference.read_events(folder / "customers.jsonl"))
    orders = reference.orders(reference.read_events(folder / "orders.jsonl"))
    with (folder / "groups.csv").open() as file:
        groups = {int(row["customer_id"]): row["group"] for row in csv.DictReader(file)}
    return [(groups[row["customer_id"]], row) for row in reference.rfm(customers, orders, YEAR.end)]


def test_the_groups_are_found_by_their_behaviour(measured: list[tuple[str, dict[str, Any]]]) -> None:
    values = np.log1p([[float(row[name]) for name in MEASURES] for _, row in measured])
    found = KMeans(5, n_init=10, random_state=0).fit_predict(StandardScaler().fit_transform(values))
    assert adjusted_rand_score([group for group, _ in measured], found) >= 0.9


def test_each_group_behaves_as_it_is_called(measured: list[tuple[str, dict[str, Any]]]) -> None:
    rows = defaultdict(list)
    for group, row in measured:
        rows[group].append([float(row[name]) for name in MEASURES])
    recency, frequency, monetary = zip(*(np.median(rows[group.name], axis=0) for group in GROUPS), strict=True)
    names = [group.name for group in GROUPS]
    assert [names[place] for place in np.argsort(recency)] == [
        "champions", "newcomers", "regulars", "bargain-hunters", "lapsed",
    ]  # fmt: skip
    assert names[int(np.argmax(frequency))] == names[int(np.argmax(monetary))] == "champions"
    assert names[int(np.argmin(frequency))] == names[int(np.argmin(monetary))] == "newcomers"
    baskets = dict(zip(names, np.divide(monetary, frequency), strict=True))
    assert min(baskets, key=lambda name: baskets[name]) == "bargain-hunters"


def test_the_groups_have_their_shares(year: Shop) -> None:
    assert np.bincount(year.population.group).tolist() == [72, 168, 120, 132, 108]


def test_lapsed_customers_and_newcomers_are_what_they_are_called(year: Shop) -> None:
    group, orders = year.population.group, year.population.orders
    assert orders.min() == 1
    assert np.median(orders[group == 4]) == 1
    day = (year.plan.closes_at - year.population.last_order_at) / 86_400
    assert day[group == 3].min() > 60


def test_people_buy_for_christmas_at_weekends_and_in_the_evening(year: Shop) -> None:
    guests = year.orders.visits.at[year.orders.visits.customer == GUEST].astype("datetime64[s]")
    month = np.bincount(guests.astype("datetime64[M]").astype(int) % 12)
    hour = np.bincount(guests.astype("datetime64[h]").astype(int) % 24)
    weekday = np.bincount((guests.astype("datetime64[D]").astype(int) + 3) % 7)
    assert month.argmax() == 11
    assert month[11] > 1.5 * month[1]
    assert hour[18:22].sum() > 4 * hour[1:5].sum()
    assert weekday[5:].mean() > weekday[:2].mean()


def test_few_books_sell_much_and_many_a_little(year: Shop) -> None:
    sold = np.sort(np.bincount(year.orders.baskets.book, minlength=200))[::-1]
    assert sold[:20].sum() > 0.25 * sold.sum()
    assert sold[100:].sum() > 0.1 * sold.sum()


def test_customers_keep_to_their_favourites(year: Shop) -> None:
    baskets, catalogue = year.orders.baskets, year.books.catalogue
    buyer = year.orders.visits.customer[np.repeat(np.arange(YEAR.orders), baskets.sizes)]
    known = buyer != GUEST
    bought = catalogue.genre[baskets.book[known]]
    theirs = catalogue.genre[year.population.favourites]
    liked = (theirs[buyer[known]] == bought[:, None]).any(axis=1).mean()
    strangers = (theirs[np.roll(buyer[known], 5_000)] == bought[:, None]).any(axis=1).mean()
    assert liked > 0.6
    assert liked > 1.8 * strangers


def test_a_shorter_history_has_the_same_groups() -> None:
    quarter = shop_of(dataclasses.replace(YEAR, start=dt.date(2025, 10, 1)))
    ages = (quarter.plan.closes_at - quarter.population.last_order_at) / 86_400
    medians = [np.median(ages[quarter.population.group == group]) for group in range(5)]
    assert np.argsort(medians).tolist() == [0, 4, 1, 2, 3]
    assert 40 < medians[3] < 70
    assert max(ages) <= 92
