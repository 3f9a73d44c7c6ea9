"""Recorded cars as telemetry: the formats there are, and that of an electric car's cloud recording.

Errors: `RecordingError` for a file that is not what its format says; its text is one line.
"""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from simulator.obd_drive import read_obd_csv
from simulator.recording import Recording, RecordingError, numeric, plausible, read_table
from vehicle.signals import CATALOGUE
from vehicle.vehicle import Powertrain

_SCALARS: Mapping[str, str] = {
    "vehSpeed": "speed_kmh",
    "BMSBatteryVoltage": "hv_voltage_v",
    "BMSBatteryCurrent": "hv_current_a",
    "vehBMSPackSOC": "hv_soc_pct",
    "vehOdo": "odometer_km",
    "BMSCellVoltageMax": "cell_v_max_v",
    "BMSCellVoltageMin": "cell_v_min_v",
    "BMSProbeTempMax": "module_temp_max_c",
    "BMSProbeTempMin": "module_temp_min_c",
    "insulationResistance": "isolation_kohm",
}
_PLAUSIBLE: Mapping[str, tuple[float, float]] = {
    "cell_voltages_v": (1.0, 4.9),
    "cell_v_max_v": (1.0, 4.9),
    "cell_v_min_v": (1.0, 4.9),
    "module_temps_c": (-40.0, 120.0),
    "module_temp_max_c": (-40.0, 120.0),
    "module_temp_min_c": (-40.0, 120.0),
    "hv_voltage_v": (10.0, 1000.0),
    "hv_soc_pct": (0.0, 100.0),
    "odometer_km": (0.1, 2_000_000.0),
    "speed_kmh": (0.0, 250.0),
    "isolation_kohm": (0.1, 60_000.0),
}
"""What can be a measurement; beyond it lie the sentinels (5.0 V, 66.535 V, 125, 255 and 511 degC, odometer 0)."""
_RAW_TEMPERATURE_OFFSET_C = 40.0
"""GB/T 32960.3 sends temperatures as degC + 40; some recordings keep that offset in the probes' columns."""
_CHARGE_STATES: Mapping[float, str] = {1.0: "Charging", 3.0: "Disconnected", 4.0: "Complete"}
"""GB/T 32960.3, charge status: parked charging, not charging, complete; 2 (while driving) and others are not mapped."""


def read_battery_log(path: Path, zone: ZoneInfo) -> Recording:
    """Read a `battery-log` file (CSV, also in a zip or gzip); its times are local times of `zone`.

    Raises:
        RecordingError: if the file cannot be read or is not a battery log.
    """
    table = read_table(path)
    missing = [name for name in ("tboxTime", "V_1", "BMSBatteryCurrent") if name not in table.columns]
    if missing:
        raise RecordingError(f"{path.name} is not a battery-log: it has no column {', '.join(missing)}")
    remarks: list[str] = []
    table = _in_order(table, zone, remarks)
    columns = {
        signal: plausible(numeric(table[name]), signal, _PLAUSIBLE, remarks)
        for name, signal in _SCALARS.items()
        if name in table.columns
    }
    columns["cell_voltages_v"] = plausible(_numbered(table, "V_"), "cell_voltages_v", _PLAUSIBLE, remarks)
    probes = _numbered(table, "T_")
    if probes.size:
        columns["module_temps_c"] = _probe_temperatures(probes, columns.get("module_temp_max_c"), remarks)
    columns["hv_current_a"] = _charging_positive(columns, remarks)
    if "BMSChargeStatus" in table.columns:
        columns["charge_state"] = _charge_state(numeric(table["BMSChargeStatus"]))
    times = table.index.to_numpy().astype("datetime64[us]")
    return Recording(times, columns, tuple(remarks))


@dataclass(frozen=True, slots=True)
class Format:
    """One kind of file that can be replayed."""

    read: Callable[[Path, ZoneInfo, datetime], Recording]
    """Takes the file, the zone of its local times, and when it began if it has no date."""
    dated: bool
    powertrain: Powertrain
    """Of the cars that such files are of."""


FORMATS: Mapping[str, Format] = {
    "battery-log": Format(lambda path, zone, _: read_battery_log(path, zone), True, Powertrain.ELECTRIC),
    "obd-csv": Format(lambda path, _, start: read_obd_csv(path, start), False, Powertrain.COMBUSTION),
}
"""Every format that can be replayed, by the name the command line gives it."""


def replay_boot(path: Path, vehicle_id: str, start: datetime | None = None) -> str:
    """The boot of a replay: a hash of file and vehicle, so that a second replay sends nothing new.

    And of the start that was given to a file without a date: another one makes other samples of it.
    """
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256")
    digest.update(vehicle_id.encode())
    if start is not None:
        digest.update(start.astimezone(UTC).isoformat().encode())
    return digest.hexdigest()[:16]


def _in_order(table: pd.DataFrame, zone: ZoneInfo, remarks: list[str]) -> pd.DataFrame:
    """The rows by time, UTC, each time once (the first row of a time is kept)."""
    local = pd.to_datetime(table["tboxTime"], errors="coerce")
    if local.isna().all():
        raise RecordingError("column tboxTime holds no times")
    if local.isna().any():
        remarks.append(f"{int(local.isna().sum())} rows without a readable time left out")
    # An hour that a zone's clocks repeat cannot be told apart; both passes count as the first.
    utc = local.dt.tz_localize(zone, ambiguous=np.ones(len(local), bool), nonexistent="shift_forward")
    table = table.set_index(utc.dt.tz_convert("UTC").dt.tz_localize(None))
    table = table[table.index.notna()].sort_index(kind="stable")
    repeated = table.index.duplicated()
    if repeated.any():
        remarks.append(f"{int(repeated.sum())} rows with a time already seen left out")
    return table[~repeated]


def _numbered(table: pd.DataFrame, prefix: str) -> NDArray[np.float64]:
    """The columns prefix_1 … prefix_n by their number, wherever they stand; a number left out is all NaN."""
    numbers = {
        int(name[len(prefix) :]): name
        for name in table.columns
        if name.startswith(prefix) and name[len(prefix) :].isdecimal() and int(name[len(prefix) :]) > 0
    }
    matrix = np.full((len(table), max(numbers, default=0)), np.nan)
    for number, name in numbers.items():
        matrix[:, number - 1] = numeric(table[name])
    return matrix


def _probe_temperatures(
    probes: NDArray[np.float64], hottest: NDArray[np.float64] | None, remarks: list[str]
) -> NDArray[np.float64]:
    """The probes in degC: where they stand 40 above the recorded maximum, the raw offset is taken off."""
    low, high = _PLAUSIBLE["module_temps_c"]
    valid = np.where((probes < low) | (probes > high + _RAW_TEMPERATURE_OFFSET_C), np.nan, probes)
    if hottest is not None and np.isfinite(hottest).any():
        above = (pd.DataFrame(valid).median(axis=1) - hottest).median()
        if abs(above - _RAW_TEMPERATURE_OFFSET_C) < _RAW_TEMPERATURE_OFFSET_C / 4:
            remarks.append("module_temps_c: recorded as degC + 40, 40 taken off")
            probes = probes - _RAW_TEMPERATURE_OFFSET_C
    return plausible(probes, "module_temps_c", _PLAUSIBLE, remarks)


def _charging_positive(columns: Mapping[str, NDArray[Any]], remarks: list[str]) -> NDArray[np.float64]:
    """The current with VSS's sign, positive into the battery, worked out from what it does to the state of charge."""
    current = columns["hv_current_a"]
    soc = columns.get("hv_soc_pct")
    if soc is None:
        return current
    frame = pd.DataFrame({"current": current, "soc": soc}).dropna()
    step = max(1, len(frame) // 500)
    change = frame["soc"].diff(step)
    mean = frame["current"].rolling(step).mean()
    agreement = change.corr(mean) if change.std() and mean.std() else np.nan
    if agreement < 0:
        remarks.append("hv_current_a: recorded positive out of the battery, sign turned")
        return -current
    return current


def _charge_state(status: NDArray[np.float64]) -> NDArray[np.float64]:
    names = CATALOGUE["charge_state"].values
    mapped = np.full(len(status), np.nan)
    for code, name in _CHARGE_STATES.items():
        mapped[status == code] = names.index(name)
    return mapped
