"""The customers: which group they belong to, what they like, and when they order."""

from dataclasses import dataclass

import numpy as np

from localcloud.bookstore.calendar import Calendar
from localcloud.bookstore.catalogue import Catalogue
from localcloud.bookstore.groups import GROUPS, LAST_ORDER, NEWCOMERS, ORDERS, SHARES
from localcloud.bookstore.plan import DAY, Ints, Plan

GUEST = -1
GUEST_ORDERS = 0.05
JOINED_SINCE = 0.15
FAVOURITE_AUTHORS = 2
FREQUENCY_SPREAD = 0.2
RECENCY_SPREAD = 0.3


@dataclass(frozen=True)
class Population:
    """The customers of a bookstore.

    Attributes:
        group: Of each customer, as an index of `GROUPS`.
        orders: How many each places.
        active_from: From when each may order; customers who were there before the bookstore's first day: from then.
        last_order_at: When each places the last order.
        favourites: Books whose authors (one per column) each customer likes, and with them their genres.
    """

    group: Ints
    orders: Ints
    active_from: Ints
    last_order_at: Ints
    favourites: Ints

    def __len__(self) -> int:
        return len(self.group)


@dataclass(frozen=True)
class Visits:
    """Orders by when they are placed: `customer` (or `GUEST`) and `at`."""

    customer: Ints
    at: Ints


def population_of(plan: Plan, catalogue: Catalogue, calendar: Calendar) -> Population:
    draw = plan.draw("population")
    group = _groups(plan.customers, draw)
    last_order_at = calendar.same_day(_last_days(plan, group, draw), draw)
    everyone = np.zeros((plan.customers, FAVOURITE_AUTHORS), dtype=np.int64)
    favourites = catalogue.pick(everyone.ravel(), everyone.ravel() + len(catalogue), draw)
    return Population(
        group=group,
        orders=_orders(plan, group, draw),
        active_from=_active_from(plan, group, last_order_at, draw),
        last_order_at=last_order_at,
        favourites=favourites.reshape(everyone.shape),
    )


def visits_of(plan: Plan, population: Population, calendar: Calendar) -> Visits:
    draw = plan.draw("visits")
    customer = np.repeat(np.arange(len(population)), population.orders)
    at = calendar.between(population.active_from[customer], population.last_order_at[customer], draw)
    last = (np.cumsum(population.orders) - 1)[population.orders > 0]
    at[last] = population.last_order_at[customer[last]]
    guests = plan.orders - len(customer)
    anytime = calendar.between(np.full(guests, plan.opens_at), np.full(guests, plan.closes_at), draw)
    at = np.concatenate([at, anytime])
    customer = np.concatenate([customer, np.full(guests, GUEST)])
    order = np.argsort(at, kind="stable")
    return Visits(customer[order], at[order])


def _groups(customers: int, draw: np.random.Generator) -> Ints:
    """The groups in their shares, to the customer, in random order."""
    bounds = np.round(np.cumsum(SHARES) * customers).astype(np.int64)
    sizes = np.diff(bounds, prepend=0)
    return draw.permutation(np.repeat(np.arange(len(GROUPS)), sizes))


def _orders(plan: Plan, group: Ints, draw: np.random.Generator) -> Ints:
    """One order for each customer as far as they go, and the rest by their group's habits."""
    by_customers = plan.orders - round(GUEST_ORDERS * plan.orders)
    once = min(by_customers, plan.customers)
    orders = np.zeros(plan.customers, dtype=np.int64)
    orders[draw.permutation(plan.customers)[:once]] = 1
    weight = ORDERS[group] * draw.lognormal(0, FREQUENCY_SPREAD, plan.customers)
    return orders + draw.multinomial(by_customers - once, weight / weight.sum())


def _last_days(plan: Plan, group: Ints, draw: np.random.Generator) -> Ints:
    """A time on the day of each customer's last order; a bookstore open for less than a year has shorter recencies."""
    span = plan.closes_at - plan.opens_at
    scale = min(1.0, span / (365 * DAY))
    recency = LAST_ORDER[group] * draw.lognormal(0, RECENCY_SPREAD, len(group)) * scale * DAY
    return plan.closes_at - np.minimum(recency, 0.95 * span).astype(np.int64)


def _active_from(plan: Plan, group: Ints, last_order_at: Ints, draw: np.random.Generator) -> Ints:
    """Newcomers join shortly before their last order; of the others most were there from the start."""
    open_until_last = last_order_at - plan.opens_at
    recently = open_until_last * draw.uniform(0.9, 0.99, len(group))
    since = open_until_last * np.where(draw.random(len(group)) < JOINED_SINCE, draw.uniform(0, 0.5, len(group)), 0)
    return plan.opens_at + np.where(group == NEWCOMERS, recently, since).astype(np.int64)
