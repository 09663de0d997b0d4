"""The whole bookstore: three topics made up from one plan."""

from dataclasses import dataclass

from localcloud.bookstore.baskets import baskets_of
from localcloud.bookstore.books import Books, books_of
from localcloud.bookstore.calendar import calendar_of
from localcloud.bookstore.catalogue import catalogue_of
from localcloud.bookstore.customers import Customers, customers_of
from localcloud.bookstore.orders import Orders, orders_of
from localcloud.bookstore.plan import Plan
from localcloud.bookstore.population import Population, population_of, visits_of
from localcloud.bookstore.stream import Stream


@dataclass(frozen=True)
class Shop:
    """A bookstore's planned events: about 300 bytes for each order, whatever the messages' size."""

    plan: Plan
    population: Population
    customers: Customers
    books: Books
    orders: Orders

    @property
    def streams(self) -> tuple[Stream, ...]:
        """In the order in which they are sent: customers and books before the orders that refer to them."""
        return (self.customers, self.books, self.orders)


def shop_of(plan: Plan) -> Shop:
    calendar = calendar_of(plan)
    catalogue = catalogue_of(plan)
    population = population_of(plan, catalogue, calendar)
    visits = visits_of(plan, population, calendar)
    baskets = baskets_of(plan, population, catalogue, visits)
    return Shop(
        plan=plan,
        population=population,
        customers=customers_of(plan, population),
        books=books_of(plan, catalogue),
        orders=orders_of(plan, visits, baskets),
    )
