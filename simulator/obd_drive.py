"""Drives of a car with a combustion engine, as a logger at its diagnostic socket writes them: the format `obd-csv`.

One drive a file, a row about every second, times as seconds of engine running and no date. Column names are those of
the SAE J1979 parameters in capitals, with the unit in brackets or none; names that are not known are left alone.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from simulator.recording import Recording, RecordingError, numeric, plausible, read_table
from vehicle.moment import instant


@dataclass(frozen=True, slots=True)
class _Parameter:
    signal: str
    units: frozenset[str]
    """In which it can be taken as it is; in small letters."""


_CELSIUS: Final = frozenset({"", "c", "°c", "degc", "deg c", "celsius", "\ufffdc"})
"""The last is the degree sign of a file that is not in UTF-8."""
_VOLTS: Final = frozenset({"", "v", "volt", "volts"})
_KMH: Final = frozenset({"", "km/h", "kmh", "kph"})
_RPM: Final = frozenset({"", "rpm", "1/min", "/min", "min-1"})
_KM: Final = frozenset({"", "km"})

_TIMES: Final = ("ENGINE_RUN_TIME", "ENGINE_RUN_TINE", "RUN_TIME_SINCE_ENGINE_START")
"""The second is how a wide-spread logger spells it."""
_PARAMETERS: Final[Mapping[str, _Parameter]] = {
    "ENGINE_RPM": _Parameter("engine_speed_rpm", _RPM),
    "VEHICLE_SPEED": _Parameter("speed_kmh", _KMH),
    "COOLANT_TEMPERATURE": _Parameter("engine_coolant_temp_c", _CELSIUS),
    "ENGINE_COOLANT_TEMPERATURE": _Parameter("engine_coolant_temp_c", _CELSIUS),
    "CONTROL_MODULE_VOLTAGE": _Parameter("lv_voltage_v", _VOLTS),
    "AMBIENT_AIR_TEMP": _Parameter("ambient_temp_c", _CELSIUS),
    "AMBIENT_AIR_TEMPERATURE": _Parameter("ambient_temp_c", _CELSIUS),
    "ODOMETER": _Parameter("odometer_km", _KM),
}
_PLAUSIBLE: Final[Mapping[str, tuple[float, float]]] = {
    "engine_speed_rpm": (0.0, 16_000.0),
    "speed_kmh": (0.0, 254.0),
    "engine_coolant_temp_c": (-39.0, 199.0),
    "lv_voltage_v": (1.0, 31.0),
    "ambient_temp_c": (-39.0, 70.0),
    "odometer_km": (0.1, 2_000_000.0),
}
"""What can be a measurement: a parameter's least and greatest code (-40 and 215 degC, 255 km/h, 0 and 65.535 V, 16,384
rpm) are those of a sensor that is not there."""
_HEADING: Final = re.compile(r"\s*(?P<name>[^(\[]*?)\s*(?:[(\[](?P<unit>[^)\]]*)[)\]]?\s*)?")
_FALLEN_SHARE: Final = 0.5
"""Run time that falls below this share of what it was began anew; one that falls by less is out of order."""


def read_obd_csv(path: Path, start: datetime) -> Recording:
    """Read an `obd-csv` file (CSV, also in a gzip or zip), whose engine began to run at `start`.

    Raises:
        RecordingError: if the file cannot be read or is no such drive.
    """
    table = read_table(path)
    remarks: list[str] = []
    columns = _columns(table, remarks)
    clock = next((name for name in _TIMES if name in columns), None)
    known = [name for name in _PARAMETERS if name in columns]
    if clock is None:
        raise RecordingError(f"{path.name} is not an obd-csv: it has no column {_TIMES[0]}")
    if not known:
        raise RecordingError(f"{path.name} is not an obd-csv: it has none of the columns {', '.join(_PARAMETERS)}")
    chosen, seconds = _in_order(numeric(columns[clock]), remarks)
    if not len(chosen):
        raise RecordingError(f"{path.name}: column {clock} holds no times")
    signals: dict[str, NDArray[np.float64]] = {}
    for name in known:
        signal = _PARAMETERS[name].signal
        if signal not in signals:
            signals[signal] = plausible(numeric(columns[name])[chosen], signal, _PLAUSIBLE, remarks)
    times = instant(start) + np.round(seconds * 1e6).astype("timedelta64[us]")
    return Recording(times, signals, tuple(remarks))


def _columns(table: pd.DataFrame, remarks: list[str]) -> dict[str, pd.Series]:
    """The columns by their parameters' names; those in another unit than ours are left out."""
    found: dict[str, pd.Series] = {}
    for heading in table.columns:
        match = _HEADING.fullmatch(str(heading))
        name = re.sub(r"[^A-Z0-9]+", "_", match["name"].upper()).strip("_") if match else ""
        unit = (match["unit"] or "").strip().lower() if match else ""
        if name in _PARAMETERS and unit not in _PARAMETERS[name].units:
            remarks.append(f"{name} is in {unit}: left out")
        elif name not in found:
            found[name] = table[heading]
    return found


def _in_order(seconds: NDArray[np.float64], remarks: list[str]) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    """The rows to keep, the first of each second, and their seconds since the engine first ran."""
    rows = np.flatnonzero(np.isfinite(seconds) & (seconds >= 0))
    if len(rows) < len(seconds):
        remarks.append(f"{len(seconds) - len(rows)} rows without a readable time left out")
    if not len(rows):
        return rows, seconds[rows]
    run = seconds[rows]
    before = np.concatenate((run[:1], run[:-1]))
    again = run < before * _FALLEN_SHARE
    if again.any():
        remarks.append(f"the run time begins anew {int(again.sum())} times: taken to go on at once")
    run = run + np.cumsum(np.where(again, before + 1.0, 0.0))
    latest = np.maximum.accumulate(np.concatenate(([-np.inf], run[:-1])))
    new = run > latest
    if not new.all():
        remarks.append(f"{int((~new).sum())} rows with a time already seen left out")
    return rows[new], run[new]
