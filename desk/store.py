"""The desk's own storage: one SQLite file, every change in one immediate transaction."""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Literal

from desk.messages import BookingRequest
from desk.slots import Slot, tick_at

SCHEMA_FILE = Path(__file__).with_name("schema.sql")
BOOKING_COLUMNS = (
    "number",
    "status",
    "place_id",
    "resources",
    "start_at",
    "end_at",
    "request",
    "created_at",
    "changed_at",
)
BUSY_TIMEOUT_S = 10
"""How long a request waits for another one's transaction."""


@dataclass(frozen=True, slots=True)
class Booking:
    """A stored appointment."""

    number: int
    status: Literal["booked", "cancelled"]
    place_id: str
    resource_ids: tuple[str, ...]
    start_at: datetime
    end_at: datetime
    request: BookingRequest
    created_at: datetime
    changed_at: datetime


@dataclass(frozen=True, slots=True)
class Answer:
    """A status and a JSON body, as they were or will be sent."""

    status: int
    body: str


class Store:
    """Opens transactions on the desk's file; each is of its own connection, so any thread may ask."""

    def __init__(self, path: Path) -> None:
        self._path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        with closing(self._connect()) as connection:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.executescript(SCHEMA_FILE.read_text())

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """A transaction that no other writes beside; committed at the end, undone by an exception."""
        with closing(self._connect()) as connection:
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
            except BaseException:
                connection.execute("ROLLBACK")
                raise
            connection.execute("COMMIT")

    @contextmanager
    def snapshot(self) -> Iterator[sqlite3.Connection]:
        """A view of one moment, which waits for no writer and holds none up."""
        with closing(self._connect()) as connection:
            connection.execute("BEGIN")
            yield connection

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self._path, timeout=BUSY_TIMEOUT_S, isolation_level=None)
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA foreign_keys = ON")
        return connection


def taken_from(connection: sqlite3.Connection, at: datetime, but: int | None = None) -> set[tuple[str, int]]:
    """(resource id, tick) pairs claimed from `at` on, leaving out one appointment's own."""
    rows = connection.execute(
        "SELECT resource_id, tick FROM claim WHERE tick >= ? AND appointment IS NOT ?", (tick_at(at), but)
    )
    return set(rows)


def latest(connection: sqlite3.Connection, external_ref: str) -> Booking | None:
    """The active appointment of a reference, or else its latest cancelled one."""
    found = _bookings(
        connection,
        "WHERE external_ref = ? ORDER BY status = 'booked' DESC, number DESC LIMIT 1",
        (external_ref,),
    )
    return found[0] if found else None


def made_after(connection: sqlite3.Connection, number: int, vehicle_id: str | None, limit: int) -> list[Booking]:
    """Appointments of a vehicle, or of all, that were made after the one with a number, in that order."""
    return _bookings(
        connection,
        "WHERE number > ? AND vehicle_id = coalesce(?, vehicle_id) ORDER BY number LIMIT ?",
        (number, vehicle_id, limit),
    )


def starting_from(connection: sqlite3.Connection, at: datetime, limit: int) -> list[Booking]:
    """Appointments that have not ended by `at`, in order of their start."""
    return _bookings(connection, "WHERE end_at > ? ORDER BY start_at, number LIMIT ?", (_text(at), limit))


def ended_before(connection: sqlite3.Connection, at: datetime, limit: int) -> list[Booking]:
    """Appointments that had ended by `at`, the latest first."""
    return _bookings(connection, "WHERE end_at <= ? ORDER BY start_at DESC, number DESC LIMIT ?", (_text(at), limit))


def add(connection: sqlite3.Connection, request: BookingRequest, slot: Slot, at: datetime) -> Booking:
    """Store a new appointment and its claims.

    Raises:
        sqlite3.IntegrityError: a resource is taken, or the reference has an active appointment.
    """
    row = connection.execute(
        "INSERT INTO appointment (external_ref, vehicle_id, status, place_id, resources, start_at, end_at,"
        " request, created_at, changed_at) VALUES (?, ?, 'booked', ?, ?, ?, ?, ?, ?, ?) RETURNING number",
        (
            request.external_ref,
            request.vehicle_id,
            *_slot_columns(slot),
            request.model_dump_json(),
            _text(at),
            _text(at),
        ),
    ).fetchone()
    return _claim(connection, row[0], slot)


def change(connection: sqlite3.Connection, number: int, request: BookingRequest, slot: Slot, at: datetime) -> Booking:
    """Give an appointment a new content and new claims.

    Raises:
        sqlite3.IntegrityError: a resource is taken.
    """
    connection.execute("DELETE FROM claim WHERE appointment = ?", (number,))
    connection.execute(
        "UPDATE appointment SET vehicle_id = ?, place_id = ?, resources = ?, start_at = ?, end_at = ?,"
        " request = ?, changed_at = ? WHERE number = ?",
        (request.vehicle_id, *_slot_columns(slot), request.model_dump_json(), _text(at), number),
    )
    return _claim(connection, number, slot)


def cancel(connection: sqlite3.Connection, number: int, at: datetime) -> Booking:
    """End an appointment and free what it claimed."""
    connection.execute("DELETE FROM claim WHERE appointment = ?", (number,))
    connection.execute(
        "UPDATE appointment SET status = 'cancelled', changed_at = ? WHERE number = ?", (_text(at), number)
    )
    return _bookings(connection, "WHERE number = ?", (number,))[0]


def kept_answer(connection: sqlite3.Connection, key: str) -> tuple[str, Answer] | None:
    """The fingerprint of the request that first came under a key, and what it was answered."""
    row = connection.execute("SELECT fingerprint, status, body FROM answer WHERE key = ?", (key,)).fetchone()
    return (row[0], Answer(row[1], row[2])) if row else None


def keep_answer(connection: sqlite3.Connection, key: str, fingerprint: str, answer: Answer, at: datetime) -> None:
    """Remember what a request was answered."""
    connection.execute(
        "INSERT INTO answer (key, fingerprint, status, body, kept_at) VALUES (?, ?, ?, ?, ?)",
        (key, fingerprint, answer.status, answer.body, _text(at)),
    )


def _claim(connection: sqlite3.Connection, number: int, slot: Slot) -> Booking:
    connection.executemany(
        "INSERT INTO claim (resource_id, tick, appointment) VALUES (?, ?, ?)",
        [(claim.resource_id, tick, number) for claim in slot.claims for tick in claim.ticks],
    )
    return _bookings(connection, "WHERE number = ?", (number,))[0]


def _slot_columns(slot: Slot) -> tuple[str, str, str, str]:
    resources = list(dict.fromkeys(claim.resource_id for claim in slot.claims))
    return slot.place_id, json.dumps(resources), _text(slot.start_at), _text(slot.end_at)


def _bookings(connection: sqlite3.Connection, condition: str, values: tuple[object, ...]) -> list[Booking]:
    query = f"SELECT {', '.join(BOOKING_COLUMNS)} FROM appointment {condition}"  # noqa: S608 - literals only
    rows = connection.execute(query, values)
    return [
        Booking(
            number=number,
            status=status,
            place_id=place_id,
            resource_ids=tuple(json.loads(resources)),
            start_at=datetime.fromisoformat(start_at),
            end_at=datetime.fromisoformat(end_at),
            request=BookingRequest.model_validate_json(request),
            created_at=datetime.fromisoformat(created_at),
            changed_at=datetime.fromisoformat(changed_at),
        )
        for number, status, place_id, resources, start_at, end_at, request, created_at, changed_at in rows
    ]


def _text(at: datetime) -> str:
    return at.isoformat(timespec="microseconds")
