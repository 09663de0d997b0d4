"""Everything that the workspace remembers across restarts, except files and secrets."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import JSON, Engine, Select, create_engine, event, inspect, text, update
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, sessionmaker
from sqlalchemy.pool import ConnectionPoolEntry

TERMINAL = ("TERMINATED", "SKIPPED", "INTERNAL_ERROR")


class Base(DeclarativeBase):
    pass


class Job(Base):
    __tablename__ = "jobs"
    __table_args__ = {"sqlite_autoincrement": True}  # noqa: RUF012 - SQLAlchemy's own form

    job_id: Mapped[int] = mapped_column(primary_key=True)
    settings: Mapped[dict[str, Any]] = mapped_column(JSON)
    created_time: Mapped[int]


class Run(Base):
    """A run, or one attempt at one task of it: both have ids from the same sequence, as on Databricks.

    Attributes:
        parent_run_id: The run that a task's attempt belongs to; none for a run.
        settings: The run's settings (tasks, job clusters …), or the task's.
        repair_id: The repair that an attempt belongs to; none for the original run's.
        start_time: Like the other times, milliseconds since the epoch; durations are milliseconds too.
    """

    __tablename__ = "runs"
    __table_args__ = {"sqlite_autoincrement": True}  # noqa: RUF012

    run_id: Mapped[int] = mapped_column(primary_key=True)
    parent_run_id: Mapped[int | None] = mapped_column(index=True)
    job_id: Mapped[int | None] = mapped_column(index=True)
    task_key: Mapped[str | None]
    attempt_number: Mapped[int] = mapped_column(default=0)
    repair_id: Mapped[int | None]
    run_name: Mapped[str]
    run_type: Mapped[str]
    settings: Mapped[dict[str, Any]] = mapped_column(JSON)
    idempotency_token: Mapped[str | None] = mapped_column(unique=True)
    cluster_id: Mapped[str | None]
    life_cycle_state: Mapped[str] = mapped_column(default="PENDING")
    result_state: Mapped[str | None]
    state_message: Mapped[str] = mapped_column(default="")
    termination_code: Mapped[str | None]
    start_time: Mapped[int]
    setup_duration: Mapped[int] = mapped_column(default=0)
    execution_duration: Mapped[int] = mapped_column(default=0)
    end_time: Mapped[int] = mapped_column(default=0)
    error: Mapped[str | None]
    error_trace: Mapped[str | None]

    @property
    def is_terminal(self) -> bool:
        return self.life_cycle_state in TERMINAL


class Repair(Base):
    """One entry of a run's repair history; the first is the original run."""

    __tablename__ = "repairs"
    __table_args__ = {"sqlite_autoincrement": True}  # noqa: RUF012

    repair_id: Mapped[int] = mapped_column(primary_key=True)
    run_id: Mapped[int] = mapped_column(index=True)
    is_original: Mapped[bool]
    life_cycle_state: Mapped[str]
    result_state: Mapped[str | None]
    state_message: Mapped[str] = mapped_column(default="")
    termination_code: Mapped[str | None]
    start_time: Mapped[int]
    end_time: Mapped[int] = mapped_column(default=0)


class Cluster(Base):
    """An all-purpose cluster, or the warm server that job clusters of one specification share.

    Attributes:
        spec: The specification as given, with its `{{secrets/…}}` references unresolved.
        libraries: Libraries as the API names them, e.g. `{"whl": "/Workspace/…"}`.
        server: The cluster in whose folder its server lives, which may be another of the same settings.
    """

    __tablename__ = "clusters"

    cluster_id: Mapped[str] = mapped_column(primary_key=True)
    source: Mapped[str]
    spec: Mapped[dict[str, Any]] = mapped_column(JSON)
    libraries: Mapped[list[dict[str, Any]]] = mapped_column(JSON, default=list)
    server: Mapped[str | None]
    state: Mapped[str] = mapped_column(default="TERMINATED")
    state_message: Mapped[str] = mapped_column(default="")
    start_time: Mapped[int]
    last_used_time: Mapped[int] = mapped_column(default=0)
    terminated_time: Mapped[int] = mapped_column(default=0)

    @property
    def is_running(self) -> bool:
        return self.state == "RUNNING"


Row = TypeVar("Row", bound=Base)


class State:
    """The workspace's database: short transactions, rows that stay readable after them."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._engine = create_engine(f"sqlite:///{path}", connect_args={"timeout": 30})
        event.listen(self._engine, "connect", _write_ahead)
        Base.metadata.create_all(self._engine)
        _add_missing_columns(self._engine)
        self._sessions = sessionmaker(self._engine, expire_on_commit=False)

    @contextmanager
    def transaction(self) -> Iterator[Session]:
        with self._sessions.begin() as session:
            yield session

    def add(self, *rows: Base) -> None:
        with self.transaction() as session:
            session.add_all(rows)

    def get(self, kind: type[Row], key: int | str) -> Row | None:
        with self._sessions() as session:
            return session.get(kind, key)

    def find(self, query: Select[Row]) -> list[Row]:
        with self._sessions() as session:
            return list(session.scalars(query))

    def update(self, kind: type[Base], key: int | str, **values: Any) -> None:
        """Changes a row; one that was deleted meanwhile stays deleted."""
        (primary_key,) = inspect(kind).primary_key
        with self.transaction() as session:
            session.execute(update(kind).where(primary_key == key).values(**values))

    def update_active_run(self, run_id: int, **values: Any) -> None:
        """As `update`, unless the run has ended: its end is never overwritten."""
        active = update(Run).where(Run.run_id == run_id, Run.life_cycle_state.not_in(TERMINAL))
        with self.transaction() as session:
            session.execute(active.values(**values))

    def delete(self, *rows: Base) -> None:
        with self.transaction() as session:
            for row in rows:
                session.delete(row)

    def close(self) -> None:
        engine: Engine = self._engine
        engine.dispose()


def now() -> int:
    """Milliseconds since the epoch."""
    return time.time_ns() // 1_000_000


def _add_missing_columns(engine: Engine) -> None:
    """Lets a home that an earlier version made keep its runs: what was added since may be empty in them."""
    with engine.begin() as connection:
        for table in Base.metadata.sorted_tables:
            there = {column["name"] for column in inspect(connection).get_columns(table.name)}
            for column in table.columns:
                if column.name not in there:
                    kind = column.type.compile(engine.dialect)
                    connection.execute(text(f"ALTER TABLE {table.name} ADD COLUMN {column.name} {kind}"))


def _write_ahead(connection: DBAPIConnection, _: ConnectionPoolEntry) -> None:
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=NORMAL")
    cursor.close()
