"""The books: who wrote them, how they sell, and what they cost when."""

from dataclasses import dataclass

import numpy as np

from localcloud.bookstore.history import History, history_of
from localcloud.bookstore.plan import DAY, Flags, Floats, Ints, Plan
from localcloud.bookstore.vocabulary import GENRES, PUBLISHERS

BOOKS_PER_AUTHOR = 6
GENRE_SHARES = np.array([0.2, 0.15, 0.14, 0.11, 0.1, 0.08, 0.07, 0.07, 0.05, 0.03])
LISTED_LATER = 0.1
STAYS, WITHDRAWN, CAME_BACK = 0, 1, 2
FATES = np.array([0.97, 0.018, 0.012])
PRICE_CHANGES_A_YEAR = 4.0
NEW_EDITION = 0.1
LONG_TAIL = 0.8  # the k-th best seller sells like 1 / k ** 0.8
TYPICAL_PRICE, CHEAPEST, DEAREST = 1_500, 399, 6_999
SALE, REGULAR = (0.7, 0.92), (1.0, 1.15)
NEVER = np.iinfo(np.int64).max


@dataclass(frozen=True)
class Catalogue:
    """Books sorted by genre, then by author, so that each genre and each author is a slice.

    Attributes:
        author: Of each book.
        genre: Of each book.
        sales: Cumulative popularity before each book, and after the last.
        leaves_at: When each book is withdrawn, perhaps to come back later, or `NEVER`.
        substitute: What is sold in place of each book while it is not on the shelf.
        history: What happened to the books.
        is_delete: Whether an event of the history is a withdrawal.
        publisher: After each event of the history.
        price: In cents, after each event of the history.
    """

    author: Ints
    genre: Ints
    sales: Floats
    leaves_at: Ints
    substitute: Ints
    history: History
    is_delete: Flags
    publisher: Ints
    price: Ints

    def __len__(self) -> int:
        return len(self.author)

    @property
    def listed_at(self) -> Ints:
        return self.history.at[self.history.first]

    def price_at(self, book: Ints, seconds: Ints) -> Ints:
        """The list price in cents that was in force."""
        return self.price[self.history.in_force(book, seconds)]

    def on_shelf(self, book: Ints, seconds: Ints) -> Ints:
        """The book, or its substitute while it was not on sale."""
        on_sale = (self.listed_at[book] <= seconds) & (seconds < self.leaves_at[book])
        return np.where(on_sale, book, self.substitute[book])

    def pick(self, low: Ints, high: Ints, draw: np.random.Generator) -> Ints:
        """One book with `low <= book < high` each, likelier the better it sells."""
        start, stop = self.sales[low], self.sales[high]
        wanted = start + draw.random(len(low)) * (stop - start)
        return np.clip(np.searchsorted(self.sales, wanted, side="right") - 1, low, high - 1)


def catalogue_of(plan: Plan) -> Catalogue:
    draw = plan.draw("catalogue")
    author, genre = _authors(plan.books, draw)
    fate = draw.choice(len(FATES), plan.books, p=FATES)
    fate[0] = STAYS
    history = _history(plan, fate, draw)
    is_delete = (fate[history.entity] != STAYS) & (history.left == fate[history.entity] - 1)
    return Catalogue(
        author=author,
        genre=genre,
        sales=np.concatenate([[0.0], np.cumsum((1.0 + draw.permutation(plan.books)) ** -LONG_TAIL)]),
        leaves_at=_leaves_at(history, is_delete, plan.books),
        substitute=_substitutes((fate == STAYS) & (history.at[history.first] == plan.opens_at)),
        history=history,
        is_delete=is_delete,
        publisher=_publishers(history, draw),
        price=_prices(history, draw),
    )


def _authors(books: int, draw: np.random.Generator) -> tuple[Ints, Ints]:
    """Each book's author and genre, sorted; an author writes in one genre."""
    authors = max(1, books // BOOKS_PER_AUTHOR)
    genre_of_author = np.sort(draw.choice(len(GENRES), authors, p=GENRE_SHARES))
    author = np.sort(draw.integers(0, authors, books))
    return author, genre_of_author[author]


def _history(plan: Plan, fate: Ints, draw: np.random.Generator) -> History:
    """Most books are there from the start; a withdrawal, and a return, are the last events of a book."""
    half = (plan.closes_at - plan.opens_at) // 2
    later = draw.random(plan.books) < LISTED_LATER
    later[0] = False
    listed_at = plan.opens_at + np.where(later, draw.integers(1, half, plan.books), 0)
    changes = draw.poisson(PRICE_CHANGES_A_YEAR * (plan.closes_at - listed_at) / DAY / 365)
    return history_of(listed_at, np.full(plan.books, plan.closes_at), np.maximum(changes, fate), draw)


def _leaves_at(history: History, is_delete: Flags, books: int) -> Ints:
    leaves_at = np.full(books, NEVER)
    leaves_at[history.entity[is_delete]] = history.at[is_delete]
    return leaves_at


def _substitutes(always_there: Flags) -> Ints:
    """The next book that is always on the shelf: most often of the same author, mostly of the same genre."""
    there = np.flatnonzero(always_there)
    following = np.searchsorted(there, np.arange(len(always_there)))
    return there[np.minimum(following, len(there) - 1)]


def _publishers(history: History, draw: np.random.Generator) -> Ints:
    new_edition = draw.random(len(history)) < NEW_EDITION
    return history.carried(draw.integers(0, len(PUBLISHERS), len(history)), new_edition)


def _prices(history: History, draw: np.random.Generator) -> Ints:
    """A book goes on sale and back again, so that no change leaves its price as it was."""
    typical = np.exp(draw.normal(np.log(TYPICAL_PRICE), 0.4, len(history.first)))
    base = np.clip(typical, CHEAPEST, DEAREST)[history.entity]
    factor = np.where(history.nth % 2 == 1, draw.uniform(*SALE, len(history)), draw.uniform(*REGULAR, len(history)))
    return (base * factor).astype(np.int64) // 10 * 10 + 9
