"""``vsc up``, ``down`` and ``status``: the local stack."""

import typer

from vsc.commands.catalogue import load
from vsc.context import load_context
from vsc.runtime.progress import progress_bars
from vsc.runtime.stack import Stack
from vsc.runtime.status import status_table
from vsc.terminal import ERR, OUT, JsonOption, print_json

PANEL = "Stack"


def register(app: typer.Typer) -> None:
    """Add the verbs."""
    for verb in (up, down, status):
        app.command(rich_help_panel=PANEL)(verb)


def up() -> None:
    """Start the whole stack with a simulated fleet, and leave it running until `vsc down`."""
    from storage.migrate import migrate

    load()  # what a person can mend is said before anything is started
    with progress_bars(ERR) as report:
        addresses = Stack(load_context().settings, report).up(migrate)
    OUT.print(f"The stack is running. Engineers' pages: {addresses.console_url}")
    OUT.print(f"Booking desk: {addresses.desk_url}   Prefect: {addresses.prefect_api_url.removesuffix('/api')}")
    OUT.print("See how it does with `vsc status`, end it with `vsc down`.")


def down() -> None:
    """End every process of the stack; its data stays."""
    Stack(load_context().settings).down()
    OUT.print("The stack is down.")


def status(*, as_json: JsonOption = False) -> None:
    """Show each part of the stack and whether it works; exit code 1 if one does not."""
    parts = Stack(load_context().settings).status()
    if as_json:
        print_json(parts)
    else:
        OUT.print(status_table(parts))
    if not all(part.works for part in parts):
        raise typer.Exit(1)
