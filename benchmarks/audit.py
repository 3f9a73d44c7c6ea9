"""Holds what is stored against what was sent: nothing lost, nothing twice, to the single row."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import psycopg

from benchmarks.cars import boot_of
from storage.connection import connect

_TIMEOUT: Final = timedelta(minutes=30)
_ENTERED: Final = (
    "SELECT vehicle_id, boot, count(*), sum(rows) FROM batch_ledger WHERE kind = 'telemetry' GROUP BY vehicle_id, boot"
)
_FOUND: Final = (
    "SELECT count(*), count(DISTINCT time), count(DISTINCT time) FILTER (WHERE time < %(end)s AND "
    "(extract(epoch FROM time - %(first)s) * 1000000)::bigint %% %(step_us)s = 0) "
    "FROM telemetry WHERE vehicle_id = %(vehicle)s AND time >= %(first)s"
)


@dataclass(frozen=True, slots=True)
class Sent:
    """What one car has sent: gapless from seq 1 and from `first_at`, a sample every `step`."""

    vehicle_id: str
    batches: int
    rows: int
    first_at: datetime
    step: timedelta
    gone_before: int = 0
    """Rows that were counted and dropped since: the first ones."""

    @property
    def first_left_at(self) -> datetime:
        """Time of the first row that is still to be there."""
        return self.first_at + self.gone_before * self.step


@dataclass(frozen=True, slots=True)
class Audit:
    """How far what is stored is from what was sent; all zero if all is well."""

    lost: int = 0
    """Rows that were sent and are not there, or batches that the ledger lacks where that is more."""
    duplicated: int = 0
    """Rows beyond one per car and time."""
    foreign: int = 0
    """Rows that nobody sent."""
    quarantined: int = 0
    """Messages in quarantine; all that is sent is fit to be stored."""


def audit(database_url: str, sent: Sequence[Sent]) -> Audit:
    """Compare ledger and table with what was sent, car by car."""
    lost = duplicated = foreign = 0
    with connect(database_url, statement_timeout=_TIMEOUT) as connection:
        entered = {(vehicle_id, boot): counts for vehicle_id, boot, *counts in connection.execute(_ENTERED)}
        for car in sent:
            rows, distinct, wanted = _found(connection, car)
            batches, ledger_rows = entered.get((car.vehicle_id, boot_of(car.vehicle_id)), (0, 0))
            lost += max(car.rows - car.gone_before - wanted, car.rows - ledger_rows, car.batches - batches, 0)
            duplicated += rows - distinct
            foreign += distinct - wanted
        kept = connection.execute("SELECT coalesce(sum(count), 0)::bigint FROM quarantine").fetchone()
    return Audit(lost, duplicated, foreign, kept[0] if kept else 0)


def _found(connection: psycopg.Connection[Any], car: Sent) -> tuple[int, int, int]:
    """Rows of a car, its distinct times, and how many of these are times at which it sampled."""
    row = connection.execute(
        _FOUND,
        {
            "vehicle": car.vehicle_id,
            "first": car.first_left_at,
            "end": car.first_at + car.rows * car.step,
            "step_us": car.step // timedelta(microseconds=1),
        },
    ).fetchone()
    return row or (0, 0, 0)
