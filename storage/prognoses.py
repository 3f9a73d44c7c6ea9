"""When a detector last dated the failure of a problem."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import psycopg

from storage.rows import record_row
from tickets.alert import Alert
from vehicle.finding import RemainingUsefulLife


@dataclass(frozen=True, slots=True)
class Prognosis:
    """The life that was left at one moment."""

    observed_at: datetime
    remaining_useful_life: RemainingUsefulLife


def latest_prognosis(connection: psycopg.Connection[Any], alert: Alert) -> Prognosis | None:
    """The latest date for the failure that an alert tells of; None: no detector could ever tell."""
    with connection.cursor(row_factory=record_row(Prognosis)) as cursor:
        return cursor.execute(
            "SELECT observed_at, remaining_useful_life FROM findings "
            "WHERE vehicle_id = %s AND component = %s AND failure_mode = %s AND observed_at >= %s "
            "AND remaining_useful_life IS NOT NULL ORDER BY observed_at DESC, finding_id DESC LIMIT 1",
            [alert.vehicle_id, alert.component, alert.failure_mode, alert.opened_at],
        ).fetchone()
