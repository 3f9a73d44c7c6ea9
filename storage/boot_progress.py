"""How far the boots have come: where the ledger need not be read again, and who has been heard lately."""

from collections.abc import Collection
from datetime import timedelta
from typing import Any

import psycopg

from storage.rows import transposed

Boot = tuple[str, str]
"""A vehicle and one of its boots."""


def note(connection: psycopg.Connection[Any], progress: Collection[tuple[str, str, int]]) -> None:
    """Remember that of (vehicle, boot, seq) everything up to the seq is in the ledger.

    It must be committed there, and the transaction must hold the vehicles (`storage.vehicles.hold`): were one
    forgotten meanwhile, its ledger would go, and this stay.
    """
    connection.execute(
        "INSERT INTO boot_progress AS known (vehicle_id, boot, through) "
        "SELECT * FROM unnest(%s::text[], %s::text[], %s::bigint[]) "
        "ON CONFLICT (vehicle_id, boot) DO UPDATE SET through = excluded.through "
        "WHERE excluded.through > known.through",
        transposed(sorted(progress), 3),
    )


def noted(connection: psycopg.Connection[Any], boots: Collection[Boot]) -> dict[Boot, int]:
    """What is remembered of these boots."""
    rows = connection.execute(
        "SELECT vehicle_id, boot, through FROM unnest(%s::text[], %s::text[]) AS asked (vehicle_id, boot) "
        "JOIN boot_progress USING (vehicle_id, boot)",
        transposed(boots, 2),
    )
    return {(vehicle_id, boot): through for vehicle_id, boot, through in rows}


def lower(connection: psycopg.Connection[Any], keys: Collection[tuple[str, str, int]]) -> None:
    """Forget what was noted of (vehicle, boot) from the seq on: it is leaving the ledger."""
    connection.execute(
        "DELETE FROM boot_progress "
        "USING unnest(%s::text[], %s::text[], %s::bigint[]) AS leaving (vehicle_id, boot, seq) "
        "WHERE boot_progress.vehicle_id = leaving.vehicle_id AND boot_progress.boot = leaving.boot "
        "AND through >= seq",
        transposed(keys, 3),
    )


def heard_lately(connection: psycopg.Connection[Any], within: timedelta) -> list[Boot]:
    """The boots that sent something within this time before the latest that any vehicle sent, by their own clocks.

    Senders that give no time, and so have no outbox either, are not among them.
    """
    return connection.execute(
        "WITH latest AS (SELECT vehicle_id, sent_at FROM vehicles CROSS JOIN LATERAL ("
        "  SELECT max(sent_at) AS sent_at FROM batch_ledger AS entered"
        "  WHERE entered.vehicle_id = vehicles.vehicle_id AND kind IN ('telemetry', 'event')"
        "  AND time_received IS NULL) AS contact WHERE sent_at IS NOT NULL) "
        "SELECT DISTINCT vehicle_id, boot FROM latest JOIN batch_ledger AS entered USING (vehicle_id) "
        "WHERE kind IN ('telemetry', 'event') AND time_received IS NULL "
        "AND entered.sent_at >= (SELECT max(sent_at) FROM latest) - %s ORDER BY vehicle_id, boot",
        [within],
    ).fetchall()
