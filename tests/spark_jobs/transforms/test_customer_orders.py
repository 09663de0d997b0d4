from decimal import Decimal

from pyspark.sql import DataFrame, SparkSession

from spark_jobs.tables import CUSTOMERS
from spark_jobs.transforms.customer_orders import customer_orders
from tests.spark_jobs.bookstore import Row, customers, frame, order, order_lines, orders

AT = "2026-01-10T12:00:00"


def line(order_id: str, quantity: int, price: str, *, returned: int = 0, genre: str | None, author: str | None) -> Row:
    return {
        "order_id": order_id,
        "line_no": 1,
        "quantity": quantity,
        "unit_price": Decimal(price),
        "returned_quantity": returned,
        "genre": genre,
        "author": author,
    }


def in_utc(actual_df: DataFrame) -> DataFrame:
    """Timestamps as text in the session's zone; collected ones would be in the zone of the machine."""
    names = ["first_order_at", "last_order_at"]
    return actual_df.withColumns({name: actual_df[name].cast("string") for name in names})


def test_every_column_of_a_customer_with_orders_returns_and_a_cancellation(spark: SparkSession) -> None:
    anna = {
        "customer_id": 1,
        "email": "anna@example.org",
        "first_name": "Anna",
        "last_name": "Berg",
        "city": "Wien",
        "country": "AT",
        "marketing_consent": True,
    }
    history = [
        order("O-1", 1, "2026-01-01T06:00:00", "10.00"),
        order("O-2", 1, "2026-01-02T06:00:00", "10.00"),
        order("O-3", 1, "2026-01-05T18:00:00", "0.01", "returned"),
        order("O-4", 1, "2026-01-20T00:00:00", "0.00", "cancelled"),
    ]
    lines = [
        line("O-1", 2, "5.00", genre="Crime", author="Ito"),
        line("O-2", 2, "7.50", returned=1, genre="Crime", author="Roy"),
        line("O-3", 4, "2.00", returned=1, genre="Poetry", author="Roy"),
        line("O-4", 9, "9.99", genre="Travel", author="Zweig"),  # cancelled: counts nowhere
    ]

    actual_df = customer_orders(frame(spark, CUSTOMERS, [anna]), orders(spark, history), order_lines(spark, lines))

    assert [row.asDict() for row in in_utc(actual_df).collect()] == [
        {
            **anna,
            "first_order_at": "2026-01-01 06:00:00",
            "last_order_at": "2026-01-05 18:00:00",
            "orders": 3,
            "net_amount": Decimal("20.01"),
            "average_basket": Decimal("6.67"),
            "items_bought": 8,
            "items_returned": 2,
            "returns_rate": 0.25,
            "days_between_orders": 2.25,
            "cancelled_orders": 1,
            "favourite_genre": "Crime",  # three kept copies each: more was spent on Crime
            "favourite_author": "Roy",
        }
    ]


def test_only_customers_have_rows_and_all_of_them_do(spark: SparkSession) -> None:
    history = [
        order("O-1", 2, AT, "0.00", "cancelled"),
        order("O-2", 3, AT, "5.00"),
        order("O-3", None, AT, "5.00"),  # a guest
        order("O-4", 9, AT, "5.00"),  # no longer a customer
    ]

    actual_df = customer_orders(customers(spark, 1, 2, 3), orders(spark, history), order_lines(spark, []))

    columns = ["customer_id", "orders", "cancelled_orders", "net_amount", "average_basket", "items_bought"]
    columns += ["returns_rate", "days_between_orders", "first_order_at", "favourite_genre"]
    nothing, at = Decimal("0.00"), "2026-01-10 12:00:00"
    assert sorted(tuple(row) for row in in_utc(actual_df).select(columns).collect()) == [
        (1, 0, 0, nothing, None, 0, None, None, None, None),
        (2, 0, 1, nothing, None, 0, None, None, None, None),
        (3, 1, 0, Decimal("5.00"), Decimal("5.00"), 0, None, None, at, None),
    ]


def test_favourites_on_a_tie_are_the_first_by_name_and_unknown_books_have_none(spark: SparkSession) -> None:
    history = [order("O-1", 1, AT, "10.00"), order("O-2", 1, AT, "10.00"), order("O-3", 1, AT, "50.00")]
    lines = [
        line("O-1", 1, "10.00", genre="Science", author="Ueda"),
        line("O-2", 2, "5.00", returned=1, genre="Crime", author="Abe"),
        line("O-2", 1, "5.00", genre="Crime", author=None),
        line("O-1", 1, "0.00", genre="Science", author=None),
        line("O-3", 5, "10.00", genre=None, author=None),  # no version of that book was in force
    ]

    actual_df = customer_orders(customers(spark, 1), orders(spark, history), order_lines(spark, lines))

    favourites = actual_df.select("favourite_genre", "favourite_author", "items_bought", "items_returned").first()
    assert tuple(favourites or ()) == ("Crime", "Ueda", 10, 1)
