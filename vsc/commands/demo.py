"""``vsc demo``: the whole story on this machine."""

from dataclasses import asdict
from typing import Annotated

import typer

from vsc.context import load_context
from vsc.failure import CommandError
from vsc.runtime.progress import progress_bars
from vsc.terminal import ERR, JsonOption, print_facts


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command(rich_help_panel="Stack")(demo)


def demo(
    *,
    vehicles: Annotated[int, typer.Option(min=6, help="How many cars; six of them develop a fault.")] = 24,
    days: Annotated[int, typer.Option(min=28, help="How many days they live.")] = 42,
    seed: Annotated[int, typer.Option(help="Same seed, same story.")] = 1,
    as_json: JsonOption = False,
) -> None:
    """Let a fleet live six weeks in about two minutes: faults grow, and each gets an appointment in time."""
    from vsc.demo import RESULTS, run_demo

    with progress_bars(ERR) as report:
        scoreboard = run_demo(load_context().settings, report, vehicles=vehicles, days=days, seed=seed)
    print_facts(asdict(scoreboard), as_json=as_json)
    ERR.print(f"Fleet health report: {RESULTS / 'fleet.html'}", soft_wrap=True)
    ERR.print("Engineers' pages on what was found: .venv/bin/vsc console", soft_wrap=True)
    if scoreboard.shortfalls:
        raise CommandError("; ".join(scoreboard.shortfalls))
