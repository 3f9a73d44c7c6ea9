"""``vsc bench recordings`` and ``vsc bench detection``: what is found, on recorded cars and on simulated fleets."""

import json
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from vsc.context import load_context
from vsc.failure import CommandError, WrongCallError
from vsc.moments import moment, time_zone
from vsc.runtime.progress import progress_bars
from vsc.terminal import ERR, JsonOption, print_json, print_rows

_LONG: Final = ("alerts_by_file", "remarks")
"""Of a recorded car, for ``--json`` only."""


def register(app: typer.Typer) -> None:
    """Add the verbs."""
    for verb in (recordings, detection):
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
    """Judge recorded cars, and find the smallest injected fault that is found; exit code 1 if an aim is missed."""
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


def detection(
    *,
    seed: Annotated[int, typer.Option(help="Of the fleets: one that nobody has tuned anything on.")] = 9100,
    cases: Annotated[int, typer.Option(min=0, help="Cars of each mode.")] = 30,
    healthy_days: Annotated[int, typer.Option(min=0, help="Vehicle-days of sound fleets, at least.")] = 100_000,
    mode: Annotated[list[str] | None, typer.Option(help="Only this mode, and no sound fleets; repeatable.")] = None,
    unit: Annotated[list[str] | None, typer.Option(help="Only this unit, as `healthy 3`; repeatable.")] = None,
    car: Annotated[list[str] | None, typer.Option(help="Only this car of them; repeatable.")] = None,
    processes: Annotated[int | None, typer.Option(min=1, help="At a time; default: one a core.")] = None,
    results: Annotated[
        Path | None, typer.Option(help="Keep here what is finished, and go on from it; default: in the stack's folder.")
    ] = None,
    history: Annotated[Path | None, typer.Option(help="Keep the simulated fleets in this folder, as Parquet.")] = None,
    sum_up: Annotated[bool, typer.Option("--sum-up", help="Judge nothing more: sum up what is finished.")] = False,
    json_file: Annotated[Path | None, typer.Option("--json", help="Write all figures to this file.")] = None,
) -> None:
    """Simulate every mode and sound fleets, and score all detectors; exit code 1 if an aim is missed."""
    from os import cpu_count

    from benchmarks.detection import finished, judged_units
    from benchmarks.detection_plan import plan
    from benchmarks.detection_score import summary
    from flows.diagnose import all_detectors
    from simulator.fault_modes import SIMULATED

    if unknown := sorted(set(mode or ()) - set(SIMULATED)):
        raise WrongCallError(f"there is no mode {', '.join(unknown)}; known: {', '.join(SIMULATED)}")
    units = plan(seed, cases, 0 if mode else healthy_days, [one for one in SIMULATED if not mode or one in mode])
    units = [one.alone(car) if car else one for one in units if not unit or one.name in unit]
    units = [one for one in units if one.numbers]
    if not units:
        raise WrongCallError("there is nothing to simulate: no such unit or car")
    file = results or load_context().state / "detection.jsonl"
    judged = (
        finished(units, file) if sum_up else judged_units(units, file, processes or cpu_count() or 1, _say, history)
    )
    figures = summary(judged, all_detectors(), f"--seed {seed} --cases {cases} --healthy-days {healthy_days}")
    figures["units"] = {"finished": len(judged), "planned": len(units), "seed": seed}
    if json_file is not None:
        json_file.write_text(json.dumps(figures, default=str, indent=2) + "\n")
    _show(figures)
    missed = [one["aim"] for one in figures["aims"] if not one["reached"]]
    if missed:
        raise CommandError(f"not reached: {'; '.join(missed)}")


def _say(line: str) -> None:
    ERR.print(line, markup=False, highlight=False, soft_wrap=True)


def _show(figures: dict[str, Any]) -> None:
    print_rows(figures["modes"], as_json=False, empty="No mode was simulated.")
    told = [one for one in figures["detectors"] if any(value for value in one.values() if isinstance(value, int))]
    print_rows(told, as_json=False, empty="No detector had anything to find.")
    print_rows(figures["misses"], as_json=False, empty="Nothing was missed.")
    print_rows(figures["wrong"], as_json=False, empty="Nothing fired on a sound car.")
    print_rows([figures["whole"]], as_json=False, empty="")
    print_rows(figures["aims"], as_json=False, empty="")
