"""Which column of silver and gold comes from which: the one place that says so, proven by a test from Spark's plans."""

from collections.abc import Mapping
from dataclasses import dataclass

from spark_jobs.tables import (
    AUDIENCES,
    BOOKS_CHANGES,
    BOOKS_HISTORY,
    CAMPAIGN_RESULTS,
    CUSTOMER_ORDERS,
    CUSTOMER_SEGMENTS,
    CUSTOMER_VALUE,
    CUSTOMERS,
    CUSTOMERS_CHANGES,
    DRIFT,
    KMEANS_MODELS,
    ORDER_EVENTS,
    ORDER_LINE_ITEMS,
    ORDERS,
    RECOMMENDATIONS,
    RFM,
    RFM_SCHEMES,
    RFM_THRESHOLDS,
    SEGMENT_MIGRATIONS,
    SEGMENT_PROFILES,
    VALUE_MODELS,
    Table,
)

Source = tuple[Table, str]
"""A table and a column of it."""

Sources = frozenset[Source]


@dataclass(frozen=True)
class ColumnLineage:
    """Where a table's values come from.

    Attributes:
        columns: Each column that comes from others, with those that its value is computed from.
        rows: What decides which rows there are: filters, joins, groups and windows.
    """

    columns: Mapping[str, Sources]
    rows: Sources = frozenset()


def _of(table: Table, names: str) -> Sources:
    return frozenset((table, name) for name in names.split())


def _same(table: Table, names: str) -> dict[str, Sources]:
    """Columns that are taken over as they are."""
    return {name: _of(table, name) for name in names.split()}


def _each(names: str, sources: Sources) -> dict[str, Sources]:
    """Columns that come from the same ones."""
    return dict.fromkeys(names.split(), sources)


_COUNTED = _of(CUSTOMERS, "customer_id") | _of(ORDERS, "customer_id net_amount ordered_at status")
"""What decides which orders count."""
_FEATURES = _of(RFM, "recency_days frequency monetary")
_OF_DATE = _FEATURES | _of(RFM, "snapshot_date")
_CHAMPION = _of(KMEANS_MODELS, "model")
_SEGMENTS = _of(RFM, "customer_id rfm_segment snapshot_date")
_TASTES = _COUNTED | _of(ORDERS, "order_id")
_TASTES |= _of(ORDER_LINE_ITEMS, "book_id customer_id genre order_id ordered_at quantity returned_quantity")
"""What decides which books customers have, and so what all counts of them come from."""

_SCORES = _of(RFM, "r_score f_score m_score")
_RESPONSES = _of(AUDIENCES, "customer_id exported_at is_held_out") | _of(CUSTOMERS, "customer_id")
_RESPONSES |= _of(ORDERS, "customer_id net_amount ordered_at status")
"""What decides who of a campaign has bought."""

COLUMNS = {
    CUSTOMERS: ColumnLineage(
        _same(
            CUSTOMERS_CHANGES,
            "customer_id email first_name last_name city country marketing_consent created_at updated_at",
        ),
        _of(CUSTOMERS_CHANGES, "customer_id op sequence"),
    ),
    BOOKS_HISTORY: ColumnLineage(
        _same(BOOKS_CHANGES, "book_id isbn title author genre publisher price published_on updated_at")
        | _each("__START_AT __END_AT", _of(BOOKS_CHANGES, "sequence")),
        _of(BOOKS_CHANGES, "book_id op sequence"),
    ),
    ORDERS: ColumnLineage(
        _same(ORDER_EVENTS, "order_id customer_id status ordered_at updated_at currency lines")
        | _each("version", _of(ORDER_EVENTS, "value version"))
        | _each("net_amount", _of(ORDER_EVENTS, "lines status")),
        _of(ORDER_EVENTS, "order_id value version"),
    ),
    ORDER_LINE_ITEMS: ColumnLineage(
        _same(ORDERS, "order_id customer_id ordered_at")
        | _each("line_no book_id quantity unit_price returned_quantity", _of(ORDERS, "lines"))
        | _same(BOOKS_HISTORY, "title author genre")
        | _each("list_price", _of(BOOKS_HISTORY, "price")),
        _of(ORDERS, "lines ordered_at") | _of(BOOKS_HISTORY, "book_id __START_AT __END_AT"),
    ),
    CUSTOMER_ORDERS: ColumnLineage(
        _same(CUSTOMERS, "customer_id email first_name last_name city country marketing_consent")
        | _each("first_order_at last_order_at days_between_orders", _of(ORDERS, "ordered_at status"))
        | _each("orders cancelled_orders", _of(ORDERS, "status"))
        | _each("net_amount average_basket", _of(ORDERS, "net_amount status"))
        | _each("items_bought", _of(ORDER_LINE_ITEMS, "quantity"))
        | _each("items_returned", _of(ORDER_LINE_ITEMS, "returned_quantity"))
        | _each("returns_rate", _of(ORDER_LINE_ITEMS, "quantity returned_quantity"))
        | _each("favourite_genre", _of(ORDER_LINE_ITEMS, "genre quantity returned_quantity unit_price"))
        | _each("favourite_author", _of(ORDER_LINE_ITEMS, "author quantity returned_quantity unit_price")),
        _of(CUSTOMERS, "customer_id")
        | _of(ORDERS, "customer_id order_id status")
        | _of(ORDER_LINE_ITEMS, "author genre order_id quantity returned_quantity"),
    ),
    RFM: ColumnLineage(
        _same(ORDERS, "customer_id")
        | _each("recency_days", _of(ORDERS, "ordered_at"))
        | _each("frequency", _COUNTED - _of(CUSTOMERS, "customer_id"))
        | _each("monetary", _of(ORDERS, "net_amount"))
        | _each("r_score f_score m_score rfm_score rfm_segment", _COUNTED),
        _COUNTED,
    ),
    RFM_SCHEMES: ColumnLineage(
        _same(RFM, "snapshot_date customer_id") | _each("r_score f_score m_score rfm_score rfm_segment", _OF_DATE),
        _OF_DATE,
    ),
    CUSTOMER_SEGMENTS: ColumnLineage(
        _same(RFM, "snapshot_date customer_id rfm_segment")
        | _each("cluster_id cluster_name confidence", _FEATURES | _CHAMPION)
        | _each("model_version", _CHAMPION),
        _of(RFM, "snapshot_date"),
    ),
    SEGMENT_MIGRATIONS: ColumnLineage(
        _each("from_cluster to_cluster", _of(CUSTOMER_SEGMENTS, "cluster_id"))
        | _each("from_cluster_name to_cluster_name", _of(CUSTOMER_SEGMENTS, "cluster_name"))
        | _same(CUSTOMER_SEGMENTS, "model_version")
        | _each("customers", _of(CUSTOMER_SEGMENTS, "cluster_id cluster_name customer_id model_version snapshot_date")),
        _of(CUSTOMER_SEGMENTS, "cluster_id cluster_name customer_id model_version snapshot_date"),
    ),
    DRIFT: ColumnLineage(
        _each("snapshot_date earlier_date", _of(RFM, "snapshot_date"))
        | _same(RFM, "lookback_days")
        | _each(
            "psi bins customers earlier_customers threshold is_alarm",
            _FEATURES | _of(RFM, "rfm_segment snapshot_date") | _of(CUSTOMER_SEGMENTS, "cluster_id snapshot_date"),
        ),
        _of(RFM, "lookback_days snapshot_date") | _of(CUSTOMER_SEGMENTS, "model_version snapshot_date"),
    ),
    CUSTOMER_VALUE: ColumnLineage(
        _same(ORDERS, "customer_id") | _each("p_alive expected_purchases average_purchase expected_value", _COUNTED),
        _COUNTED,
    ),
    VALUE_MODELS: ColumnLineage(
        _each(
            "customers r alpha a b p q v tested_customers purchases_error purchases_error_of_last_period "
            "value_error value_error_of_last_period is_better verdict",
            _COUNTED,
        ),
        _COUNTED,
    ),
    RECOMMENDATIONS: ColumnLineage(
        _same(RFM, "rfm_segment")
        | _each("customer_id", _of(CUSTOMERS, "customer_id") | _of(ORDER_LINE_ITEMS, "customer_id"))
        | _each("book_id", _of(BOOKS_HISTORY, "book_id") | _of(ORDER_LINE_ITEMS, "book_id"))
        | _each("score", _TASTES | _SEGMENTS | _of(BOOKS_HISTORY, "genre"))
        | _each("rank", _TASTES | _SEGMENTS | _of(BOOKS_HISTORY, "book_id genre"))
        | _each("source", _TASTES | _of(BOOKS_HISTORY, "genre")),
        _TASTES | _SEGMENTS | _of(RFM, "lookback_days") | _of(BOOKS_HISTORY, "__START_AT __END_AT book_id genre"),
    ),
    AUDIENCES: ColumnLineage(
        _same(RFM, "customer_id snapshot_date")
        | _each("segment", _of(RFM, "rfm_segment"))
        | _each("is_held_out", _of(RFM, "customer_id")),
        _of(CUSTOMERS, "customer_id marketing_consent") | _of(RFM, "customer_id rfm_segment snapshot_date"),
    ),
    CAMPAIGN_RESULTS: ColumnLineage(
        _each(
            "written_to written_to_buyers written_to_rate written_to_revenue held_out held_out_buyers held_out_rate "
            "held_out_revenue rate_uplift rate_uplift_low rate_uplift_high revenue_uplift revenue_uplift_low "
            "revenue_uplift_high sample_ratio_p is_sample_ratio_alarm verdict",
            _RESPONSES,
        ),
        _RESPONSES,
    ),
    # What Python fits or sums up has no plan: it comes from what it is made of.
    RFM_THRESHOLDS: ColumnLineage(
        _each("threshold best_value customers", _FEATURES | _SCORES), _SCORES | _of(RFM, "snapshot_date")
    ),
    KMEANS_MODELS: ColumnLineage(
        _each("model_version k silhouette inertia model", _FEATURES)
        | _each("customers", _of(RFM, "customer_id"))
        | _same(RFM, "snapshot_date")
        | _each(
            "is_champion verdict moved_share awaits_approval champion_since decided_by",
            _FEATURES | _CHAMPION | _of(SEGMENT_PROFILES, "size"),
        ),
        _of(RFM, "snapshot_date"),
    ),
    SEGMENT_PROFILES: ColumnLineage(
        _each("model_version size recency_days frequency monetary", _FEATURES)
        | _each("cluster_id cluster_name", _FEATURES | _CHAMPION),
        _of(RFM, "snapshot_date"),
    ),
}
"""Of each table of silver and gold; all but `gold.reports`, which is a page."""
