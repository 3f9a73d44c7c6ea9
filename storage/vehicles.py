"""The registry of vehicles: who may send, and the only place of a VIN."""

from collections.abc import Collection
from datetime import datetime
from typing import Any, Final, LiteralString

import psycopg
from psycopg import sql

from storage import quarantine
from storage.rows import record_row, save
from storage.software import TIMELINE, enter
from vehicle.foreign import ForeignName, ForeignProtocol
from vehicle.foreign_address import alias
from vehicle.vehicle import VehicleRecord

_HOLDERS: Final = (
    "vehicle_software", "visits", "alerts", "findings", "silences", "detector_state",
    "telemetry", "events", "sequence_gaps", "boot_progress", "batch_ledger", "vehicles",
)  # fmt: skip
"""Tables with rows of a vehicle, those that refer to others first; what hangs on them goes with them."""


_SELECT: Final[LiteralString] = f"SELECT vehicles.*, {TIMELINE} FROM vehicles"  # noqa: S608 - our own text


class VinTakenError(Exception):
    """Another vehicle is registered with the same VIN."""


class OvmsTakenError(Exception):
    """Another vehicle is registered with the same OVMS user and vehicle."""


def register(connection: psycopg.Connection[Any], vehicle: VehicleRecord) -> None:
    """Make a vehicle known, or take over what the record says and keep the time of the first registration.

    A service that is known stays known where the record tells of none; software that the record tells of is entered.

    Raises:
        VinTakenError: if another vehicle has the VIN; the transaction is lost then.
        OvmsTakenError: the same of its OVMS name.
    """
    keep = {"registered_at"} | ({"serviced_at", "serviced_km"} if vehicle.serviced_at is None else set())
    try:
        save(connection, "vehicles", "vehicle_id", vehicle, keep=keep, without={"software"})
    except psycopg.errors.UniqueViolation as error:
        if error.diag.constraint_name == "vehicles_ovms_key":
            raise OvmsTakenError("another vehicle is registered with this OVMS user and vehicle") from None
        raise VinTakenError("another vehicle is registered with this VIN") from None
    for one in vehicle.software:
        enter(connection, vehicle.vehicle_id, one, vehicle.registered_at)


def record_service(
    connection: psycopg.Connection[Any], vehicle_id: str, at: datetime, odometer_km: float | None = None
) -> VehicleRecord | None:
    """Note that a vehicle has had its service, and return it; None: it is not known.

    Where the workshop tells no distance, the car's own last word before that time counts. A service that is older than
    the one that is known changes nothing.
    """
    connection.execute(
        "UPDATE vehicles SET serviced_at = %(at)s, serviced_km = coalesce(%(km)s, ("
        "  SELECT odometer_km FROM telemetry WHERE vehicle_id = %(car)s AND time <= %(at)s "
        "  AND odometer_km IS NOT NULL ORDER BY time DESC LIMIT 1"
        "), CASE WHEN serviced_at = %(at)s THEN serviced_km END) "
        "WHERE vehicle_id = %(car)s AND (serviced_at IS NULL OR serviced_at <= %(at)s)",
        {"car": vehicle_id, "at": at, "km": odometer_km},
    )
    return find(connection, vehicle_id)


def find(connection: psycopg.Connection[Any], vehicle_id: str) -> VehicleRecord | None:
    """The vehicle, or None when it is not known."""
    with connection.cursor(row_factory=record_row(VehicleRecord)) as cursor:
        return cursor.execute(f"{_SELECT} WHERE vehicle_id = %s", [vehicle_id]).fetchone()


def find_vin(connection: psycopg.Connection[Any], vin: str) -> VehicleRecord | None:
    """The vehicle with a VIN, or None when it is not known."""
    with connection.cursor(row_factory=record_row(VehicleRecord)) as cursor:
        return cursor.execute(f"{_SELECT} WHERE vin = %s", [vin.upper()]).fetchone()


def list_vehicles(connection: psycopg.Connection[Any]) -> list[VehicleRecord]:
    """All known vehicles, by their id."""
    with connection.cursor(row_factory=record_row(VehicleRecord)) as cursor:
        return cursor.execute(f"{_SELECT} ORDER BY vehicle_id").fetchall()


def known_ids(connection: psycopg.Connection[Any]) -> set[str]:
    """The ids of all known vehicles."""
    return {vehicle_id for (vehicle_id,) in connection.execute("SELECT vehicle_id FROM vehicles")}


def foreign_names(connection: psycopg.Connection[Any]) -> dict[ForeignName, str]:
    """The vehicles by the names that foreign protocols call them."""
    rows = connection.execute("SELECT vehicle_id, vin, ovms FROM vehicles WHERE vin IS NOT NULL OR ovms IS NOT NULL")
    return {name: vehicle_id for vehicle_id, vin, ovms in rows for name in _names(vin, ovms)}


def pseudonym_secret(connection: psycopg.Connection[Any]) -> bytes:
    """What makes the aliases of unknown cars: 32 bytes, the same as long as the database lives."""
    row = connection.execute("SELECT secret FROM pseudonym_secret").fetchone()
    if row is None:
        raise LookupError("the table pseudonym_secret, which a migration fills, is empty")
    return bytes(row[0])


def hold(connection: psycopg.Connection[Any], ids: Collection[str]) -> set[str]:
    """Those of the vehicles that are known, and that nobody can forget before this transaction ends."""
    rows = connection.execute(
        "SELECT vehicle_id FROM vehicles WHERE vehicle_id = ANY(%s) ORDER BY vehicle_id FOR SHARE", [list(ids)]
    )
    return {vehicle_id for (vehicle_id,) in rows}


def forget(connection: psycopg.Connection[Any], vehicle_id: str) -> dict[str, int]:
    """Erase all that is stored of a vehicle, and return the rows that went per table.

    What it sends afterwards is that of an unknown vehicle. What came under its foreign names before it was
    registered goes, too.
    """
    vehicle = find(connection, vehicle_id)
    names = _names(vehicle.vin, vehicle.ovms) if vehicle else []
    secret = pseudonym_secret(connection)
    ids = [vehicle_id, *(alias(name, secret) for name in names)]
    # Before all else, so that no replay stores what is being erased.
    connection.execute("SELECT FROM vehicles WHERE vehicle_id = %s FOR UPDATE", [vehicle_id])
    return {"quarantine": quarantine.forget(connection, ids)} | {
        table: connection.execute(
            sql.SQL("DELETE FROM {} WHERE vehicle_id = ANY(%s)").format(sql.Identifier(table)), [ids]
        ).rowcount
        for table in _HOLDERS
    }


def _names(vin: str | None, ovms: str | None) -> list[ForeignName]:
    known = ((ForeignProtocol.TESLA, vin), (ForeignProtocol.OVMS, ovms))
    return [ForeignName(protocol, name) for protocol, name in known if name is not None]
