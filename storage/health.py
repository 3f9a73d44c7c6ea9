"""What the fleet's condition is judged by at a glance, per vehicle and day, computed where the samples are."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import psycopg

from storage.rows import record_row


@dataclass(frozen=True, slots=True)
class DailyCondition:
    """One vehicle's medians of one UTC day; None: not measured that day."""

    vehicle_id: str
    day: datetime
    """Its midnight."""
    lv_rest_v: float | None
    """Low-voltage battery, standing with the converter off."""
    tyre_spread_kpa: float | None
    """Fullest minus emptiest tyre."""
    cell_spread_mv: float | None
    """Highest minus lowest cell group."""
    isolation_kohm: float | None
    """Where the measurement says that it is valid."""


def daily_conditions(connection: psycopg.Connection[Any], start: datetime, end: datetime) -> list[DailyCondition]:
    """The conditions of all vehicles in [start, end), by vehicle and day."""
    with connection.cursor(row_factory=record_row(DailyCondition)) as cursor:
        return cursor.execute(
            "SELECT vehicle_id, date_trunc('day', time, 'UTC') AS day,"
            " percentile_cont(0.5) WITHIN GROUP (ORDER BY lv_voltage_v)"
            "  FILTER (WHERE dcdc_enabled IS NOT TRUE AND coalesce(speed_kmh, 0) = 0) AS lv_rest_v,"
            " percentile_cont(0.5) WITHIN GROUP (ORDER BY"
            "  greatest(tyre_pressure_fl_kpa, tyre_pressure_fr_kpa, tyre_pressure_rl_kpa, tyre_pressure_rr_kpa)"
            "  - least(tyre_pressure_fl_kpa, tyre_pressure_fr_kpa, tyre_pressure_rl_kpa, tyre_pressure_rr_kpa))"
            "  AS tyre_spread_kpa,"
            " percentile_cont(0.5) WITHIN GROUP (ORDER BY coalesce(cell_v_delta_mv,"
            "  1000 * (cell_v_max_v - cell_v_min_v),"
            "  (SELECT 1000 * (max(cell) - min(cell)) FROM unnest(cell_voltages_v) AS cell))) AS cell_spread_mv,"
            " percentile_cont(0.5) WITHIN GROUP (ORDER BY isolation_kohm)"
            "  FILTER (WHERE isolation_valid IS NOT FALSE) AS isolation_kohm "
            "FROM telemetry WHERE time >= %s AND time < %s GROUP BY vehicle_id, day ORDER BY vehicle_id, day",
            [start, end],
        ).fetchall()
