"""The customers table: people join, move, change their minds about advertising, and ask to be forgotten."""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from localcloud.bookstore.debezium import Changes, Row, log_of
from localcloud.bookstore.history import History, history_of
from localcloud.bookstore.plan import DAY, Flags, Ints, Plan
from localcloud.bookstore.population import Population
from localcloud.bookstore.stream import utc_text
from localcloud.bookstore.vocabulary import CITIES, FIRST_NAMES, LAST_NAMES

CHANGES_A_YEAR = 0.5
MOVES, DECIDES, MARRIES = 0.55, 0.35, 0.1
CONSENTS = 0.6
ERASED = 0.03
ERASED_AFTER = 20 * DAY
EARLIEST = 5 * 365 * DAY
COLUMNS = {
    "customer_id": "int64",
    "email": "string",
    "first_name": "string",
    "last_name": "string",
    "city": "string",
    "country": "string",
    "marketing_consent": "boolean",
    "created_at": "string",
    "updated_at": "string",
}


@dataclass(frozen=True)
class Customers(Changes):
    """Changes of the customers table; `created_at` and `first_name` are by customer, the rest by change."""

    history: History
    created_at: Ints
    first_name: Ints
    last_name: Ints
    city: Ints
    consent: Ints

    @property
    def columns(self) -> Mapping[str, str]:
        return COLUMNS

    def rows(self, changes: Ints) -> list[Row]:
        customer = self.history.entity[changes]
        columns = zip(
            (customer + self.plan.first_id).tolist(),
            [FIRST_NAMES[name] for name in self.first_name[customer].tolist()],
            [LAST_NAMES[name] for name in self.last_name[changes].tolist()],
            [CITIES[city] for city in self.city[changes].tolist()],
            self.consent[changes].tolist(),
            utc_text(self.created_at[customer]),
            utc_text(self.history.at[changes]),
            strict=True,
        )
        return [
            {
                "customer_id": number,
                "email": _email(first_name, last_name, number),
                "first_name": first_name,
                "last_name": last_name,
                "city": city,
                "country": country,
                "marketing_consent": bool(consent),
                "created_at": created_at,
                "updated_at": updated_at,
            }
            for number, first_name, last_name, (city, country), consent, created_at, updated_at in columns
        ]


def customers_of(plan: Plan, population: Population) -> Customers:
    draw = plan.draw("customers")
    history, is_delete = _history(plan, population, draw)
    log = log_of(plan, history, is_delete, draw)
    moves, decides, marries = _kinds(history, draw)
    joined = history.at[history.first]
    size = len(history)
    return Customers(
        topic="bookstore.customers",
        plan=plan,
        entity=history.entity[log.source],
        at=history.at[log.source],
        log=log,
        history=history,
        created_at=np.where(joined == plan.opens_at, joined - draw.integers(DAY, EARLIEST, len(population)), joined),
        first_name=draw.integers(0, len(FIRST_NAMES), len(population)),
        last_name=history.carried(draw.integers(0, len(LAST_NAMES), size), marries),
        city=history.carried(draw.integers(0, len(CITIES), size), moves),
        consent=history.carried((draw.random(size) < CONSENTS).astype(np.int64), decides),
    )


def _history(plan: Plan, population: Population, draw: np.random.Generator) -> tuple[History, Flags]:
    """Who asks to be forgotten does so a while after the last order, and nothing happens after that."""
    ordered = np.where(population.orders > 0, population.last_order_at, population.active_from)
    forgettable = ordered + ERASED_AFTER < plan.closes_at
    erased = forgettable & (draw.random(len(population)) < ERASED)
    earliest = np.minimum(ordered + ERASED_AFTER, plan.closes_at)
    until = np.where(erased, draw.integers(earliest, plan.closes_at, endpoint=True), plan.closes_at)
    changes = draw.poisson(CHANGES_A_YEAR * (until - population.active_from) / DAY / 365) + erased
    history = history_of(population.active_from, until, changes, draw)
    is_delete = erased[history.entity] & (history.left == 0)
    return dataclasses.replace(history, at=np.where(is_delete, until[history.entity], history.at)), is_delete


def _kinds(history: History, draw: np.random.Generator) -> tuple[Flags, Flags, Flags]:
    """Each change is a move, a decision about advertising, or a marriage."""
    kind = draw.random(len(history))
    return kind < MOVES, (kind >= MOVES) & (kind < MOVES + DECIDES), kind >= 1 - MARRIES


def _email(first_name: str, last_name: str, number: int) -> str:
    local = f"{first_name}.{last_name}.{number}".lower().replace(" ", "-").replace("'", "")
    return f"{local}@example.com"
