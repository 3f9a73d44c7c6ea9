"""``vsc simulate`` and ``vsc replay``: cars that publish, simulated or recorded."""

import hashlib
from collections.abc import Iterable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from vehicle.vehicle import VehicleRecord
from vsc.context import Context, load_context
from vsc.failure import CommandError, WrongCallError
from vsc.moments import moment, time_zone
from vsc.runtime.progress import progress_bars
from vsc.terminal import ERR, JsonOption, print_facts

if TYPE_CHECKING:
    from simulator.fleet import Fleet

SpeedOption = Annotated[str, typer.Option(help="Multiple of real time, or `max`: as fast as ingest stores.")]


def register(app: typer.Typer) -> None:
    """Add the verbs."""
    for verb in (simulate, replay):
        app.command(rich_help_panel="Cars")(verb)


def simulate(
    *,
    vehicles: Annotated[int, typer.Option(min=1, help="How many cars.")] = 24,
    days: Annotated[int, typer.Option(min=1, help="How many days.")] = 42,
    seed: Annotated[int, typer.Option(help="Same seed, same fleet, same bytes.")] = 1,
    start: Annotated[str, typer.Option(help="The first day, YYYY-MM-DD.")] = "2026-01-05",
    speed: SpeedOption = "max",
    fault: Annotated[
        list[str] | None,
        typer.Option(
            help="MODE:VEHICLE:DAY, repeatable; without it and `--incidence`, the demo's six modes on different cars."
        ),
    ] = None,
    incidence: Annotated[
        float | None,
        typer.Option(
            min=0.0,
            help="Draw faults by how often they come: 1 as in real fleets, about one in ten cars a year; 50 gives a "
            "hundred cars some sixty in six weeks; 0 none at all.",
        ),
    ] = None,
    workshop: Annotated[
        bool,
        typer.Option(
            "--workshop",
            help="Send cars with a fault to a workshop: most drive on repaired, some come back because nothing was "
            "found or the wrong part was replaced.",
        ),
    ] = False,
    confounders: Annotated[
        str,
        typer.Option(
            help="What looks odd and is no fault: `usual` (cold snap, noisy sensors, long parking) or `all` (also "
            "mountains, sun, tyre changes, new parts, dropouts, software updates, trailers, moving house)."
        ),
    ] = "usual",
    troubles: Annotated[
        str,
        typer.Option(
            help="What happens between the cars and us: `none`, `some` (of ten cars seven have one trouble each) or "
            "`all` (every car has all): hours offline, a weak link, a clock that is wrong or jumps, restarts (new "
            "boots), batches that come twice, or days late. The truth file has them; nothing may be lost or doubled."
        ),
    ] = "none",
    truth: Annotated[Path | None, typer.Option(help="Write what is really wrong to this file (JSON lines).")] = None,
    to: Annotated[
        Path | None,
        typer.Option(
            help="Publish nothing, but write everything to Parquet files in this new folder; no stack is needed."
        ),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Publish a simulated fleet over MQTT; a second run of the same fleet goes on where the first one ended."""
    from simulator.confounders import Variety
    from simulator.faults import FaultError, parse_order
    from simulator.fleet import build_fleet
    from simulator.publish import Pace, publish_fleet
    from simulator.troubles import Troubles
    from simulator.truth import write_truth
    from vsc.publishing import publishing_agent

    pace = Pace(_speed(speed))
    first_day = _day(start)
    if confounders not in set(Variety):
        raise WrongCallError(f"--confounders {confounders}: expected {' or '.join(Variety)}")
    if troubles not in set(Troubles):
        raise WrongCallError(f"--troubles {troubles}: expected {', '.join(Troubles)}")
    if to is not None and troubles != Troubles.NONE:
        raise WrongCallError("--troubles happen on the way to us: they do not go with --to")
    try:
        orders = [parse_order(text) for text in fault] if fault else None
        fleet = build_fleet(
            vehicles,
            days,
            seed,
            first_day,
            orders,
            incidence=incidence,
            workshop=workshop,
            confounders=Variety(confounders),
            troubles=Troubles(troubles),
        )
    except FaultError as error:
        raise WrongCallError(str(error)) from None
    if truth is not None:
        write_truth(truth, fleet.truth)
    if to is not None:
        print_facts({"vehicles": vehicles, "days": days, "samples_written": _write(fleet, to)}, as_json=as_json)
        return
    context = load_context()
    _make_known(context, (vehicle.record for vehicle in fleet.vehicles))
    name = f"{vehicles} {days} {seed} {first_day} {sorted(fault or [])} {incidence} {workshop} {confounders} {troubles}"
    run = f"fleet-{hashlib.sha256(name.encode()).hexdigest()[:16]}"
    outbox = context.state / "outbox" / f"{run}.sqlite"
    with (
        progress_bars(ERR) as report,
        publishing_agent(outbox, context.broker, run, context.settings.resend_after) as agent,
    ):
        what = f"Publishing {vehicles} cars for {days} days"
        samples = publish_fleet(agent, fleet, name, pace, lambda share: report(what, share))
        statistics = agent.statistics
    print_facts(
        {
            "vehicles": vehicles,
            "days": days,
            "samples": samples,
            "samples_published": statistics.samples_published,
            "samples_acked": statistics.samples_acked,
        },
        as_json=as_json,
    )


def replay(
    file: Annotated[Path, typer.Argument(help="The recording; CSV, also in a zip or gzip.")],
    *,
    form: Annotated[str, typer.Option("--format", help="What kind of file it is: battery-log or obd-csv.")],
    vehicle: Annotated[str, typer.Option(help="The pseudonym under which the car shall be known.")],
    speed: SpeedOption = "max",
    timezone: Annotated[str, typer.Option(help="Time zone of the file's local times.")] = "UTC",
    start: Annotated[str, typer.Option(help="When the drive began, of a file that has no date (obd-csv).")] = (
        "2026-01-05T07:00Z"
    ),
    as_json: JsonOption = False,
) -> None:
    """Publish a recorded car over MQTT; a second replay of the same file stores nothing new."""
    from tempfile import TemporaryDirectory

    from simulator.delivery import Delivery
    from simulator.packing import pack
    from simulator.publish import Pace, publish, wait_for_storage
    from simulator.recording import RecordingError
    from simulator.replay import FORMATS, replay_boot
    from vehicle.identity import is_vehicle_id
    from vsc.publishing import publishing_agent

    if form not in FORMATS:
        raise WrongCallError(f"there is no format {form}; known: {', '.join(FORMATS)}")
    if not is_vehicle_id(vehicle):
        raise WrongCallError("a vehicle id has 1 to 64 letters, digits, _ and -")
    pace, began = Pace(_speed(speed)), moment(start, "--start")
    context = load_context()
    try:
        recording = FORMATS[form].read(file, time_zone(timezone), began)
    except RecordingError as error:
        raise WrongCallError(str(error)) from None
    for remark in recording.remarks:
        ERR.print(remark)
    record = VehicleRecord(
        vehicle, datetime.now(UTC), cell_count=recording.cell_count, powertrain=FORMATS[form].powertrain
    )
    _make_known(context, [record])
    boot = replay_boot(file, vehicle, None if FORMATS[form].dated else began)
    batches = [Delivery(one.sent_at, one) for one in pack(vehicle, boot, 1, recording.times, recording.columns)]
    with (
        TemporaryDirectory(dir=context.state) as folder,
        progress_bars(ERR) as report,
        publishing_agent(
            Path(folder) / "outbox.sqlite", context.broker, f"replay-{boot}", context.settings.resend_after
        ) as agent,
    ):
        for first in range(0, len(batches), 200):
            report(f"Replaying {file.name}", first / len(batches))
            publish(agent, batches[first : first + 200], pace)
        wait_for_storage(agent)
        report(f"Replaying {file.name}", 1)
        statistics = agent.statistics
    print_facts(
        {
            "vehicle": vehicle,
            "samples": len(recording.times),
            "from": recording.times[0].item().isoformat() if len(recording.times) else None,
            "until": recording.times[-1].item().isoformat() if len(recording.times) else None,
            "samples_published": statistics.samples_published,
            "samples_acked": statistics.samples_acked,
        },
        as_json=as_json,
    )


def _write(fleet: "Fleet", folder: Path) -> int:
    """Write the fleet to Parquet files; how many samples."""
    from simulator.parquet import write_fleet

    with progress_bars(ERR) as report:
        what = f"Writing {len(fleet.vehicles)} cars for {fleet.days} days"
        try:
            return write_fleet(folder, fleet, lambda share: report(what, share))
        except OSError as error:
            raise CommandError(f"--to {folder}: {error}") from None


def _make_known(context: Context, records: Iterable[VehicleRecord]) -> None:
    """Register cars that are not; what is known of the others stays."""
    from storage.connection import connect
    from storage.vehicles import known_ids, register

    with connect(context.database_url) as connection:
        known = known_ids(connection)
        for record in records:
            if record.vehicle_id not in known:
                register(connection, record)


def _speed(text: str) -> float | None:
    """Data seconds per second; None for `max`."""
    if text == "max":
        return None
    try:
        speed = float(text)
    except ValueError:
        speed = 0
    if not 0 < speed < float("inf"):
        raise WrongCallError(f"--speed {text}: expected a number above 0, or max")
    return speed


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise WrongCallError(f"--start {text}: expected YYYY-MM-DD") from None
