"""Samples of a small fleet with one fault of every kind, for tests that show what is stored."""

from datetime import UTC, datetime, timedelta
from typing import Any, Final

import numpy as np
import psycopg
from numpy.typing import NDArray

from storage import ledger, vehicles
from storage.ledger import BatchKey, BatchKind, LedgerEntry
from storage.telemetry_copy import SampleTable, copy_table
from vehicle.failure import FailureMode
from vehicle.moment import instant, moment
from vehicle.vehicle import LowVoltageChemistry, Powertrain, VehicleRecord

NOW: Final = datetime(2026, 9, 25, 6, 30, tzinfo=UTC)
START: Final = NOW - timedelta(days=24, hours=6, minutes=30)
PERIOD: Final = timedelta(minutes=30)
BOOT: Final = "00000000000000a1"
FAULTY: Final = {
    "city-01": FailureMode.LV_BATTERY_AGEING,
    "city-02": FailureMode.TYRE_SLOW_LEAK,
    "estate-01": FailureMode.WEAK_CELL_GROUP,
    "estate-02": FailureMode.COOLANT_PUMP_WEAK,
    "van-01": FailureMode.CHARGE_INLET_OVERHEATING,
    "van-02": FailureMode.HV_ISOLATION_LOSS,
}
HEALTHY: Final = ("city-03", "city-04", "estate-03", "estate-04", "van-03")
SILENT: Final = "van-04"
"""Has not sent anything for three days."""
FLEET: Final = (*FAULTY, *HEALTHY, SILENT)


def store_samples(connection: psycopg.Connection[Any]) -> None:
    """Register the fleet and store its samples, one batch a day, with the ledger entries that prove it."""
    for number, vehicle_id in enumerate(FLEET):
        vehicles.register(connection, _record(number, vehicle_id))
        end = NOW - timedelta(days=3) if vehicle_id == SILENT else NOW
        times = np.arange(instant(START), instant(end), np.timedelta64(PERIOD))
        elapsed = (times - instant(START)) / np.timedelta64(1, "D")
        columns = _columns(FAULTY.get(vehicle_id), elapsed, np.random.default_rng(number))
        copy_table(connection, SampleTable([vehicle_id], np.zeros(len(times), np.intp), times, columns), NOW)
        ledger.record(connection, _entries(vehicle_id, times))


def _record(number: int, vehicle_id: str) -> VehicleRecord:
    return VehicleRecord(
        vehicle_id=vehicle_id,
        registered_at=START,
        vin=f"WVSZZZ1KZ9W{number:06d}",
        model=vehicle_id.partition("-")[0].capitalize(),
        chemistry="NMC",
        lv_chemistry=LowVoltageChemistry.LEAD_ACID,
        powertrain=Powertrain.ELECTRIC,
        tyre_reference_kpa=290.0,
        cell_count=96,
        nominal_voltage_v=355.0,
        place="north",
    )


def _columns(fault: FailureMode | None, days: NDArray[np.float64], rng: np.random.Generator) -> dict[str, NDArray[Any]]:
    hour = 24 * (days % 1)
    driving = ((hour > 7) & (hour < 8.1)) | ((hour > 17) & (hour < 18.1))
    noise = rng.normal(size=(12, len(days)))
    worn = np.clip(days - 8, 0, None)
    ageing, leak, cell, pump, inlet, isolation = (worn * (fault is mode) for mode in FAULTY.values())
    warmth = 14 + 5 * np.sin((hour - 9) / 24 * 2 * np.pi)
    pressure = 284 + 0.9 * warmth
    return {
        "speed_kmh": np.where(driving, 46 + 9 * noise[0], 0.0).clip(0),
        "dcdc_enabled": driving.astype(np.float64),
        "lv_voltage_v": np.where(driving, 14.2, 12.62 - 0.045 * ageing) + 0.02 * noise[1],
        "hv_soc_pct": (78 - 22 * ((days * 0.7) % 1) + noise[2]).clip(5, 100),
        "tyre_pressure_fl_kpa": pressure + 0.8 * noise[3],
        "tyre_pressure_fr_kpa": pressure + 0.8 * noise[4],
        "tyre_pressure_rl_kpa": pressure - 4.6 * leak + 0.8 * noise[5],
        "tyre_pressure_rr_kpa": pressure + 0.8 * noise[6],
        "cell_v_max_v": 3.86 + 0.002 * noise[7],
        "cell_v_min_v": 3.852 - 0.0033 * cell + 0.002 * noise[8],
        "isolation_kohm": (4200 - 215 * isolation + 60 * noise[9]).clip(50),
        "charge_inlet_temp_c": np.where(hour < 3, 38 + 2.3 * inlet, warmth) + noise[10],
        "motor_coolant_temp_c": np.where(driving, 41 + 1.9 * pump, warmth) + noise[11],
        "ambient_temp_c": warmth,
        "odometer_km": 21_000 + 41.0 * days,
    }


def _entries(vehicle_id: str, times: NDArray[np.datetime64]) -> list[LedgerEntry]:
    days = np.split(times, np.flatnonzero(np.diff(times.astype("datetime64[D]")).astype(int)) + 1)
    return [
        LedgerEntry(
            BatchKey(vehicle_id, BOOT, seq),
            BatchKind.TELEMETRY,
            NOW,
            rows=len(day),
            first_at=moment(day[0]),
            last_at=moment(day[-1]),
            sent_at=moment(day[-1]),
        )
        for seq, day in enumerate(days, start=1)
    ]
