"""What is in each order: books by taste, quantities and the prices of the day."""

from dataclasses import dataclass

import numpy as np

from localcloud.bookstore.catalogue import Catalogue
from localcloud.bookstore.groups import DISCOUNTS, LINES
from localcloud.bookstore.plan import Flags, Floats, Ints, Plan
from localcloud.bookstore.population import GUEST, Population, Visits

GUEST_LINES = 1.5
MOST_LINES = 8
AUTHOR, GENRE, ANYTHING = range(3)
MOODS = np.array([0.25, 0.45, 0.3])
ONE_COPY, TWO_COPIES = 0.93, 0.98


@dataclass(frozen=True)
class Baskets:
    """The lines of all orders, one after the other.

    Attributes:
        start: Where each order's lines start, and where the last one's end.
        book: Of each line.
        quantity: Of each line.
        unit_price: In cents, of each line.
    """

    start: Ints
    book: Ints
    quantity: Ints
    unit_price: Ints

    @property
    def sizes(self) -> Ints:
        return np.diff(self.start)


def baskets_of(plan: Plan, population: Population, catalogue: Catalogue, visits: Visits) -> Baskets:
    draw = plan.draw("baskets")
    order = np.repeat(np.arange(plan.orders), _lines(population, visits, draw))
    customer, at = visits.customer[order], visits.at[order]
    book = catalogue.on_shelf(_wishes(population, catalogue, customer, draw), at)
    distinct = _first_of_each(order, book)
    order, customer, at, book = order[distinct], customer[distinct], at[distinct], book[distinct]
    return Baskets(
        start=np.concatenate([[0], np.cumsum(np.bincount(order, minlength=plan.orders))]),
        book=book,
        quantity=1 + np.searchsorted([ONE_COPY, TWO_COPIES], draw.random(len(order))),
        unit_price=_discounted(catalogue.price_at(book, at), population, customer, draw),
    )


def _lines(population: Population, visits: Visits, draw: np.random.Generator) -> Ints:
    expected = _by_group(LINES, GUEST_LINES, population, visits.customer)
    return np.minimum(1 + draw.poisson(expected - 1), MOST_LINES)


def _by_group(values: Floats, of_guests: float, population: Population, customer: Ints) -> Floats:
    return np.where(customer == GUEST, of_guests, values[population.group[customer]])


def _wishes(population: Population, catalogue: Catalogue, customer: Ints, draw: np.random.Generator) -> Ints:
    """A book by a favourite author, of such an author's genre, or any; who has it already is less choosy."""
    which = draw.integers(0, population.favourites.shape[1], len(customer))
    favourite = population.favourites[customer, which]
    choosiness = np.where(customer == GUEST, ANYTHING, draw.choice(len(MOODS), len(customer), p=MOODS))
    wish = _of_taste(catalogue, favourite, choosiness, draw)
    instead = _of_taste(catalogue, favourite, np.minimum(choosiness + 1, ANYTHING), draw)
    return np.where(_first_of_each(customer, wish), wish, instead)


def _of_taste(catalogue: Catalogue, favourite: Ints, choosiness: Ints, draw: np.random.Generator) -> Ints:
    """One book for each favourite: by its author, of its genre, or anything."""
    cases = [choosiness == AUTHOR, choosiness == GENRE]
    author, genre = catalogue.author, catalogue.genre
    low = np.select(cases, [_low(author, favourite), _low(genre, favourite)], 0)
    high = np.select(cases, [_high(author, favourite), _high(genre, favourite)], len(catalogue))
    return catalogue.pick(low, high, draw)


def _low(sorted_labels: Ints, book: Ints) -> Ints:
    """Where the books with the same label as `book` start."""
    return np.searchsorted(sorted_labels, sorted_labels[book], side="left")


def _high(sorted_labels: Ints, book: Ints) -> Ints:
    return np.searchsorted(sorted_labels, sorted_labels[book], side="right")


def _first_of_each(owner: Ints, book: Ints) -> Flags:
    """Whether a line is the first one of its owner with that book."""
    first = np.zeros(len(book), dtype=bool)
    first[np.unique(owner * (book.max() + 1) + book, return_index=True)[1]] = True
    return first


def _discounted(price: Ints, population: Population, customer: Ints, draw: np.random.Generator) -> Ints:
    low, high = (_by_group(DISCOUNTS[:, bound], 0.0, population, customer) for bound in (0, 1))
    discount = low + draw.random(len(price)) * (high - low)
    cents: Ints = np.round(price * (1 - discount)).astype(np.int64)
    return cents
