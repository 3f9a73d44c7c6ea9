"""The registry of vehicles: who may send, and the only place of a VIN."""

from typing import Any, Final

import psycopg
from psycopg import sql

from storage.rows import record_row, save
from vehicle.vehicle import VehicleRecord

_HOLDERS: Final = (
    "visits", "alerts", "findings", "detector_state",
    "telemetry", "events", "quarantine", "batch_ledger", "vehicles",
)  # fmt: skip
"""Tables with rows of a vehicle, those that refer to others first; what hangs on them goes with them."""


class VinTakenError(Exception):
    """Another vehicle is registered with the same VIN."""


def register(connection: psycopg.Connection[Any], vehicle: VehicleRecord) -> None:
    """Make a vehicle known, or take over what the record says and keep the time of the first registration.

    Raises:
        VinTakenError: if another vehicle has the VIN; the transaction is lost then.
    """
    try:
        save(connection, "vehicles", "vehicle_id", vehicle, keep={"registered_at"})
    except psycopg.errors.UniqueViolation:
        raise VinTakenError("another vehicle is registered with this VIN") from None


def find(connection: psycopg.Connection[Any], vehicle_id: str) -> VehicleRecord | None:
    """The vehicle, or None when it is not known."""
    with connection.cursor(row_factory=record_row(VehicleRecord)) as cursor:
        return cursor.execute("SELECT * FROM vehicles WHERE vehicle_id = %s", [vehicle_id]).fetchone()


def list_vehicles(connection: psycopg.Connection[Any]) -> list[VehicleRecord]:
    """All known vehicles, by their id."""
    with connection.cursor(row_factory=record_row(VehicleRecord)) as cursor:
        return cursor.execute("SELECT * FROM vehicles ORDER BY vehicle_id").fetchall()


def known_ids(connection: psycopg.Connection[Any]) -> set[str]:
    """The ids of all known vehicles."""
    return {vehicle_id for (vehicle_id,) in connection.execute("SELECT vehicle_id FROM vehicles")}


def forget(connection: psycopg.Connection[Any], vehicle_id: str) -> dict[str, int]:
    """Erase all that is stored of a vehicle, and return the rows that went per table.

    What it sends afterwards is that of an unknown vehicle.
    """
    return {
        table: connection.execute(
            sql.SQL("DELETE FROM {} WHERE vehicle_id = %s").format(sql.Identifier(table)), [vehicle_id]
        ).rowcount
        for table in _HOLDERS
    }
