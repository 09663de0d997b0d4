"""What each step reads and writes: the one place that says so."""

from dataclasses import dataclass

from spark_jobs.tables import (
    AUDIENCES,
    BOOK_REVISIONS,
    BOOKS_CHANGES,
    BOOKS_HISTORY,
    CAMPAIGN_RESULTS,
    CUSTOMER_ORDERS,
    CUSTOMER_SEGMENTS,
    CUSTOMER_VALUE,
    CUSTOMERS,
    CUSTOMERS_CHANGES,
    DRIFT,
    EXPECTATIONS,
    FORGOTTEN_CUSTOMERS,
    INGEST_AUDIT,
    KMEANS_MODELS,
    ORDER_EVENTS,
    ORDER_LINE_ITEMS,
    ORDERS,
    QUARANTINE,
    RECOMMENDATIONS,
    REPAIRS,
    REPORTS,
    RFM,
    RFM_SCHEMES,
    RFM_THRESHOLDS,
    RFM_TOTALS,
    SCHEMA_CHANGES,
    SEGMENT_MIGRATIONS,
    SEGMENT_PROFILES,
    VALUE_MODELS,
    Table,
)
from spark_jobs.topics import TOPICS


@dataclass(frozen=True)
class Step:
    """A step's tables.

    Attributes:
        reads: Those whose rows it works with.
        makes: Those whose rows it makes of what it reads: events say of each column which ones it comes from.
        amends: Those in which it changes rows or keeps its accounts.
        topics: Kafka's topics that it reads.
    """

    reads: tuple[Table, ...] = ()
    makes: tuple[Table, ...] = ()
    amends: tuple[Table, ...] = ()
    topics: tuple[str, ...] = ()


_BRONZE = (*TOPICS.values(), QUARANTINE)
_SILVER = (CUSTOMERS, BOOKS_HISTORY, ORDERS, ORDER_LINE_ITEMS)
_OF_CUSTOMERS = (CUSTOMER_ORDERS, RFM, RFM_THRESHOLDS, CUSTOMER_SEGMENTS, CUSTOMER_VALUE, RECOMMENDATIONS)
_OF_MODELS = (KMEANS_MODELS, VALUE_MODELS, DRIFT, SEGMENT_MIGRATIONS)

STEPS = {
    "ingest_events": Step(
        (FORGOTTEN_CUSTOMERS,), amends=(*_BRONZE, INGEST_AUDIT, SCHEMA_CHANGES, EXPECTATIONS), topics=tuple(TOPICS)
    ),
    "replay_quarantine": Step(
        (QUARANTINE, REPAIRS, FORGOTTEN_CUSTOMERS, SCHEMA_CHANGES), amends=(*_BRONZE, INGEST_AUDIT)
    ),
    "merge_customers": Step((CUSTOMERS_CHANGES,), (CUSTOMERS,)),
    "upsert_books": Step((BOOKS_CHANGES,), (BOOKS_HISTORY,), (BOOK_REVISIONS,)),
    "merge_orders": Step((ORDER_EVENTS, BOOK_REVISIONS, BOOKS_HISTORY, ORDERS), (ORDERS, ORDER_LINE_ITEMS)),
    "merge_customer_orders": Step((CUSTOMERS, ORDERS, ORDER_LINE_ITEMS), (CUSTOMER_ORDERS,)),
    # Schemes only where the shop has one of its own.
    "aggregate_rfm": Step((CUSTOMERS, ORDERS, RFM), (RFM, RFM_THRESHOLDS, RFM_SCHEMES), (RFM_TOTALS,)),
    "assign_segments": Step((RFM, KMEANS_MODELS), (CUSTOMER_SEGMENTS,)),
    "measure_drift": Step((RFM, CUSTOMER_SEGMENTS), (DRIFT, SEGMENT_MIGRATIONS)),
    "estimate_value": Step((CUSTOMERS, ORDERS), (CUSTOMER_VALUE, VALUE_MODELS)),
    "recommend_books": Step((CUSTOMERS, ORDERS, ORDER_LINE_ITEMS, BOOKS_HISTORY, RFM), (RECOMMENDATIONS,)),
    "write_report": Step(
        (
            *_BRONZE,
            INGEST_AUDIT,
            SCHEMA_CHANGES,
            *_SILVER,
            *_OF_CUSTOMERS,
            *_OF_MODELS,
            RFM_THRESHOLDS,
            CAMPAIGN_RESULTS,
        ),
        (REPORTS,),
    ),
    "train_kmeans": Step((RFM, KMEANS_MODELS, SEGMENT_PROFILES), (KMEANS_MODELS, SEGMENT_PROFILES)),
    "promote_model": Step((KMEANS_MODELS,), amends=(KMEANS_MODELS,)),
    "export_audience": Step((CUSTOMERS, RFM), (AUDIENCES,)),
    "measure_campaign": Step((AUDIENCES, CUSTOMERS, ORDERS), (CAMPAIGN_RESULTS,)),
    # Rows go or move, and no column comes from another.
    "forget_customer": Step(),
    "maintain_tables": Step(),
}
