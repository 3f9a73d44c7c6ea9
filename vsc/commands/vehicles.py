"""``vsc vehicles``: the registry of cars that may send."""

from dataclasses import asdict
from datetime import UTC, datetime
from getpass import getuser
from itertools import groupby
from typing import TYPE_CHECKING, Annotated, Any

import typer

from vehicle.foreign_address import is_ovms_name
from vehicle.identity import Vin, is_vehicle_id
from vehicle.rejection import Rejection
from vehicle.vehicle import LowVoltageChemistry, Powertrain, VehicleRecord
from vsc.commands.entry import AuthorOption, FromOption, known_vehicle, refuse_mistake
from vsc.context import load_context
from vsc.failure import CommandError, WrongCallError
from vsc.moments import moment, moment_or_span
from vsc.terminal import OUT, JsonOption, print_json, print_rows

if TYPE_CHECKING:
    from collections.abc import Sequence

    from storage.sequence_gaps import SequenceGap

MOST_RANGES = 10
"""Of one boot, in a table; JSON has them all."""

app = typer.Typer(no_args_is_help=True, help="The registry: which cars are known, by pseudonym.")

VehicleArgument = Annotated[str, typer.Argument(help="The pseudonym the car uses on the wire.", metavar="ID")]


@app.command()
def add(
    vehicle_id: VehicleArgument,
    *,
    vin: Annotated[str | None, typer.Option(help="Vehicle identification number (ISO 3779).")] = None,
    model: Annotated[str, typer.Option(help="Model name.")] = "",
    chemistry: Annotated[str, typer.Option(help="Of the traction battery: NMC or LFP.")] = "",
    lv_chemistry: Annotated[LowVoltageChemistry | None, typer.Option(help="Of the 12 V battery.")] = None,
    tyre_reference_kpa: Annotated[float | None, typer.Option(help="Recommended cold pressure, gauge.")] = None,
    cell_count: Annotated[int | None, typer.Option(help="Cell groups in series.")] = None,
    nominal_voltage_v: Annotated[float | None, typer.Option(help="Of the traction battery.")] = None,
    build_batch: Annotated[str, typer.Option(help="As the maker calls it.")] = "",
    powertrain: Annotated[Powertrain | None, typer.Option(help="What drives it.")] = None,
    ovms: Annotated[
        str | None, typer.Option(help="User and vehicle of its OVMS module, as in its topics.", metavar="USER/VEHICLE")
    ] = None,
) -> None:
    """Make a car known, or change what is known of it; what it has sent before waits in quarantine."""
    from storage.connection import connect
    from storage.vehicles import OvmsTakenError, VinTakenError, register

    if not is_vehicle_id(vehicle_id):
        raise WrongCallError("a vehicle id has 1 to 64 letters, digits, _ and -")
    if vin is not None and isinstance(refused := Vin.parse(vin), Rejection):
        raise WrongCallError(refused.detail)
    if ovms is not None and not is_ovms_name(ovms):
        raise WrongCallError("an OVMS name is USER/VEHICLE, as in the topics of the module, e.g. alice/LEAF01")
    record = VehicleRecord(
        vehicle_id=vehicle_id,
        registered_at=datetime.now(UTC),
        vin=vin,
        model=model,
        chemistry=chemistry,
        lv_chemistry=lv_chemistry,
        tyre_reference_kpa=tyre_reference_kpa,
        cell_count=cell_count,
        nominal_voltage_v=nominal_voltage_v,
        build_batch=build_batch,
        powertrain=powertrain,
        ovms=ovms,
    )
    with connect(load_context().database_url) as connection:
        try:
            register(connection, record)
        except (VinTakenError, OvmsTakenError) as error:
            raise CommandError(str(error)) from None
    OUT.print(f"{vehicle_id} is registered.")


@app.command(name="list")
def list_(*, as_json: JsonOption = False) -> None:
    """List the known cars, each with its present software, with --json all it has had; no VINs and OVMS names."""
    from storage.connection import connect
    from storage.vehicles import list_vehicles

    with connect(load_context().database_url) as connection:
        records = [asdict(record) for record in list_vehicles(connection)]
    shown = [{name: value for name, value in record.items() if name not in {"vin", "ovms"}} for record in records]
    if not as_json:
        shown = [row | {"software": row["software"][-1]["version"] if row["software"] else None} for row in shown]
    print_rows(shown, as_json=as_json, empty="No car is registered.")


@app.command()
def gaps(
    vehicle_id: Annotated[str | None, typer.Argument(help="Of one car only.", metavar="[ID]")] = None,
    *,
    as_json: JsonOption = False,
) -> None:
    """List the batches that cars have sampled and ingest still waits for, by car and boot."""
    from storage.connection import connect
    from storage.sequence_gaps import list_gaps
    from storage.vehicles import find

    with connect(load_context().database_url) as connection:
        if vehicle_id is not None and find(connection, vehicle_id) is None:
            raise CommandError(f"no car {vehicle_id} is registered")
        rows = _by_boot(list_gaps(connection, vehicle_id))
    if not as_json:
        rows = [row | {"missing": _in_words(row["missing"])} for row in rows]
    print_rows(rows, as_json=as_json, empty="Nothing is missing.")


def _by_boot(gaps: "Sequence[SequenceGap]") -> list[dict[str, Any]]:
    """One row per boot of gaps that come in its order."""
    rows = []
    for (vehicle_id, boot), group in groupby(gaps, key=lambda gap: (gap.vehicle_id, gap.boot)):
        of_boot = list(group)
        rows.append(
            {
                "vehicle_id": vehicle_id,
                "boot": boot,
                "missing": [[gap.first_seq, gap.last_seq] for gap in of_boot],
                "batches": sum(gap.last_seq - gap.first_seq + 1 for gap in of_boot),
                "since": min(gap.since for gap in of_boot),
                "asked": max(gap.asked for gap in of_boot),
                "asked_at": max((gap.asked_at for gap in of_boot if gap.asked_at), default=None),
            }
        )
    return rows


def _in_words(ranges: list[list[int]]) -> str:
    shown = [f"{first}" if first == last else f"{first}-{last}" for first, last in ranges[:MOST_RANGES]]
    more = len(ranges) - len(shown)
    return ", ".join([*shown, *([f"and {more} more ranges"] if more else [])])


@app.command()
def workshop(
    vehicle: Annotated[str, typer.Argument(help="The car, by pseudonym or VIN.", metavar="ID")],
    *,
    to: Annotated[str, typer.Option("--to", help="Until when, exclusive: a time, or a span from its start like 2 d.")],
    reason: Annotated[str, typer.Option(help="Why it is there: kept beside the stay.")],
    start: FromOption = None,
    author: AuthorOption = "",
    as_json: JsonOption = False,
) -> None:
    """Say that a car is in a workshop, or was: what it tells meanwhile is not judged, and teaches no rule anything.

    When it comes back, `vsc silences lift NUMBER --seen-to COMPONENT` ends the stay, and rules that were latched.

    vsc vehicles workshop car-3 --to "2 d" --reason "new charge inlet"
    """
    from storage.connection import connect
    from storage.silences import add as store
    from tickets.silence import Silence, SilenceKind

    context = load_context()
    now = context.clock.now()
    starts_at = moment(start, "--from") if start else now
    ends_at = moment_or_span(to, "--to", starts_at)
    with connect(context.database_url) as connection:
        car = known_vehicle(connection, vehicle).vehicle_id
        stay = Silence(0, SilenceKind.WORKSHOP, starts_at, ends_at, author or getuser(), reason, now, vehicle_id=car)
        refuse_mistake(stay, now)
        stored = store(connection, stay)
    if as_json:
        print_json(stored)
        return
    OUT.print(f"{car} is in a workshop until {stored.until:%Y-%m-%d %H:%M} UTC: entry {stored.silence_id}.")
    OUT.print(f"When it is back: vsc silences lift {stored.silence_id} --seen-to COMPONENT --reason WHAT")


@app.command()
def serviced(
    vehicle: Annotated[str, typer.Argument(help="The car, by pseudonym or VIN.", metavar="ID")],
    *,
    at: Annotated[str, typer.Option("--at", help="When it was given back; default: now.")] = "",
    odometer_km: Annotated[
        float | None, typer.Option(help="On its odometer then; default: what it last told before that time.", min=0)
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Say that a car has had its service, or was delivered then: the next one counts from it.

    A workshop's report does the same: vsc silences lift NUMBER --seen-to maintenance --reason "yearly service"

    vsc vehicles serviced car-3 --odometer-km 41250
    """
    from storage.connection import connect
    from storage.vehicles import record_service

    context = load_context()
    now = context.clock.now()
    done_at = moment(at, "--at") if at else now
    if done_at > now:
        raise WrongCallError(f"--at {at}: that is still to come")
    with connect(context.database_url) as connection:
        car = record_service(connection, known_vehicle(connection, vehicle).vehicle_id, done_at, odometer_km)
    if car is None or car.serviced_at is None:
        raise CommandError(f"no car {vehicle} is registered any more")
    if car.serviced_at > done_at:
        raise CommandError(f"a later service of {car.vehicle_id} is known, of {car.serviced_at:%Y-%m-%d}")
    if as_json:
        print_json({"vehicle_id": car.vehicle_id, "serviced_at": car.serviced_at, "serviced_km": car.serviced_km})
        return
    distance = "an unknown distance" if car.serviced_km is None else f"{car.serviced_km:.0f} km"
    OUT.print(f"{car.vehicle_id} had its service on {car.serviced_at:%Y-%m-%d}, at {distance}.")


@app.command()
def software(
    vehicle: Annotated[str, typer.Argument(help="The car, by pseudonym or VIN.", metavar="ID")],
    version: Annotated[str, typer.Argument(help="As rules name it in `applies_to`.", metavar="VERSION")],
    *,
    since: Annotated[str, typer.Option("--since", help="Since when the car has it; default: now.")] = "",
    as_json: JsonOption = False,
) -> None:
    """Say since when a car has a version of its software: days that were judged otherwise are judged again.

    Another entry with the same time corrects one. All versions of a car: vsc vehicles list --json

    vsc vehicles software car-3 2026.8.1 --since 2026-03-02T09:30Z
    """
    from storage.connection import connect
    from storage.software import enter
    from vehicle.software import SoftwareVersion

    context = load_context()
    now = context.clock.now()
    at = moment(since, "--since") if since else now
    if at > now:
        raise WrongCallError(f"--since {since}: that is still to come")
    if not version.strip() or "*" in version:
        raise WrongCallError("a version is not empty, and has no *")
    with connect(context.database_url) as connection:
        car = known_vehicle(connection, vehicle).vehicle_id
        enter(connection, car, SoftwareVersion(at, version), now)
    if as_json:
        print_json({"vehicle_id": car, "version": version, "since": at})
        return
    OUT.print(f"{car} has software {version} since {at:%Y-%m-%d %H:%M} UTC.")


@app.command()
def forget(
    vehicle_id: VehicleArgument,
    *,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Erase a car and everything it has sent."""
    from storage.connection import connect
    from storage.vehicles import forget as erase

    if not yes:
        typer.confirm(f"Erase {vehicle_id} and all its data?", abort=True)
    with connect(load_context().database_url) as connection:
        if not erase(connection, vehicle_id)["vehicles"]:
            raise CommandError(f"no car {vehicle_id} is registered")
    OUT.print(f"{vehicle_id} is forgotten.")
