"""``vsc bench recordings`` and ``vsc bench detection``: what is found, on recorded cars and on simulated fleets."""

from pathlib import Path
from typing import Annotated, Final

import typer

from vsc.failure import CommandError, WrongCallError
from vsc.moments import moment, time_zone
from vsc.runtime.progress import progress_bars
from vsc.terminal import ERR, JsonOption, print_json, print_rows

_LONG: Final = ("alerts_by_file", "remarks")
"""Of a recorded car, for ``--json`` only."""


def register(app: typer.Typer) -> None:
    """Add the verbs."""
    for verb in (recordings,):
        app.command()(verb)


def recordings(
    *,
    data: Annotated[Path | None, typer.Option(help="Folder of recordings; default: VSC_RECORDINGS.")] = None,
    start: Annotated[str, typer.Option(help="When the first drive began; the others follow, two a day.")] = (
        "2026-01-05T07:00Z"
    ),
    timezone: Annotated[str, typer.Option(help="Time zone of the battery logs' local times.")] = "Asia/Shanghai",
    as_json: JsonOption = False,
) -> None:
    """Judge recorded cars, and find the smallest fault injected into them that is found; exit code 1 if an aim is missed."""
    from benchmarks.recordings import gather, measure
    from config.settings import load_settings
    from simulator.recording import RecordingError

    try:
        gathered = gather(data or load_settings().recordings, time_zone(timezone), moment(start, "--start"))
    except RecordingError as error:
        raise WrongCallError(str(error)) from None
    with progress_bars(ERR) as report:
        figures = measure(gathered, report)
    if as_json:
        print_json(figures)
    else:
        for line in figures["unreadable"]:
            ERR.print(line, markup=False)
        cars = [{**one, "findings": len(one["findings"]), "alerts": len(one["alerts"])} for one in figures["cars"]]
        print_rows([{k: v for k, v in one.items() if k not in _LONG} for one in cars], as_json=False, empty="")
        told = [{"car": one["car"], **found} for one in figures["cars"] for found in one["findings"]]
        print_rows(told, as_json=False, empty="Nothing is found in the cars as they are.")
        print_rows(figures["injected"], as_json=False, empty="There is no car to inject a fault into.")
        print_rows(figures["aims"], as_json=False, empty="No car is known to be healthy.")
    missed = [one["aim"] for one in figures["aims"] if not one["reached"]]
    if missed:
        raise CommandError(f"not reached: {'; '.join(missed)}")
