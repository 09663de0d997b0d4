import numpy as np

from spark_jobs.segmentation.naming import names, order_of_value


def test_each_word_follows_from_one_feature() -> None:
    centres = np.array([[-1.2, 1.3, 1.3], [0.9, -0.6, -0.7], [1.3, 0.0, 0.6], [0.0, 0.7, 0.0], [0.4, -0.4, 0.0]])

    assert names(centres) == [
        "Active top-spending regulars",
        "Lapsed low-spending rare buyers",
        "Long-lapsed big-spending buyers",
        "Regulars",
        "Average buyers",
    ]


def test_an_edge_belongs_to_the_level_above_it() -> None:
    assert names(np.array([[-0.5, 0.5, 1.25]])) == ["Top-spending regulars"]


def test_no_name_twice_and_none_that_is_taken() -> None:
    centres = np.array([[0.0, 0.0, 0.1], [0.0, 0.0, 0.2], [0.0, 0.0, 0.3]])

    assert names(centres) == ["Average buyers 3", "Average buyers 2", "Average buyers"]
    assert names(centres, taken={"Average buyers 2"}) == ["Average buyers 4", "Average buyers 3", "Average buyers"]


def test_the_order_of_value_goes_by_money_then_orders_then_recency() -> None:
    centres = np.array([[1.0, 0.0, 5.0], [0.0, 0.0, 5.0], [9.0, 9.0, 1.0], [0.0, 1.0, 5.0]])

    assert order_of_value(centres) == [3, 1, 0, 2]
