"""``vsc vehicles``: the registry of cars that may send."""

from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated

import typer

from vehicle.identity import Vin, is_vehicle_id
from vehicle.rejection import Rejection
from vehicle.vehicle import LowVoltageChemistry, VehicleRecord
from vsc.context import load_context
from vsc.failure import CommandError, WrongCallError
from vsc.terminal import OUT, JsonOption, print_rows

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
) -> None:
    """Make a car known, or change what is known of it; what it has sent before waits in quarantine."""
    from storage.connection import connect
    from storage.vehicles import VinTakenError, register

    if not is_vehicle_id(vehicle_id):
        raise WrongCallError("a vehicle id has 1 to 64 letters, digits, _ and -")
    if vin is not None and isinstance(refused := Vin.parse(vin), Rejection):
        raise WrongCallError(refused.detail)
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
    )
    with connect(load_context().database_url) as connection:
        try:
            register(connection, record)
        except VinTakenError as error:
            raise CommandError(str(error)) from None
    OUT.print(f"{vehicle_id} is registered.")


@app.command(name="list")
def list_(*, as_json: JsonOption = False) -> None:
    """List the known cars; VINs are not shown."""
    from storage.connection import connect
    from storage.vehicles import list_vehicles

    with connect(load_context().database_url) as connection:
        records = [asdict(record) for record in list_vehicles(connection)]
    shown = [{name: value for name, value in record.items() if name != "vin"} for record in records]
    print_rows(shown, as_json=as_json, empty="No car is registered.")


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
