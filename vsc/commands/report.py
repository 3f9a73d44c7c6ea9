"""``vsc report``: what service managers read."""

from pathlib import Path
from typing import Annotated

import typer

from vsc.context import load_context
from vsc.terminal import OUT

app = typer.Typer(no_args_is_help=True, help="Reports.")


@app.command()
def fleet(
    out: Annotated[Path, typer.Option(help="The HTML file to write.")] = Path("fleet.html"),
) -> None:
    """Write the fleet health report: one HTML page with its pictures in it."""
    from reports.fleet import write_fleet_report
    from storage.connection import connect

    context = load_context()
    with connect(context.database_url) as connection:
        written = write_fleet_report(connection, context.clock, out)
    OUT.print(f"Fleet health report: {written}")
