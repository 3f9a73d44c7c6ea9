"""What persons decide about alerts: who, when, which way and why."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

import psycopg

from storage import rows
from tickets.alert import AlertStatus


class Verdict(StrEnum):
    """The two ways to answer an open alert."""

    CONFIRM = "confirm"
    DISMISS = "dismiss"


_STATUSES = {Verdict.CONFIRM: AlertStatus.CONFIRMED, Verdict.DISMISS: AlertStatus.DISMISSED}


@dataclass(frozen=True, slots=True)
class Decision:
    """One person's answer to one alert."""

    alert_id: UUID
    at: datetime
    author: str
    verdict: Verdict
    reason: str


class StaleAlertError(Exception):
    """The alert is no longer open, so there is nothing left to decide."""


def decide(connection: psycopg.Connection[Any], decision: Decision) -> None:
    """Settle an open alert and keep who did it.

    Raises:
        StaleAlertError: if the alert is not open; nothing is changed then.
    """
    with connection.transaction():
        settled = connection.execute(
            "UPDATE alerts SET status = %s WHERE alert_id = %s AND status = 'open'",
            [_STATUSES[decision.verdict], decision.alert_id],
        ).rowcount
        if not settled:
            raise StaleAlertError(f"alert {decision.alert_id} is not open")
        connection.execute(
            "INSERT INTO alert_decisions (alert_id, at, author, verdict, reason) "
            "VALUES (%(alert_id)s, %(at)s, %(author)s, %(verdict)s, %(reason)s)",
            rows.column_values(decision),
        )


def of_alert(connection: psycopg.Connection[Any], alert_id: UUID) -> list[Decision]:
    """Every decision about an alert, in the order they were made."""
    with connection.cursor(row_factory=rows.record_row(Decision)) as cursor:
        return cursor.execute(
            "SELECT alert_id, at, author, verdict, reason FROM alert_decisions WHERE alert_id = %s ORDER BY id",
            [alert_id],
        ).fetchall()
