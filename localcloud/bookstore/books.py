"""The books table: books are listed, put on sale and back, printed anew, withdrawn, and sometimes brought back."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from localcloud.bookstore.catalogue import Catalogue
from localcloud.bookstore.debezium import Changes, Row, log_of
from localcloud.bookstore.plan import DAY, Ints, Plan
from localcloud.bookstore.stream import money_text, utc_text
from localcloud.bookstore.vocabulary import FIRST_NAMES, GENRES, LAST_NAMES, PUBLISHERS, TITLE_ENDS, TITLE_STARTS

OLDEST = 40 * 365 * DAY
COPRIME = 7_919  # shuffles names and titles: it shares no factor with how many of them there are
COLUMNS = {
    "book_id": "int64",
    "isbn": "string",
    "title": "string",
    "author": "string",
    "genre": "string",
    "publisher": "string",
    "price": "string",
    "published_on": "string",
    "updated_at": "string",
}


@dataclass(frozen=True)
class Books(Changes):
    """Changes of the books table; `published_at` is by book."""

    catalogue: Catalogue
    published_at: Ints

    @property
    def columns(self) -> Mapping[str, str]:
        return COLUMNS

    def rows(self, changes: Ints) -> list[Row]:
        history = self.catalogue.history
        book = history.entity[changes]
        columns = zip(
            book.tolist(),
            self.catalogue.author[book].tolist(),
            self.catalogue.genre[book].tolist(),
            self.catalogue.publisher[changes].tolist(),
            self.catalogue.price[changes].tolist(),
            utc_text(self.published_at[book]),
            utc_text(history.at[changes]),
            strict=True,
        )
        return [
            {
                "book_id": number + self.plan.first_id,
                "isbn": isbn_of(number + self.plan.first_id),
                "title": title_of(number),
                "author": author_of(author),
                "genre": GENRES[genre],
                "publisher": PUBLISHERS[publisher],
                "price": money_text(price),
                "published_on": published_at[:10],
                "updated_at": updated_at,
            }
            for number, author, genre, publisher, price, published_at, updated_at in columns
        ]


def books_of(plan: Plan, catalogue: Catalogue) -> Books:
    draw = plan.draw("books")
    history = catalogue.history
    log = log_of(plan, history, catalogue.is_delete, draw)
    listed_at = catalogue.listed_at
    old = listed_at == plan.opens_at
    return Books(
        topic="bookstore.books",
        plan=plan,
        entity=history.entity[log.source],
        at=history.at[log.source],
        log=log,
        catalogue=catalogue,
        published_at=np.where(old, listed_at - draw.integers(DAY, OLDEST, len(catalogue)), listed_at),
    )


def title_of(book: int) -> str:
    """A title that only books 500 numbers apart share; those are volumes."""
    titles = len(TITLE_STARTS) * len(TITLE_ENDS)
    start, end = divmod(book * COPRIME % titles, len(TITLE_ENDS))
    volume = book // titles
    return f"{TITLE_STARTS[start]} {TITLE_ENDS[end]}" + (f", volume {volume + 1}" if volume else "")


def author_of(author: int) -> str:
    first, last = divmod(author * COPRIME % (len(FIRST_NAMES) * len(LAST_NAMES)), len(LAST_NAMES))
    return f"{FIRST_NAMES[first]} {LAST_NAMES[last]}"


def isbn_of(number: int) -> str:
    """An ISBN-13 with its check digit."""
    digits = f"978{number % 10**9:09d}"
    total = sum(int(digit) * weight for digit, weight in zip(digits, (1, 3) * 6, strict=True))
    return digits + str(-total % 10)
