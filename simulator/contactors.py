"""Contactors and the interlock loop that lets them close: what is counted, and what opens or welds them."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from simulator.day import BoolArray, Cars, Day, FloatArray, Phase, indicator
from simulator.fault_modes import FAULT_MODES
from simulator.instruments import UP, Sensor, Test
from simulator.randomness import Purpose, generator
from vehicle.failure import FailureMode
from vehicle.signals import CATALOGUE

CLOSINGS_PER_DAY: Final = 5.0
"""Before the fleet's start (engineering estimate: two drives, a charge, top-ups)."""
FLAPS_PER_KM: Final = 1.0
JOLTING_KMH: Final = 50.0
"""A connector of severity 1 opens so often per kilometre of rough road at this speed, in proportion to speed
(engineering estimates)."""
OPEN_S: Final = 0.15
"""Mean time that a connector of severity 1 is open at a jolt, exponentially distributed (engineering estimate)."""
PATIENCE_S: Final = 0.5
"""The control opens the contactors when the loop is open for longer (engineering estimate)."""
PRECHARGE_FAILS: Final = 0.6
MOST_RETRIES: Final = 5
"""Chance that severity 1 lets one precharge fail, and when the control gives up (engineering estimates)."""
LIFTS_PER_S: Final = 5e-3
LIFTING_A: Final = 100.0
"""Worn contacts of severity 1 lift so often at this current, with its square as the force that parts them does (Holm,
Electric Contacts); the rate is an engineering estimate."""
WELDS_FROM: Final = 0.85
WELDS: Final = 2.0
"""Chance that a closing welds, per severity beyond that from which contacts are pitted enough (engineering
estimates)."""
_BMS: Final = CATALOGUE["bms_state"].values
_FAULT: Final = float(_BMS.index("Fault"))
_WELD: Final = float(_BMS.index("Weld"))

SENSORS: Final = {
    "hvil_ok": Sensor(UP),
    "contactor_cycles": Sensor(UP),
    "contactor_opened_under_load": Sensor(UP),
    "precharge_retries": Sensor(UP),
}


def _loop_open(day: Day, _: Cars) -> BoolArray:
    return day.columns["hvil_ok"] < 1.0


def _stuck_closed(day: Day, _: Cars) -> BoolArray:
    return np.asarray(day.columns["bms_state"] == _WELD)


TESTS: Final = (
    Test("P0A0A", _loop_open, ("speed_kmh", "hv_current_a")),
    Test("P0AA1", _stuck_closed, ("hv_voltage_v", "contactor_cycles")),
)
"""SAE J2012: high-voltage interlock circuit; positive contactor stuck closed."""


@dataclass(slots=True, eq=False)
class Contactors:
    """Lifetime counters and latched faults per car, shape (cars,)."""

    cycles: FloatArray
    opened_under_load: FloatArray
    retries: FloatArray
    trips: FloatArray
    """Times that the open loop opened the contactors; it and the next are 0 again after the repair."""
    welds: FloatArray


def start(cars: Cars, _: FloatArray) -> Contactors:
    """Counters as the cars' age has it."""
    nothing = np.zeros(len(cars))
    return Contactors(
        cycles=np.round(cars.each(lambda one: one.age_years) * 365.0 * CLOSINGS_PER_DAY),
        opened_under_load=nothing,
        retries=nothing.copy(),
        trips=nothing.copy(),
        welds=nothing.copy(),
    )


def advance(state: Contactors, day: Day) -> None:
    """Count closings, and what a loose connector and worn contacts add; both end in a state the car does not leave."""
    flaps, trips = _interlock(day)
    trips &= day.total(indicator(trips), state.trips) == 1.0  # what is open already does not open
    wear = day.severity(FailureMode.CONTACTOR_WEAR)
    tried, lifted, welded = _draws(day, FailureMode.CONTACTOR_WEAR, 3)
    fails = np.clip(PRECHARGE_FAILS * wear, 1e-12, 0.95)
    again = np.where(day.wakes, np.minimum(np.floor(np.log(tried) / np.log(fails)), MOST_RETRIES), 0.0)
    lifting = LIFTS_PER_S * wear * np.square(day.columns["hv_current_a"] / LIFTING_A) * day.dt_s
    lifts = lifted < -np.expm1(-lifting)
    welds = day.wakes & (welded < WELDS * (wear - WELDS_FROM))
    counted = {
        "cycles": indicator(day.wakes) + again,
        "opened_under_load": indicator(lifts) + indicator(trips),
        "retries": again,
        "trips": indicator(trips),
        "welds": indicator(welds),
    }
    totals = {name: day.total(gain, getattr(state, name)) for name, gain in counted.items()}
    totals["trips"] *= _unrepaired(day, FailureMode.HVIL_INTERMITTENT)
    totals["welds"] *= _unrepaired(day, FailureMode.CONTACTOR_WEAR)
    for name, total in totals.items():
        setattr(state, name, total[day.last])
    bms = np.where(totals["trips"] > 0.0, _FAULT, day.columns["bms_state"])
    day.columns |= {
        "hvil_ok": indicator(~flaps),
        "bms_state": np.where(totals["welds"] > 0.0, _WELD, bms),
        "contactor_cycles": totals["cycles"],
        "contactor_opened_under_load": totals["opened_under_load"],
        "precharge_retries": totals["retries"],
    }
    worn = (wear > 0.0) & (totals["retries"] + totals["opened_under_load"] > 0.0)
    seen = ~day.during(Phase.ASLEEP) | day.wakes
    day.visible[FailureMode.HVIL_INTERMITTENT] = flaps
    day.failed[FailureMode.HVIL_INTERMITTENT] = trips
    day.visible[FailureMode.CONTACTOR_WEAR] = seen & worn
    day.failed[FailureMode.CONTACTOR_WEAR] = welds


def _interlock(day: Day) -> tuple[BoolArray, BoolArray]:
    """Rows in whose time a jolt opened the loop, and those in which it stayed open for too long."""
    loose = day.severity(FailureMode.HVIL_INTERMITTENT)
    (drawn,) = _draws(day, FailureMode.HVIL_INTERMITTENT, 1)
    jolts = day.columns["distance_m"] / 1000.0 * FLAPS_PER_KM * loose * day.columns["speed_kmh"] / JOLTING_KMH
    long = np.exp(-PATIENCE_S / np.maximum(OPEN_S * loose, 1e-6))
    return drawn < -np.expm1(-jolts), drawn < -np.expm1(-jolts * long)


def _unrepaired(day: Day, mode: FailureMode) -> BoolArray:
    """Rows from the fault's onset to its repair, whatever an intermittent one does just then."""
    there = np.zeros(len(day), dtype=np.bool_)
    for number, car in enumerate(day.cars.cars):
        fault = car.fault(mode)
        if fault is not None:
            rows = day.rows(number)
            there[rows] = fault.severity(day.at_s[rows]) > 0.0
    return there


def _draws(day: Day, mode: FailureMode, count: int) -> FloatArray:
    """Uniform draws per row for the cars with the fault, 1 for the others, shape (count, n)."""
    drawn = np.ones((count, len(day)))
    for number, car in enumerate(day.cars.cars):
        if car.fault(mode) is not None:
            rows = day.rows(number)
            rng = generator(car.seed, Purpose.FAULT, car.number, FAULT_MODES[mode].key, day.index)
            drawn[:, rows] = rng.random((count, rows.stop - rows.start))
    return drawn
