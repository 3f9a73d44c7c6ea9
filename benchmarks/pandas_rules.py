# ruff: noqa: PLR2004 -- thresholds stand where they are used, as one writes them first
"""Five rules of the catalogue as one would write them with pandas, car by car: what the engine is compared with."""

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

import pandas as pd

from vehicle.signals import CATALOGUE

Conditions = tuple[pd.Series, pd.Series]
"""`when` and `until` at each sample, NaN where not known."""
LONGEST_SILENCE: Final = timedelta(days=7)


def judge_plainly(folder: Path) -> list[tuple[str, str, datetime]]:
    """When each of the five rules began to fire on which car."""
    columns = ["vehicle_id", "time", *dict.fromkeys(name for names, _, _, _ in PLAIN_RULES.values() for name in names)]
    files = sorted((folder / "samples").glob("*.parquet"))
    samples = pd.concat([pd.read_parquet(file, columns=columns) for file in files])
    samples["vehicle_id"] = samples["vehicle_id"].astype(str)
    for name in columns[2:]:
        samples[name] = _numbers(name, samples[name])
    found = []
    for vehicle_id, car in samples.groupby("vehicle_id", sort=False):
        frame = car.set_index("time").sort_index()
        for rule_id, (names, conditions, observations, hold) in PLAIN_RULES.items():
            known = frame[list(names)].dropna(how="all")
            if len(known):
                when, until = conditions(known)
                found += [(rule_id, str(vehicle_id), at) for at in _begins(when, until, observations, hold)]
    return found


def _numbers(name: str, column: pd.Series) -> pd.Series:
    signal = CATALOGUE[name]
    if signal.values:
        column = column.map({value: place for place, value in enumerate(signal.values)})
    return pd.Series(signal.quantised(column.astype("float64").to_numpy()), index=column.index)


def _begins(when: pd.Series, until: pd.Series, observations: int, hold: timedelta) -> Iterator[datetime]:
    """A loop over the samples, as a state machine is written first."""
    streak, firing = 0, False
    told: datetime | None = None
    well_since: datetime | None = None
    for row in pd.DataFrame({"when": when, "until": until}).dropna().itertuples():
        at: Any = row.Index
        if told is not None and at - told > LONGEST_SILENCE:
            streak, well_since = 0, None
        told = at
        streak = streak + 1 if row.when else 0
        if firing:
            well_since = (well_since or at) if row.until else None
            if well_since is not None and at - well_since >= hold:
                firing, well_since = False, None
        elif streak >= observations:
            firing = True
            yield at.to_pydatetime()


def _support_lost(frame: pd.DataFrame) -> Conditions:
    voltage = frame["lv_voltage_v"].where(frame["dcdc_enabled"] == 1).rolling("30min", min_periods=5).quantile(0.9)
    return _between(voltage, voltage <= 13.0, voltage > 13.3)


def _converter_hot(frame: pd.DataFrame) -> Conditions:
    rise = (
        (frame["dcdc_temp_c"] - frame["ambient_temp_c"]).where(frame["dcdc_enabled"] == 1).rolling("1h").quantile(0.5)
    )
    return _between(rise, rise >= 35.0, rise < 30.0)


def _coolant_low(frame: pd.DataFrame) -> Conditions:
    share = frame["coolant_level_low"].rolling("30min").mean()
    return _between(share, share >= 0.5, share < 0.1)


def _update_failed(frame: pd.DataFrame) -> Conditions:
    state = frame["software_update_state"]
    idle, complete, failed = (
        CATALOGUE["software_update_state"].values.index(name) for name in ("Idle", "Complete", "Failed")
    )
    return _between(state, state == failed, state.isin([idle, complete]))


def _valve_astray(frame: pd.DataFrame) -> Conditions:
    gap = (frame["coolant_valve_commanded_pct"] - frame["coolant_valve_position_pct"]).abs()
    least, most = gap.rolling("5min").min(), gap.rolling("5min").max()
    return _between(least, least >= 10.0, most < 5.0)


def _between(known: pd.Series, when: pd.Series, until: pd.Series) -> Conditions:
    return when.astype("float64").where(known.notna()), until.astype("float64").where(known.notna())


PLAIN_RULES: Final[Mapping[str, tuple[tuple[str, ...], Callable[[pd.DataFrame], Conditions], int, timedelta]]] = (
    MappingProxyType(
        {
            "dcdc_support_lost": (("lv_voltage_v", "dcdc_enabled"), _support_lost, 3, timedelta(days=1)),
            "dcdc_hot": (("dcdc_temp_c", "ambient_temp_c", "dcdc_enabled"), _converter_hot, 3, timedelta(days=2)),
            "coolant_level_low": (("coolant_level_low",), _coolant_low, 5, timedelta(days=3)),
            "update_failed": (("software_update_state",), _update_failed, 2, timedelta(hours=6)),
            "coolant_valve_astray": (
                ("coolant_valve_commanded_pct", "coolant_valve_position_pct"),
                _valve_astray,
                5,
                timedelta(days=1),
            ),
        }
    )
)
"""By id: signals, conditions, `observations` and `keep_firing_for`."""
