"""Software updates: the maker's releases reach each car some days later, wait for a night, and are installed parked.

A sound update goes through `STATES` from Downloading to Complete and tells the new version in an event. One that is
stuck climbs to the same share each time it is tried, restarts the computer, and is given up in the end.
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

import numpy as np

from simulator.day import BoolArray, Cars, Day, FloatArray, Phase, indicator
from simulator.fault_modes import FAULT_MODES
from simulator.instruments import ALWAYS, Sensor, Test
from simulator.randomness import Purpose, generator
from simulator.weather import DAY_S
from vehicle.batch import Event, EventKind
from vehicle.failure import FailureMode
from vehicle.signals import CATALOGUE
from vehicle.software import FIRMWARE

FIRST_RELEASE: Final = date(2020, 1, 6)
RELEASE_DAYS: Final = 35
"""The maker's releases, one every five weeks (engineering estimate), named by year and ISO week."""
ROLLOUT_DAYS: Final = (1, 14)
"""A release reaches a car so long after its date (engineering estimate)."""
NIGHT_S: Final = (5400.0, 12600.0)
"""When at night it is installed, UTC (engineering estimate)."""
DOWNLOAD_S: Final = (50400.0, 28800.0)
"""So long before the installation the download begins and ends (engineering estimates)."""
INSTALL_S: Final = 2400.0
"""An installation takes so long; it goes on only while the car is parked (engineering estimate)."""
STALLS: Final = (0.2, 0.9)
"""A stuck installation gets so far."""
RETRY_S: Final = 14400.0
"""It is tried again after so long parked (engineering estimate)."""
SENSOR: Final = 0.01
"""What is told of the progress is whole percents."""
STATES: Final = CATALOGUE["software_update_state"].values
IDLE, DOWNLOADING, SCHEDULED, INSTALLING, COMPLETE, FAILED = (
    float(STATES.index(name)) for name in ("Idle", "Downloading", "Scheduled", "Installing", "Complete", "Failed")
)

SENSORS: Final = {"software_update_state": Sensor(ALWAYS), "software_update_pct": Sensor(ALWAYS)}
"""The gateway answers, which is up at night as well."""


def _failed(day: Day, _: Cars) -> BoolArray:
    return np.asarray(day.columns["software_update_state"] == FAILED)


TESTS: Final = (Test("UPD_installation_failed", _failed, ("software_update_pct",)),)
"""The maker's own code."""


@dataclass(slots=True, eq=False)
class SoftwareUpdates:
    """Constants and state per car, shape (cars,)."""

    due_s: FloatArray
    """From a release's date to the car's installation."""
    stalls: FloatArray
    """Share at which an installation gets stuck, where it does."""
    release: FloatArray
    """Number of the last one that was due; NaN before the first midnight."""
    progress: FloatArray
    """Of its installation, 0 to 1."""
    driven: FloatArray
    """Above 0 once the car was driven with it."""
    tried_s: FloatArray
    """How long a stuck installation has been tried."""


def start(cars: Cars, _: FloatArray) -> SoftwareUpdates:
    """Every car has the release that was last due to it, and was driven since."""
    draws = [generator(one.seed, Purpose.BIRTH, one.number, 34) for one in cars.cars]
    days = np.array([rng.integers(*ROLLOUT_DAYS, endpoint=True) for rng in draws])
    night_s = np.array([rng.uniform(*NIGHT_S) for rng in draws])
    key = FAULT_MODES[FailureMode.SOFTWARE_UPDATE_FAILED].key
    stalls = [generator(one.seed, Purpose.FAULT, one.number, key, 1).uniform(*STALLS) for one in cars.cars]
    return SoftwareUpdates(
        due_s=days * DAY_S + night_s,
        stalls=np.array(stalls),
        release=np.full(len(cars), np.nan),
        progress=np.ones(len(cars)),
        driven=np.ones(len(cars)),
        tried_s=np.zeros(len(cars)),
    )


def version(release: int) -> str:
    """Name of the maker's release of this number, by its date: ``2026.36``."""
    year, week, _ = (FIRST_RELEASE + timedelta(days=RELEASE_DAYS * release)).isocalendar()
    return f"{year}.{week}"


def advance(state: SoftwareUpdates, day: Day) -> None:
    """State and progress of updates; `update_restarts`, where one restarts the computer; events of versions."""
    severity = day.severity(FailureMode.SOFTWARE_UPDATE_FAILED)
    stuck = severity > 0.0
    driving = day.during(Phase.DRIVING)
    release, since_s = _due(state, day)
    before = _before(day, release, state.release)
    parked_s = np.where(driving, 0.0, day.dt_s)
    fresh = (release != before) & ~np.isnan(before)
    gain = np.where(stuck, 0.0, np.minimum(parked_s, since_s) / INSTALL_S)
    progress = day.recur(indicator(~fresh & ~stuck), gain, state.progress)
    progress_before = _before(day, progress, state.progress)
    done = progress >= 1.0
    installed = done & ((progress_before < 1.0) | fresh)
    driven = day.recur(indicator(done & ~installed), indicator(done & driving), state.driven)
    tried_s = day.recur(indicator(stuck), np.where(stuck, parked_s, 0.0), state.tried_s)
    tries = np.floor(tried_s / RETRY_S)
    again = stuck & (tries > np.floor(_before(day, tried_s, state.tried_s) / RETRY_S))
    stalls = day.of(state.stalls)
    reached = np.minimum((tried_s - tries * RETRY_S) / INSTALL_S, stalls)
    gave_up = severity >= 1.0
    next_s = RELEASE_DAYS * DAY_S - since_s
    idle = np.where((driven > 0.0) | ~done, IDLE, COMPLETE)
    coming = np.where(next_s < DOWNLOAD_S[1], SCHEDULED, np.where(next_s < DOWNLOAD_S[0], DOWNLOADING, idle))
    sound = np.where(done, coming, INSTALLING)
    day.columns |= {
        "software_update_state": np.where(stuck, np.where(gave_up, FAILED, INSTALLING), sound),
        "software_update_pct": 100.0
        * np.where(stuck, np.where(gave_up, stalls, reached), np.where(done, 0.0, progress)),
        "update_restarts": indicator(installed | (again & ~gave_up)),
    }
    lags = stuck & (np.minimum(tried_s / INSTALL_S, 1.0) - reached > 3.0 * SENSOR)
    day.visible[FailureMode.SOFTWARE_UPDATE_FAILED] = lags
    day.failed[FailureMode.SOFTWARE_UPDATE_FAILED] = stuck & gave_up
    for row in np.flatnonzero(installed | np.isnan(before)):
        at = day.midnight + timedelta(seconds=float(day.at_s[row]) - day.index * DAY_S)
        details = {FIRMWARE: version(int(release[row]))}
        day.events[int(day.car[row])].append(Event(at, EventKind.SOFTWARE, details=details))
    for name, values in (("release", release), ("progress", progress), ("driven", driven), ("tried_s", tried_s)):
        setattr(state, name, values[day.last])


def _due(state: SoftwareUpdates, day: Day) -> tuple[FloatArray, FloatArray]:
    """Number of the release that was last due to each car, and seconds since then."""
    first = datetime.combine(FIRST_RELEASE, datetime.min.time(), day.midnight.tzinfo)
    start_s = (day.midnight - first).total_seconds() - day.index * DAY_S
    since_s = start_s + day.at_s - day.of(state.due_s)
    release = np.floor(since_s / (RELEASE_DAYS * DAY_S))
    return release, since_s - release * RELEASE_DAYS * DAY_S


def _before(day: Day, values: FloatArray, midnight: FloatArray) -> FloatArray:
    """What was so at the row before, of the first rows at midnight."""
    before = np.roll(values, 1)
    before[day.first] = midnight
    return before
