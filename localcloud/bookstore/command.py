"""`localcloud produce`: what a user sees of the bookstore."""

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from localcloud.bookstore.plan import Disorder, Plan
from localcloud.bookstore.production import Production, produce_bookstore
from localcloud.bookstore.production import Progress as OnProgress
from localcloud.errors import LocalCloudError
from localcloud.home import Home
from localcloud.services.kafka import bootstrap_servers as kafka_of

DAY_FORMAT = ["%Y-%m-%d"]


def produce(
    *,
    customers: Annotated[int, typer.Option(help="How many customers.")] = 2_000,
    books: Annotated[int, typer.Option(help="How many books.")] = 500,
    orders: Annotated[int, typer.Option(help="How many orders.")] = 30_000,
    start: Annotated[
        dt.datetime | None,
        typer.Option(formats=DAY_FORMAT, help="First day with orders, UTC [default: a year to end]."),
    ] = None,
    end: Annotated[
        dt.datetime | None, typer.Option(formats=DAY_FORMAT, help="Last day with orders, UTC [default: yesterday].")
    ] = None,
    seed: Annotated[int, typer.Option(help="The same seed and sizes give the same events.")] = 1,
    first_id: Annotated[int, typer.Option(help="Number from which customers, books and orders are counted.")] = 1,
    late: Annotated[float, typer.Option(help="Share of events that arrive after a later one of the same key.")] = 0,
    duplicates: Annotated[float, typer.Option(help="Share of events that arrive twice.")] = 0,
    malformed: Annotated[float, typer.Option(help="Broken messages, as a share of the valid ones.")] = 0,
    truth: Annotated[Path | None, typer.Option(help="Folder for the events and customer groups as files.")] = None,
    bootstrap_servers: Annotated[str | None, typer.Option(help="Another Kafka than the local cloud's.")] = None,
    home: Annotated[Path, typer.Option(help="The local cloud's folder.")] = Path(".localcloud"),
) -> None:
    """Make up a bookstore, and send its events to Kafka: the same seed, the same events."""
    last = end.date() if end else dt.datetime.now(dt.UTC).date() - dt.timedelta(days=1)
    first = start.date() if start else last - dt.timedelta(days=364)
    plan = Plan(customers, books, orders, first, last, seed, first_id)
    with _progress() as on_progress:
        done = produce_bookstore(
            bootstrap_servers or _servers(home), plan, Disorder(late, duplicates, malformed), on_progress, truth
        )
    _report(done, truth)


def _servers(folder: Path) -> str:
    home = Home(folder.absolute())
    if not home.exists:
        raise LocalCloudError(
            f"a local cloud is required in {home.root}, and there is none: run `localcloud up`, or name a broker "
            "with --bootstrap-servers"
        )
    return kafka_of(home)


@contextmanager
def _progress() -> Iterator[OnProgress]:
    """A bar for each topic."""
    columns = TextColumn("{task.description:<20}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn()
    bars: dict[str, TaskID] = {}
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:

        def show(topic: str, sent: int, total: int) -> None:
            if topic not in bars:
                bars[topic] = progress.add_task(topic, total=total)
            progress.update(bars[topic], completed=sent)

        yield show


def _report(done: Production, truth: Path | None) -> None:
    console = Console(soft_wrap=True, highlight=False)
    for one in done.topics:
        delivery = one.delivery
        console.print(
            f"[green]✓[/green] {one.topic:<20} {one.messages:>9,} messages, {one.per_second:>8,.0f}/s  [dim]"
            f"{delivery.late:,} late, {delivery.duplicates:,} twice, {delivery.malformed:,} malformed[/dim]"
        )
    if truth is not None:
        console.print(f"The truth about them is in {truth}")
    console.print(
        f"{done.messages:,} messages in {done.seconds:.1f} s, {done.per_second:,.0f} a second, all confirmed by Kafka. "
        "Next: trigger the DAG [bold]ingest_events[/bold], then [bold]localcloud audit[/bold]"
    )
