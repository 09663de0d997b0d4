"""The `localcloud` command."""

import os
import shlex
import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from localcloud import lifecycle, recordings, surroundings
from localcloud.audit import audit
from localcloud.bookstore.command import produce
from localcloud.errors import LocalCloudError
from localcloud.home import PORTS, Home
from localcloud.storage_faults import StorageFault

HomeOption = Annotated[Path, typer.Option("--home", help="The folder that holds this cloud: ports, data, logs.")]
DEFAULT_HOME = Path(".localcloud")
PortOption = Annotated[
    list[str] | None,
    typer.Option("--port", metavar="SERVICE=PORT", help=f"A port to use; repeatable. Services: {', '.join(PORTS)}."),
]

commands = typer.Typer(
    help="Databricks, Key Vault, ADLS Gen2, Kafka and Airflow on one machine.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


class Format(StrEnum):
    """How rows are printed."""

    TABLE = "table"
    CSV = "csv"
    JSON = "json"


@commands.command()
def up(home: HomeOption = DEFAULT_HOME, port: PortOption = None) -> None:
    """Start everything in the background, and wait until it works. Does nothing that is done already."""
    cloud = Home(home.resolve())
    console = Console()
    surroundings.forget_other_clouds(os.environ)

    def report(what: str, seconds: float, where: str) -> None:
        console.print(f"[green]✓[/green] {what:<22} [dim]{seconds:5.1f} s[/dim]  {where}", soft_wrap=True)

    with console.status("Starting the local cloud …"):
        lifecycle.up(cloud, _ports(port or []), report)
    console.print('\nUnmodified clients find it after [bold]eval "$(localcloud env)"[/bold].')


@commands.command()
def down(home: HomeOption = DEFAULT_HOME) -> None:
    """Stop what was started, and nothing else."""
    console = Console()
    with console.status("Stopping the local cloud …"):
        was_up = lifecycle.down(Home(home.resolve()))
    console.print("The local cloud is down." if was_up else "The local cloud was not up.")


@commands.command()
def status(home: HomeOption = DEFAULT_HOME) -> None:
    """Show each service: up or down, where, how long. Exit code 1 unless all are up."""
    from localcloud.status import read_status

    rows = read_status(_existing(home))
    table = Table("service", "state", "where", "since", box=None, header_style="bold")
    for row in rows:
        table.add_row(row.service, f"[{'green' if row.is_up else 'red'}]{row.state}[/]", row.address, row.since)
    _wide_console().print(table)
    if not all(row.is_up for row in rows):
        raise typer.Exit(1)


@commands.command()
def env(home: HomeOption = DEFAULT_HOME) -> None:
    """Print export lines with which unmodified clients find this cloud. They hold secrets."""
    from localcloud.environment import client_environment

    for name, value in client_environment(_existing(home)).items():
        typer.echo(f"export {name}={shlex.quote(value)}")


@commands.command()
def sql(
    statement: Annotated[str, typer.Argument(help='E.g. "SELECT * FROM gold.rfm LIMIT 10".')],
    form: Annotated[Format, typer.Option("--format", help="How to print the rows.")] = Format.TABLE,
    home: HomeOption = DEFAULT_HOME,
) -> None:
    """Run a query on the lake."""
    from pyspark.errors import PySparkException

    from localcloud import rows
    from localcloud.databricks.sql import query

    print_rows = {Format.TABLE: rows.print_table, Format.CSV: rows.print_csv, Format.JSON: rows.print_json}[form]
    try:
        print_rows(query(_existing(home), statement), sys.stdout)
    except PySparkException as error:
        raise LocalCloudError(str(error)) from None


@commands.command()
def rotate_key(home: HomeOption = DEFAULT_HOME) -> None:
    """Give the storage account a new key, through the vault; the one of before stays good until the next rotation."""
    from localcloud.rotation import rotate_key as rotate

    version = rotate(_existing(home))
    typer.echo(f"The vault's adls-account-key has version {version}: the next run of a DAG takes it.")


@commands.command()
def fault(
    route: Annotated[str, typer.Argument(help="E.g. jobs/runs/submit; nothing takes back what is still to come.")] = "",
    status: Annotated[int, typer.Option(help="What it answers.", min=400, max=599)] = 503,
    times: Annotated[int, typer.Option(help="How often.", min=1, max=1000)] = 1,
    works: Annotated[bool, typer.Option("--works", help="It does its work, and only the answer is lost.")] = False,
    home: HomeOption = DEFAULT_HOME,
) -> None:
    """Have a route of the local Databricks fail, to see what DAGs make of it."""
    from localcloud.databricks.own_routes import ask

    if route:
        wanted = {"route": route, "status": status, "times": times, "works": works}
        ask(_existing(home), "POST", "faults", wanted)
    else:
        ask(_existing(home), "DELETE", "faults")


class ClusterFault(StrEnum):
    """What can befall clusters."""

    NO_CAPACITY = "no-capacity"
    SLOW = "slow"
    DIES = "dies"


@commands.command()
def fault_cluster(
    kind: Annotated[
        ClusterFault, typer.Argument(help="The next starts find no machine, or take longer; or all die now.")
    ],
    times: Annotated[int, typer.Option(help="How many starts.", min=1, max=1000)] = 1,
    seconds: Annotated[float, typer.Option(help="How much longer a slow start takes.", min=1, max=3600)] = 60,
    home: HomeOption = DEFAULT_HOME,
) -> None:
    """Have clusters of the local Databricks come late, not at all, or die; `localcloud fault` alone takes it back."""
    from localcloud.databricks.own_routes import ask

    if kind is ClusterFault.DIES:
        lost = ask(_existing(home), "POST", "kill-clusters")["clusters"]
        typer.echo(f"Killed: {', '.join(lost) or 'no cluster runs'}")
    else:
        ask(_existing(home), "POST", "cluster-faults", {"kind": kind, "times": times, "seconds": seconds})


@commands.command()
def fault_storage(
    kind: Annotated[
        StorageFault, typer.Argument(help="The next requests are refused, late, or done but not answered.")
    ],
    times: Annotated[int, typer.Option(help="How many requests.", min=1, max=1000)] = 1,
    seconds: Annotated[float, typer.Option(help="How much longer a slow one takes.", min=1, max=3600)] = 10,
    home: HomeOption = DEFAULT_HOME,
) -> None:
    """Have the storage account refuse, delay or lose requests; `localcloud fault` alone takes it back."""
    from localcloud.databricks.own_routes import ask

    ask(_existing(home), "POST", "storage-faults", {"kind": kind, "times": times, "seconds": seconds})


@commands.command()
def record(name: Annotated[str, typer.Argument(help="What to call it.")], home: HomeOption = DEFAULT_HOME) -> None:
    """Keep the whole state of a cloud that is down, under a name."""
    typer.echo(f"Recorded in {recordings.record(_existing(home), name)}")


@commands.command()
def restore(name: Annotated[str, typer.Argument(help="What was recorded.")], home: HomeOption = DEFAULT_HOME) -> None:
    """Put a cloud that is down back into a recorded state; what came since is lost."""
    recordings.restore(_existing(home), name)
    typer.echo("Restored. Next: localcloud up")


@commands.command()
def reset(home: HomeOption = DEFAULT_HOME) -> None:
    """Empty a cloud that is down; ports, certificates, tokens and recordings stay."""
    recordings.reset(_existing(home))
    typer.echo("Empty. Next: localcloud up, or localcloud demo")


@commands.command()
def report(home: HomeOption = DEFAULT_HOME) -> None:
    """Write the newest report to a file, and say where it is."""
    from localcloud.report import write_newest_report

    typer.echo(write_newest_report(_existing(home)).as_uri())


@commands.command()
def demo(home: HomeOption = DEFAULT_HOME) -> None:
    """Start everything, play a year of a bookstore through every DAG, and say where the report is."""
    from localcloud.demo import plan_of_a_year, play

    surroundings.forget_other_clouds(os.environ)
    play(Home(home.resolve()), plan_of_a_year(), Console())


commands.command()(produce)
commands.command()(audit)


def _ports(given: list[str]) -> dict[str, int]:
    """Reads `service=port` words."""
    chosen = {}
    for word in given:
        service, _, port = word.partition("=")
        if not port.isdigit() or int(port) not in range(1, 65536):
            raise LocalCloudError(
                f"--port takes SERVICE=PORT with a port from 1 to 65535, e.g. airflow=8080; found {word}"
            )
        chosen[service] = int(port)
    return chosen


def _existing(folder: Path) -> Home:
    home = Home(folder.resolve())
    if not home.exists:
        raise LocalCloudError(f"A local cloud is required in {home.root}, and there is none: run `localcloud up` first")
    return home


def _wide_console() -> Console:
    """Follows the terminal's width; what goes into a file or a pipe isn't cut at all."""
    return Console() if sys.stdout.isatty() else Console(width=10_000)


def app() -> None:
    """Runs the command line; what a user can mend is one sentence and not a traceback."""
    try:
        commands()
    except LocalCloudError as error:
        Console(stderr=True, soft_wrap=True).print("[red]Error:[/red]", escape(str(error)), highlight=False)
        sys.exit(1)
