"""What every DAG here has to keep to."""

import ast
import inspect
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from airflow.dag_processing.dagbag import DagBag
from airflow.sdk import DAG, AssetAll, BaseOperator, CronPartitionTimetable, CronTriggerTimetable, TriggerRule
from airflow.serialization.definitions.dag import SerializedDAG
from airflow.serialization.serialized_objects import DagSerialization

from include.assets import BRONZE
from include.cluster_operators import StartClusterOperator, StopClusterOperator
from include.operators import ApproveModelOperator, SubmitJobOperator, SyncStorageKeyOperator

DAGS = Path(__file__).parents[2] / "dags"
STEPS = {
    "export_audience": ["sync_storage_key", "export_audience"],
    "forget_customer": ["sync_storage_key", "forget_customer"],
    "ingest_events": ["sync_storage_key", "ingest_events"],
    "measure_campaign": ["sync_storage_key", "measure_campaign"],
    "refresh_silver": [
        "sync_storage_key",
        "merge_customers",
        "upsert_books",
        "merge_orders",
        "merge_customer_orders",
    ],
    "segment_customers": [
        "sync_storage_key",
        "aggregate_rfm",
        "assign_segments",
        "measure_drift",
        "estimate_value",
        "recommend_books",
        "write_report",
    ],
    "train_kmeans": ["sync_storage_key", "train_kmeans", "approve_model", "promote_model"],
    "promote_model": ["sync_storage_key", "promote_model"],
    "replay_quarantine": ["sync_storage_key", "replay_quarantine"],
    "maintain_tables": ["sync_storage_key", "maintain_tables"],
}
SHARING = {"refresh_silver", "segment_customers"}


@pytest.fixture(scope="module")
def bag() -> DagBag:
    with pytest.MonkeyPatch.context() as patch:
        return bag_with(patch)


def bag_with(patch: pytest.MonkeyPatch) -> DagBag:
    """The DAGs as a configured machine parses them."""
    patch.setenv("LAKE_ROOT", "abfss://bookstore@bookstorelake.dfs.core.windows.net/lake")
    patch.setenv("BOOKSTORE_WHEEL", "/Workspace/Shared/bookstore/wheels/0.1.0-4f3a9c2b7d10/x.whl")
    patch.setenv("KAFKA_BOOTSTRAP_SERVERS", "kafka:9092")
    patch.delenv("BOOKSTORE_SETTINGS_FILE", raising=False)
    return DagBag(str(DAGS))


@pytest.fixture(params=sorted(STEPS))
def dag(bag: DagBag, request: pytest.FixtureRequest) -> DAG:
    return bag.dags[request.param]


def test_files_hold_one_dag_each_by_their_own_name(bag: DagBag) -> None:
    assert bag.import_errors == {}
    assert {dag_id: Path(dag.fileloc).stem for dag_id, dag in bag.dags.items()} == {name: name for name in STEPS}


def test_tasks_are_the_steps(dag: DAG) -> None:
    sync, *steps = STEPS[dag.dag_id]
    around = ["start_cluster", "stop_cluster"] if dag.dag_id in SHARING else []
    assert [task.task_id for task in dag.tasks] == [sync, *around, *steps]


def test_the_storage_key_comes_first(dag: DAG) -> None:
    (first,) = dag.roots
    assert isinstance(first, SyncStorageKeyOperator)
    kinds = (SubmitJobOperator, ApproveModelOperator)
    assert all(isinstance(dag.get_task(step), kinds) for step in STEPS[dag.dag_id][1:])


def test_steps_share_a_cluster_where_there_are_several() -> None:
    """A single one has a cluster of its own, at the price of jobs; `ingest_events` may stay on it for an hour.

    In `train_kmeans` a person may take days between the two.
    """
    assert {dag_id for dag_id, steps in STEPS.items() if len(steps) > 2} == SHARING | {"train_kmeans"}


@pytest.mark.parametrize("dag_id", sorted(SHARING))
def test_a_cluster_is_started_before_the_steps_and_deleted_after_them(bag: DagBag, dag_id: str) -> None:
    dag = bag.dags[dag_id]
    start, stop = dag.get_task("start_cluster"), dag.get_task("stop_cluster")
    assert isinstance(start, StartClusterOperator)
    assert isinstance(stop, StopClusterOperator)
    assert (start.is_setup, stop.is_teardown, dag.leaves) == (True, True, [stop])
    # Whether the cluster could be deleted says nothing about the data: the steps decide how the run ended.
    assert stop.on_failure_fail_dagrun is False
    assert "start_cluster" in stop.upstream_task_ids
    for step in STEPS[dag.dag_id][1:]:
        ahead = dag.get_task(step).get_flat_relatives(upstream=True)
        assert {"sync_storage_key", "start_cluster"} <= {task.task_id for task in ahead}


@pytest.mark.parametrize("dag_id", sorted(STEPS))
def test_clearing_a_step_brings_key_and_cluster_back(bag: DagBag, dag_id: str) -> None:
    for number, step in enumerate(STEPS[dag_id][1:], 1):
        subset = serialized(bag, dag_id).partial_subset([step], include_downstream=True, include_upstream=False)
        cleared = set(subset.task_dict)
        around = {"start_cluster", "stop_cluster"} if dag_id in SHARING else set()
        assert {"sync_storage_key", step, *around} <= cleared
        earlier = set(STEPS[dag_id][1:number])
        assert cleared.isdisjoint(earlier - {"upsert_books"})


def serialized(bag: DagBag, dag_id: str) -> SerializedDAG:
    """The DAG as Airflow's server knows it."""
    return DagSerialization.from_dict(DagSerialization.to_dict(bag.dags[dag_id]))


def test_operators_know_who_to_ask_and_what_it_runs(dag: DAG) -> None:
    assert dag.owner == "bookstore"
    assert {"bookstore", "wheel 0.1.0-4f3a9c2b7d10"} <= dag.tags
    assert dag.description
    assert dag.doc_md is not None
    assert "**It is red: what now?**" in dag.doc_md
    assert all(f"`{task.task_id}`" in dag.doc_md for task in dag.roots)


def test_nothing_runs_without_end(dag: DAG) -> None:
    assert dag.dagrun_timeout is not None
    assert dag.catchup is False
    for task in dag.tasks:
        assert isinstance(task, BaseOperator)
        assert task.retries == 2
        assert task.execution_timeout == timedelta(minutes=10)
        if isinstance(task, SubmitJobOperator):
            assert task.deferrable
            assert task.timeout <= dag.dagrun_timeout


def test_parameters_are_explained(dag: DAG) -> None:
    for name in dag.params:
        param = dag.params.get_param(name)
        assert "type" in param.schema, name
        assert param.schema["title"], name
        assert param.schema["description_md"], name
    assert "compute" in dag.params


def test_only_what_shares_no_rows_runs_side_by_side(bag: DagBag) -> None:
    assert {name: dag.max_active_runs for name, dag in bag.dags.items()} == {
        "export_audience": 1,
        "forget_customer": 1,
        "ingest_events": 1,
        "measure_campaign": 1,
        "refresh_silver": 1,
        "segment_customers": 4,
        "train_kmeans": 1,
        "promote_model": 1,
        "replay_quarantine": 1,
        "maintain_tables": 1,
    }


def test_silver_is_refreshed_when_rows_arrived(bag: DagBag) -> None:
    ingest = bag.dags["ingest_events"].get_task("ingest_events")
    assert isinstance(ingest, SubmitJobOperator)
    assert ingest.emits == BRONZE
    assert bag.dags["refresh_silver"].timetable.asset_condition == AssetAll(BRONZE)
    assert ingest.parameters["kafka_bootstrap_servers"] == "kafka:9092"


def test_replayed_messages_refresh_silver_too(bag: DagBag) -> None:
    replay = bag.dags["replay_quarantine"].get_task("replay_quarantine")
    assert isinstance(replay, SubmitJobOperator)
    assert replay.emits == BRONZE
    assert bag.dags["replay_quarantine"].schedule is None


def test_forgetting_asks_for_the_customer_twice(bag: DagBag) -> None:
    forget = bag.dags["forget_customer"]
    assert forget.schedule is None
    for name in ("customer_id", "confirm"):
        param = forget.params.get_param(name)
        assert (param.schema["type"], param.has_value) == ("integer", False)


def test_what_a_run_may_say_about_ingest_has_the_settings_as_default(monkeypatch: pytest.MonkeyPatch) -> None:
    ingest = bag_with(monkeypatch).dags["ingest_events"]
    assert (ingest.params["realtime"], ingest.params["lost_messages"]) == (False, "stop")
    monkeypatch.setenv("BOOKSTORE_REALTIME", "true")
    monkeypatch.setenv("BOOKSTORE_LOST_MESSAGES", "record")
    monkeypatch.setenv("BOOKSTORE_MAX_BRONZE_AGE_MINUTES", "90")
    monkeypatch.setenv("BOOKSTORE_MAX_QUARANTINED_PERCENT", "5")
    ingest = bag_with(monkeypatch).dags["ingest_events"]
    assert (ingest.params["realtime"], ingest.params["lost_messages"]) == (True, "record")
    task = ingest.get_task("ingest_events")
    assert isinstance(task, SubmitJobOperator)
    assert (task.parameters["max_age_minutes"], task.parameters["max_quarantined_percent"]) == (90, 5)


def test_a_scheme_of_the_shops_own_is_handed_to_rfm(monkeypatch: pytest.MonkeyPatch) -> None:
    scheme = '{"name": "reach", "frequency": [4], "segments": {"New": ["R1 F1"]}}'
    monkeypatch.setenv("BOOKSTORE_RFM_SCHEME", scheme)
    task = bag_with(monkeypatch).dags["segment_customers"].get_task("aggregate_rfm")
    assert isinstance(task, SubmitJobOperator)
    assert task.parameters["scheme"] == scheme
    assert task.render_template(task.parameters["scheme"], {}) == scheme


def test_orders_wait_for_customers_and_books(bag: DagBag) -> None:
    refresh = bag.dags["refresh_silver"]
    upstream = {task.task_id: task.upstream_task_ids for task in refresh.tasks}
    assert upstream == {
        "sync_storage_key": set(),
        "start_cluster": {"sync_storage_key"},
        "merge_customers": {"start_cluster"},
        "upsert_books": {"start_cluster"},
        "merge_orders": {"merge_customers", "upsert_books"},
        "merge_customer_orders": {"merge_orders"},
        "stop_cluster": {"start_cluster", "merge_customer_orders"},
    }


def test_a_model_that_nobody_approves_stays_out_before_the_next_one_is_trained(bag: DagBag) -> None:
    train = bag.dags["train_kmeans"]
    approval, promotion = train.get_task("approve_model"), train.get_task("promote_model")
    assert isinstance(approval, ApproveModelOperator)
    assert (approval.defaults, approval.response_timeout) == (["Reject"], timedelta(days=5))
    assert train.dagrun_timeout is not None
    assert timedelta(days=5) < train.dagrun_timeout < timedelta(days=7)
    assert approval.upstream_task_ids == {"train_kmeans"}
    assert promotion.upstream_task_ids == {"approve_model"}
    assert promotion.trigger_rule is TriggerRule.ALL_SUCCESS


def test_segments_have_one_partition_per_day(bag: DagBag) -> None:
    assert bag.dags["segment_customers"].timetable == CronPartitionTimetable(
        "0 0 * * *", timezone="UTC", run_offset=-1, key_format="%Y-%m-%d"
    )


def test_what_needs_rfm_alone_runs_side_by_side(bag: DagBag) -> None:
    segment = bag.dags["segment_customers"]
    upstream = {task.task_id: task.upstream_task_ids for task in segment.tasks}
    assert upstream == {
        "sync_storage_key": set(),
        "start_cluster": {"sync_storage_key"},
        "aggregate_rfm": {"start_cluster"},
        "assign_segments": {"aggregate_rfm"},
        "measure_drift": {"aggregate_rfm", "assign_segments"},
        "estimate_value": {"aggregate_rfm"},
        "recommend_books": {"aggregate_rfm"},
        "write_report": set(STEPS["segment_customers"][1:-1]),
        "stop_cluster": {"start_cluster", "write_report"},
    }


@pytest.mark.parametrize("step", ["measure_drift", "write_report"])
def test_what_was_skipped_is_done_without(bag: DagBag, step: str) -> None:
    assert bag.dags["segment_customers"].get_task(step).trigger_rule is TriggerRule.NONE_FAILED_MIN_ONE_SUCCESS


@pytest.mark.parametrize(("dag_id", "cron"), [("train_kmeans", "0 3 * * 1"), ("maintain_tables", "0 4 * * 0")])
def test_a_new_installation_does_nothing_weekly_before_its_first_week_is_over(
    bag: DagBag, dag_id: str, cron: str
) -> None:
    assert bag.dags[dag_id].timetable == CronTriggerTimetable(cron, timezone="UTC", run_immediately=timedelta(0))


@pytest.mark.parametrize("file", sorted(DAGS.glob("*.py")), ids=lambda file: file.stem)
def test_files_only_declare(file: Path) -> None:
    tree = ast.parse(file.read_text())
    assert [type(node) for node in tree.body if not isinstance(node, ast.ImportFrom)] == [ast.Expr, ast.With]
    names = {name.id for name in ast.walk(tree) if isinstance(name, ast.Name)}
    assert names.isdisjoint({"Variable", "open", "Connection", "BaseHook", "datetime"})


def test_parsing_imports_no_client_that_is_slow() -> None:
    """A DAG file is parsed every half minute, and at the start of each of its tasks."""
    source = inspect.cleandoc(
        """
        import sys
        from airflow.providers.databricks.operators.databricks import DatabricksSubmitRunOperator
        before = set(sys.modules)
        import include.operators, include.parameters, include.dag_defaults, include.assets
        print(*{name.split(".")[0] for name in set(sys.modules) - before} - {"include"})
        """
    )
    done = subprocess.run([sys.executable, "-c", source], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    assert loaded.isdisjoint({"azure", "pyspark", "pandas", "msal", "spark_jobs", "localcloud"})
    assert "pydantic_settings" in loaded
