"""What becomes of readings on their way out of the car, without anything being wrong with it.

A software update can shift what a control unit tells by an offset, and a busy bus can lose one for minutes. Both come
last: neither physics nor the control units' own tests know of them.
"""

from typing import Final

import numpy as np

from simulator.confounders import Confounder
from simulator.day import Day
from simulator.randomness import Purpose, generator
from simulator.weather import DAY_S

SHIFTS: Final = (
    ("lv_voltage_v", -0.12),
    ("motor_coolant_temp_c", 6.0),
    ("radiator_outlet_temp_c", 5.0),
    ("charge_inlet_temp_c", 6.0),
    ("charger_temp_c", 5.0),
    ("module_temp_max_c", 3.0),
    ("dcdc_temp_c", 8.0),
)
"""Signals that an update recalibrates, and by how much, in their units (engineering estimates)."""
UNITS: Final = (
    ("tyre_pressure_fl_kpa", "tyre_pressure_fr_kpa", "tyre_pressure_rl_kpa", "tyre_pressure_rr_kpa"),
    ("lv_voltage_v", "lv_current_a"),
    ("motor_coolant_temp_c", "radiator_outlet_temp_c", "coolant_flow_lpm", "coolant_pump_current_a"),
    ("module_temp_max_c", "module_temp_min_c", "isolation_kohm"),
)
"""Signals that are lost together: one control unit's."""
LOST_S: Final = 900.0
LOST_SHARE: Final = 0.12
"""A unit is not heard for so long at a time, and for so much of the whole (engineering estimates)."""


def shifted(size: float) -> tuple[str, float]:
    """The signal that an update of this size, 0 to 1, shifts, and the offset."""
    return SHIFTS[int(size * len(SHIFTS))]


def lost(size: float) -> tuple[str, ...]:
    """The signals that dropouts of this size, 0 to 1, are of."""
    return UNITS[int(size * len(UNITS))]


def advance(day: Day) -> None:
    """Shift and lose readings of the few cars that this happens to."""
    for number, car in enumerate(day.cars.cars):
        rows = day.rows(number)
        for oddity in (one for one in car.oddities if one.shows(day.index)):
            if oddity.kind is Confounder.SOFTWARE_SHIFT:
                name, offset = shifted(oddity.size)
                day.columns[name][rows] += offset
            if oddity.kind is Confounder.SENSOR_DROPOUTS:
                rng = generator(car.seed, Purpose.CONFOUNDERS, car.number, 2, day.index)
                silent = rng.random(int(DAY_S / LOST_S)) < LOST_SHARE
                place = ((day.at_s[rows] - day.index * DAY_S) / LOST_S).astype(np.intp)
                gone = silent[np.minimum(place, len(silent) - 1)]
                for name in lost(oddity.size):
                    day.columns[name][rows] = np.where(gone, np.nan, day.columns[name][rows])
