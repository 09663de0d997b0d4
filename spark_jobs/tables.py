"""Every table's name, keys and columns: the one place that knows them.

A table lives at `<lake root>/<layer>/<name>` and is also known by name as `<layer>.<name>`.
Column lists are Spark DDL. Columns that a producer adds later are appended to the Delta schema, not here.
"""

import re
from dataclasses import dataclass

SEQUENCE = "struct<ts_ms:bigint,lsn:bigint>"
"""The order of Debezium events: the source's commit time in milliseconds, then its log position."""

ORDER_LINES = "array<struct<line_no:int,book_id:bigint,quantity:int,unit_price:decimal(10,2),returned_quantity:int>>"

ARRIVAL = """topic string, partition int, offset bigint, kafka_timestamp timestamp, key binary, value binary,
    ingested_at timestamp"""
CUSTOMER_ROW = """customer_id bigint, email string, first_name string, last_name string, city string, country string,
    marketing_consent boolean, created_at timestamp, updated_at timestamp"""
BOOK_ROW = """book_id bigint, isbn string, title string, author string, genre string, publisher string,
    price decimal(10,2), published_on date, updated_at timestamp"""
ORDER_ROW = f"""order_id string, customer_id bigint, status string, version bigint, ordered_at timestamp,
    updated_at timestamp, currency string, lines {ORDER_LINES}"""


def types(columns: str) -> dict[str, str]:
    """Each column's type by its name. A type holds no blank, which is what tells it from the next column."""
    return dict(column.split(maxsplit=1) for column in re.split(r",\s+", columns))


_PERSONAL = frozenset(
    ("customer_id", "email", "first_name", "last_name", "city", "country", "favourite_author", "reason", "note")
)
_WITHOUT_ORDER = ("binary", "boolean", "array", "map")


@dataclass(frozen=True)
class Table:
    """A Delta table of the lake.

    Attributes:
        layer: Schema name: `bronze`, `silver`, `gold` or `ops`.
        name: Name within the layer.
        keys: Columns that identify a row.
        columns: Spark DDL of the columns it is created with.
        partitioned_by: Physical partition columns.
        properties: Delta's properties that it is created with.
    """

    layer: str
    name: str
    keys: tuple[str, ...]
    columns: str
    partitioned_by: tuple[str, ...] = ()
    properties: tuple[tuple[str, str], ...] = ()

    @property
    def full_name(self) -> str:
        return f"{self.layer}.{self.name}"

    @property
    def is_about_customers(self) -> bool:
        """Whether a row may be about one: it names them, or holds a message of any topic."""
        names = types(self.columns)
        return "customer_id" in names or ("value" in names and "book_id" not in names)

    @property
    def statistics(self) -> list[str]:
        """The columns whose least and greatest values may be in Delta's log, which outlives the rows."""
        return [
            name
            for name, kind in types(self.columns).items()
            if name not in _PERSONAL and name not in self.partitioned_by and not kind.startswith(_WITHOUT_ORDER)
        ]


OFFSET = ("topic", "partition", "offset")
"""What tells messages apart."""

CUSTOMERS_CHANGES = Table(
    "bronze", "customers_changes", OFFSET, f"{ARRIVAL}, op string, sequence {SEQUENCE}, {CUSTOMER_ROW}"
)
BOOKS_CHANGES = Table("bronze", "books_changes", OFFSET, f"{ARRIVAL}, op string, sequence {SEQUENCE}, {BOOK_ROW}")
ORDER_EVENTS = Table("bronze", "order_events", OFFSET, f"{ARRIVAL}, {ORDER_ROW}")
QUARANTINE = Table("bronze", "quarantine", OFFSET, f"{ARRIVAL}, reason_code string, reason string")
REPAIRS = Table(
    "bronze",
    "repairs",
    (*OFFSET, "repaired_at"),
    "topic string, partition int, offset bigint, key binary, value binary, repaired_at timestamp, note string",
)
"""What people put in the place of messages that can't be read: `replay_quarantine` reads the latest of each."""

CUSTOMERS = Table("silver", "customers", ("customer_id",), CUSTOMER_ROW)
BOOKS_HISTORY = Table(
    "silver", "books_history", ("book_id", "__START_AT"), f"{BOOK_ROW}, __START_AT {SEQUENCE}, __END_AT {SEQUENCE}"
)
BOOKS_VIEW = "silver.books"
"""The same by name only, with `valid_from`, `valid_to` and `is_current`."""
ORDERS = Table(
    "silver",
    "orders",
    ("order_id",),
    f"{ORDER_ROW}, net_amount decimal(18,2)",
    # What `aggregate_rfm` brings a partition's totals up to date with.
    properties=(("delta.enableChangeDataFeed", "true"),),
)
ORDER_LINE_ITEMS = Table(
    "silver",
    "order_lines",
    ("order_id", "line_no"),
    """order_id string, line_no int, book_id bigint, quantity int, unit_price decimal(10,2), returned_quantity int,
    customer_id bigint, ordered_at timestamp, title string, author string, genre string, list_price decimal(10,2)""",
)

CUSTOMER_ORDERS = Table(
    "gold",
    "customer_orders",
    ("customer_id",),
    """customer_id bigint, email string, first_name string, last_name string, city string, country string,
    marketing_consent boolean, first_order_at timestamp, last_order_at timestamp, orders bigint,
    net_amount decimal(18,2), average_basket decimal(18,2), items_bought bigint, items_returned bigint,
    returns_rate double, days_between_orders double, cancelled_orders bigint, favourite_genre string,
    favourite_author string""",
)
RFM = Table(
    "gold",
    "rfm",
    ("snapshot_date", "customer_id"),
    """snapshot_date date, customer_id bigint, lookback_days int, recency_days int, frequency bigint,
    monetary decimal(18,2), r_score int, f_score int, m_score int, rfm_score string, rfm_segment string""",
    partitioned_by=("snapshot_date",),
)
RFM_SCHEMES = Table(
    "gold",
    "rfm_schemes",
    ("scheme", "snapshot_date", "customer_id"),
    """scheme string, snapshot_date date, customer_id bigint, r_score int, f_score int, m_score int, rfm_score string,
    rfm_segment string""",
    partitioned_by=("scheme", "snapshot_date"),
)
"""What a scheme of the shop's own makes of the customers of `gold.rfm`."""
RFM_THRESHOLDS = Table(
    "gold",
    "rfm_thresholds",
    ("scheme", "snapshot_date", "metric", "score"),
    """scheme string, snapshot_date date, metric string, score int, threshold decimal(18,2), best_value decimal(18,2),
    customers bigint""",
    partitioned_by=("scheme", "snapshot_date"),
)
"""From which value on a partition's customers have a score, of the contract's scheme and of the shop's own."""
CUSTOMER_SEGMENTS = Table(
    "gold",
    "customer_segments",
    ("snapshot_date", "customer_id"),
    """snapshot_date date, customer_id bigint, cluster_id int, cluster_name string, confidence double,
    rfm_segment string, model_version string""",
    partitioned_by=("snapshot_date",),
)
SEGMENT_PROFILES = Table(
    "gold",
    "segment_profiles",
    ("model_version", "cluster_id"),
    """model_version string, cluster_id int, cluster_name string, size bigint, recency_days double, frequency double,
    monetary double""",
)
KMEANS_MODELS = Table(
    "gold",
    "kmeans_models",
    ("model_version",),
    """model_version string, trained_at timestamp, snapshot_date date, customers bigint, k int, seed int,
    silhouette double, inertia double, model string, is_champion boolean, verdict string, data_version bigint,
    moved_share double, awaits_approval boolean, champion_since timestamp, decided_by string""",
)
"""Every trained model: from which version of `gold.rfm`, what was decided, and since when it was last champion."""
SEGMENT_MIGRATIONS = Table(
    "gold",
    "segment_migrations",
    ("from_date", "to_date", "from_cluster", "to_cluster"),
    """from_date date, to_date date, from_cluster int, to_cluster int, customers bigint, from_cluster_name string,
    to_cluster_name string, model_version string""",
    partitioned_by=("to_date",),
)
DRIFT = Table(
    "gold",
    "drift",
    ("snapshot_date", "feature"),
    """snapshot_date date, feature string, earlier_date date, lookback_days int, psi double, bins int, customers bigint,
    earlier_customers bigint, threshold double, is_alarm boolean""",
    partitioned_by=("snapshot_date",),
)
CUSTOMER_VALUE = Table(
    "gold",
    "customer_value",
    ("snapshot_date", "customer_id"),
    """snapshot_date date, customer_id bigint, horizon_days int, p_alive double, expected_purchases double,
    average_purchase decimal(18,2), expected_value decimal(18,2)""",
    partitioned_by=("snapshot_date",),
)
VALUE_MODELS = Table(
    "gold",
    "value_models",
    ("snapshot_date",),
    """snapshot_date date, customers bigint, r double, alpha double, a double, b double, p double, q double, v double,
    horizon_days int, tested_customers bigint, purchases_error double, purchases_error_of_last_period double,
    value_error double, value_error_of_last_period double, is_better boolean, verdict string""",
    partitioned_by=("snapshot_date",),
)
RECOMMENDATIONS = Table(
    "gold",
    "recommendations",
    ("snapshot_date", "customer_id", "rank"),
    "snapshot_date date, customer_id bigint, rank int, book_id bigint, score double, source string, rfm_segment string",
    partitioned_by=("snapshot_date",),
)
AUDIENCES = Table(
    "gold",
    "audiences",
    ("campaign", "customer_id"),
    """campaign string, customer_id bigint, snapshot_date date, segment string, is_held_out boolean,
    exported_at timestamp, held_out_share double""",
    partitioned_by=("campaign",),
)
CAMPAIGN_RESULTS = Table(
    "gold",
    "campaign_results",
    ("campaign", "window_end"),
    """campaign string, window_end timestamp, response_days int, orders_until timestamp, is_over boolean,
    held_out_share double, written_to bigint, written_to_buyers bigint, written_to_rate double,
    written_to_revenue double, held_out bigint, held_out_buyers bigint, held_out_rate double, held_out_revenue double,
    rate_uplift double, rate_uplift_low double, rate_uplift_high double, revenue_uplift double,
    revenue_uplift_low double, revenue_uplift_high double, sample_ratio_p double, is_sample_ratio_alarm boolean,
    verdict string, measured_at timestamp""",
)
"""Of each campaign that was measured, its two groups; revenue is per customer. Nobody is named."""
REPORTS = Table(
    "gold",
    "reports",
    ("snapshot_date",),
    "snapshot_date date, written_at timestamp, html string",
    partitioned_by=("snapshot_date",),
)

INGEST_AUDIT = Table(
    "ops",
    "ingest_audit",
    ("batch_id", "topic", "partition"),
    """batch_id string, topic string, partition int, first_offset bigint, last_offset bigint, bronze_rows bigint,
    quarantine_rows bigint, missing_offsets bigint, missing_reason string, written_at timestamp,
    quarantined map<string,bigint>, newest_at timestamp, lag_seconds double, duration_seconds double""",
)
EXPECTATIONS = Table(
    "ops",
    "expectations",
    ("checked_at", "topic", "expectation"),
    """checked_at timestamp, topic string, expectation string, most double, found double, is_met boolean,
    messages bigint""",
)
"""Of each run in which messages arrived, what was expected of them: see `expectations`."""
SCHEMA_CHANGES = Table(
    "ops",
    "schema_changes",
    ("topic", "field", "change"),
    """topic string, field string, change string, type string, partition int, offset bigint, batch_id string,
    seen_at timestamp""",
)
"""What is new in the messages, and where it was seen first: see `schema_changes`."""
BOOK_REVISIONS = Table(
    "ops", "book_revisions", ("book_id", "since_ms"), "book_id bigint, since_ms bigint, recorded_at timestamp"
)
"""From when on a book's history has changed: what tells `merge_orders` which lines to describe again."""
RFM_TOTALS = Table(
    "ops",
    "rfm_totals",
    ("snapshot_date", "lookback_days", "customer_id"),
    """lookback_days int, snapshot_date date, orders_id string, orders_version bigint, customer_id bigint,
    last_day date, orders bigint, cents bigint""",
    partitioned_by=("lookback_days", "snapshot_date", "orders_id", "orders_version"),
)
"""What the orders of a partition of `gold.rfm` add up to, as of a version of `silver.orders`: where later runs start
from. It can be emptied at any time."""
FORGOTTEN_CUSTOMERS = Table(
    "ops",
    "forgotten_customers",
    ("digest",),
    "digest string, salt string, forgotten_at timestamp, completed_at timestamp",
)
"""Whose messages are blanked when they arrive."""
ERASURES = Table(
    "ops",
    "erasures",
    ("digest", "holder"),
    "digest string, holder string, rows bigint, begun bigint, erased_at timestamp",
)
"""How many rows of whom were erased where, and of how many it isn't known yet whether they are."""

LAYERS = ("bronze", "silver", "gold", "ops")


def all_tables() -> list[Table]:
    """Every table of the lake."""
    return [value for value in globals().values() if isinstance(value, Table)]
