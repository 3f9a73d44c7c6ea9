"""``vsc bench``: how fast the product is on this machine, and what that costs."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from vsc.context import load_context
from vsc.failure import CommandError, WrongCallError
from vsc.runtime.progress import progress_bars
from vsc.terminal import ERR, OUT, JsonOption, print_json, print_rows

if TYPE_CHECKING:
    from benchmarks.soak import Reading

app = typer.Typer(no_args_is_help=True, help="Measure what the product does in a second, and what that takes.")


@app.command()
def ingest(
    *,
    rounds: Annotated[int, typer.Option(min=1, help="How often everything is measured, in turn.")] = 5,
    messages: Annotated[int, typer.Option(min=100, max=30_000, help="In each backlog.")] = 15_000,
    latency_s: Annotated[float, typer.Option(min=0, help="Seconds at half the limit; 0: none.")] = 30.0,
    profile: Annotated[bool, typer.Option("--profile", help="Also: where ingest's CPU goes, by stage.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Measure ingest against COPY alone and the bare MQTT client; exit code 1 only if anything is lost or doubled."""
    from benchmarks.rounds import BACKLOGS, Plan, measure
    from benchmarks.scorecard import rows_of
    from vsc.runtime.locate import locate

    binaries = locate(load_context().state, lambda *_: None)
    with progress_bars(ERR) as report, _measuring():
        plan = Plan(rounds, messages, latency_s, BACKLOGS if profile else ())
        figures = measure(binaries, plan, datetime.now(UTC), report).figures()
    if as_json:
        print_json(figures)
    else:
        print_rows(rows_of(figures), as_json=False, empty="")
        for name in plan.profiles:
            found = figures[f"profile_{name}"]
            OUT.print(f"\nProfile of the {name} backlog: {found['cpu_us_per_row']:.1f} us of CPU a row")
            print_rows(found["stages"], as_json=False, empty="")
            print_rows(found["functions"], as_json=False, empty="")
    _fail_if_untrue(figures["lost"], figures["duplicated"])


@app.command()
def soak(
    *,
    duration: Annotated[str, typer.Option(help="ISO 8601, e.g. PT1H.")] = "PT1H",
    load: Annotated[float, typer.Option(min=0.01, max=1, help="Share of the limit.")] = 0.7,
    limit_rows_s: Annotated[float | None, typer.Option(min=1, help="Rows a second; default: measured first.")] = None,
    json_file: Annotated[Path | None, typer.Option("--json", help="Keep all figures in this file.")] = None,
) -> None:
    """Keep ingest at a steady load, tell each minute, and judge what grows; exit code 1 if rows are lost or doubled."""
    from dataclasses import asdict

    from pydantic import TypeAdapter, ValidationError

    from benchmarks.soak import Plan
    from benchmarks.soak import soak as run
    from vsc.runtime.locate import locate

    try:
        span = TypeAdapter(timedelta).validate_python(duration)
    except ValidationError:
        raise WrongCallError(f"--duration {duration}: expected a duration like PT1H") from None
    binaries = locate(load_context().state, lambda *_: None)
    with _measuring():
        result = run(binaries, Plan(span, load, limit_rows_s), datetime.now(UTC), _tell)
    print_rows([asdict(verdict) for verdict in result.verdicts], as_json=False, empty="")
    OUT.print(
        f"{result.rows:,} rows at {result.rows_s:,.0f} a second, {result.plan.load:.0%} of {result.limit_rows_s:,.0f}: "
        f"{result.lost} lost, {result.audit.duplicated} duplicated"
    )
    if json_file is not None:
        json_file.write_text(json.dumps(result.figures(), default=str, indent=2) + "\n")
    _fail_if_untrue(result.lost, result.audit.duplicated)


@app.command()
def simulate(
    *,
    rounds: Annotated[int, typer.Option(min=1, help="How often the standard size is measured.")] = 5,
    sizes: Annotated[bool, typer.Option(help="Also the table of sizes, ten to ten thousand cars.")] = True,
    as_json: JsonOption = False,
) -> None:
    """Measure the simulator alone: samples a second of one core, and seconds and memory by cars and days."""
    from benchmarks.scorecard import rows_of
    from benchmarks.simulate import SIZES, measure

    with progress_bars(ERR) as report, _measuring():
        figures = measure(rounds, SIZES if sizes else (), report)
    if as_json:
        print_json(figures)
    else:
        print_rows(rows_of(figures), as_json=False, empty="")
        OUT.print()
        print_rows(figures["sizes"], as_json=False, empty="No sizes were measured.")


@app.command()
def realism(
    *,
    data: Annotated[Path | None, typer.Option(help="Folder of recordings; default: VSC_RECORDINGS.")] = None,
    page: Annotated[Path | None, typer.Option(help="Write curves of both as SVG to this HTML file.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Compare the simulated fleet with recorded cars and published facts; exit code 1 if a fact is not reproduced."""
    from dataclasses import asdict

    from benchmarks import realism
    from benchmarks.published import facts
    from config.settings import load_settings
    from simulator.recording import RecordingError

    try:
        cars = realism.gather(data or load_settings().recordings)
    except RecordingError as error:
        raise WrongCallError(str(error)) from None
    missing = set(realism.RECORDINGS) - {one.name for one in cars.recorded}
    if missing:
        ERR.print(f"No recording of {', '.join(sorted(missing))}: the table goes without.")
    figures = realism.compare(cars)
    reproduced = [{**asdict(fact), "reproduced": fact.reproduced} for fact in facts()]
    if as_json:
        print_json({"figures": figures, "facts": reproduced})
    else:
        print_rows(figures, as_json=False, empty="")
        OUT.print()
        print_rows(reproduced, as_json=False, empty="")
    if page is not None:
        page.write_text(realism.page(cars), encoding="utf-8")
    wrong = [row["fact"] for row in reproduced if not row["reproduced"]]
    if wrong:
        raise CommandError(f"not reproduced: {'; '.join(wrong)}")


@app.command()
def modes(
    *,
    seed: Annotated[int, typer.Option(help="Of all cars.")] = 1,
    start: Annotated[datetime, typer.Option(formats=["%Y-%m-%d"], help="First day.")] = datetime(2026, 9, 1),  # noqa: DTZ001 -- a date
    spans: Annotated[bool, typer.Option(help="Also how long each mode takes, in 24 cars: about two minutes.")] = True,
    page: Annotated[Path | None, typer.Option(help="Draw each mode beside its twin as SVG in this HTML file.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Show what each failure mode of the simulated fleet does: days until it is seen and fails, and a drawing."""
    from dataclasses import asdict

    from benchmarks import mode_spans
    from simulator.fault_modes import SIMULATED

    if page is not None:
        page.write_text(mode_spans.page(seed, start.date()), encoding="utf-8")
    if spans:
        rows = [asdict(mode_spans.span(mode, seed, start.date())) for mode in SIMULATED]
        print_rows([_rounded(row) for row in rows], as_json=as_json, empty="")


def _rounded(row: dict[str, Any]) -> dict[str, Any]:
    """Percentiles as people read them."""
    return {
        name: ", ".join(f"{days:.1f}" for days in value) if isinstance(value, tuple) else value
        for name, value in row.items()
    }


@app.command()
def rules(
    *,
    vehicles: Annotated[int, typer.Option(min=2, help="How many cars.")] = 1000,
    days: Annotated[int, typer.Option(min=1, help="Of so many days; a car sends some 300 samples a day.")] = 4,
    as_json: JsonOption = False,
) -> None:
    """Measure the whole rule catalogue over a stored fleet, and five rules beside plain pandas; 1 if they disagree."""
    from benchmarks.rules import measure
    from benchmarks.scorecard import rows_of

    with progress_bars(ERR) as report, _measuring():
        figures = measure(vehicles, days, report)
    if as_json:
        print_json(figures)
    else:
        print_rows(rows_of(figures), as_json=False, empty="")
    if not figures["same_fires"]:
        raise CommandError("the engine and pandas do not find the same")


@app.command()
def watch(
    *,
    cars: Annotated[int, typer.Option(min=1, max=5_000, help="That publish.")] = 200,
    probes: Annotated[int, typer.Option(min=10, max=2_000, help="Cars that something is found of.")] = 200,
    seconds: Annotated[float, typer.Option(min=5, help="From the first probe to the last.")] = 60.0,
    as_json: JsonOption = False,
) -> None:
    """Measure publish to finding at half of what ingest stores, one sample a message; 1 if a probe is not found."""
    from benchmarks.finding import Plan, measure
    from benchmarks.scorecard import rows_of
    from vsc.runtime.locate import locate

    binaries = locate(load_context().state, lambda *_: None)
    with progress_bars(ERR) as report, _measuring():
        figures = measure(binaries, Plan(cars, probes, seconds), datetime.now(UTC), report).figures()
    if as_json:
        print_json(figures)
    else:
        print_rows(rows_of(figures), as_json=False, empty="")
    if figures["missed"]:
        raise CommandError(f"{figures['missed']} of {figures['probes']} probes were not found")


@contextmanager
def _measuring() -> Iterator[None]:
    """What can go wrong while measuring, in one line."""
    from benchmarks.light_client import BrokerError
    from benchmarks.process import ProcessError

    try:
        yield
    except (BrokerError, ProcessError) as error:
        raise CommandError(str(error)) from None


def _fail_if_untrue(lost: int, duplicated: int) -> None:
    if lost or duplicated:
        raise CommandError(f"{lost} lost, {duplicated} duplicated")


def _tell(reading: "Reading") -> None:
    OUT.print(
        f"{reading.at_s:7.0f} s  {reading.rows_stored:9,} rows  p50 {reading.p50_s:.3f} s  p99 {reading.p99_s:.3f} s  "
        f"ingest {reading.ingest_rss_mb:.1f} MB {reading.ingest_handles} handles {reading.ingest_threads} threads "
        f"{reading.ingest_cpu_us_per_row:.1f} us/row  broker {reading.broker_rss_mb:.1f} MB, "
        f"{reading.unstored} unstored  database {reading.database_mb:,.0f} MB",
        soft_wrap=True,
    )
