"""Tyres: a volume of gas that warms with the road, loses a little through the rubber, and more through a hole.

Tyres that nobody fills up before the winter lack air in all four, alike; the cold makes it show.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from simulator.day import BoolArray, Cars, Day, FloatArray, IntArray, Phase
from simulator.faults import WHEELS
from simulator.instruments import AWAKE, DRIVING, Sensor, Test
from simulator.randomness import Purpose, generator
from simulator.weather import DAY_S
from vehicle.failure import FailureMode

AIR_KPA: Final = 101.325
ZERO_C: Final = 273.15
COLD_C: Final = 20.0
"""Temperature that pressures at rest are compared at."""
PERMEATION_KPA_PER_DAY: Final = (1.0 / 30.0, 2.0 / 30.0)
"""Rubber loses 1 to 2 kPa a month; the rule of thumb of 7 kPa, 1 psi, is for poor ones (engineering estimate)."""
DRIVEN_K: Final = 20.0
"""Air in the tyre above the road's at 100 km/h: a warm tyre reads about 10 % more (engineering estimate)."""
WARM_S: Final = 900.0
COOL_S: Final = 1800.0
"""Time constants driving and parked (engineering estimates)."""
FLAT_KPA: Final = 172.0
"""Functional failure: 25 psi, the hard limit of Tesla's alert page."""
LEAK_BEYOND_KPA: Final = 6.0
"""Severity 1 lies so far below the limit at 20 degC."""
SOFT: Final = 0.8
"""Functional failure of tyres that are not filled up, and the limit of the car's own warning: this share of the
reference, in all four (Tesla's alert page)."""
UNFILLED_BEYOND_KPA: Final = 12.0
"""Severity 1 lies so far below that at 20 degC: tyres are filled a little over the reference, and not alike
(engineering estimate)."""
UNFILLED_MOST: Final = 1.2
"""Severity of it at most: somebody sees such tyres (engineering estimate)."""
SENSOR_KPA: Final = 2.0
"""Standard deviation of a compensated reading: noise, 2.5 kPa steps, temperature (engineering estimate)."""

SENSORS: Final = {
    **{f"tyre_pressure_{wheel}_kpa": Sensor(AWAKE | DRIVING, 0.7, 2.5) for wheel in WHEELS},
    **{f"tyre_temp_{wheel}_c": Sensor(AWAKE | DRIVING, 0.3, 1.0) for wheel in WHEELS},
}


def _low(day: Day, cars: Cars) -> BoolArray:
    limit = day.of(cars.each(lambda one: one.model.tyre_reference_kpa * SOFT))
    lowest = np.fmin.reduce([day.columns[f"tyre_pressure_{wheel}_kpa"] for wheel in WHEELS])
    return np.asarray(day.during(Phase.DRIVING) & (lowest < limit))


TESTS: Final = (Test("TPMS_pressure_low", _low, tuple(f"tyre_pressure_{wheel}_kpa" for wheel in WHEELS)),)
"""The maker's own code."""


@dataclass(slots=True, eq=False)
class Tyres:
    """Constants and state per car."""

    cold_kpa: FloatArray
    """Absolute pressure at `COLD_C` on the first midnight, shape (cars, 4)."""
    permeation_kpa_day: FloatArray
    """Shape (cars, 4)."""
    leak_kpa: FloatArray
    """What severity 1 has let out, shape (cars,)."""
    unfilled_kpa: FloatArray
    """What severity 1 of tyres that are not filled up lacks in all four, shape (cars,)."""
    soft_kpa: FloatArray
    """Shape (cars,)."""
    wheel: IntArray
    """The wheel that a leak strikes, shape (cars,)."""
    rise_k: FloatArray
    """Above the outside air, shape (cars,)."""


def start(cars: Cars, ambient_c: FloatArray) -> Tyres:
    """Every car's tyres: filled to the reference in the weather of the first days, give or take 2 %."""
    draws = [generator(one.seed, Purpose.BIRTH, one.number, 2) for one in cars.cars]
    reference = cars.each(lambda one: one.model.tyre_reference_kpa)
    common = np.array([rng.normal(0.005, 0.012) for rng in draws]).reshape(-1, 1)
    single = np.array([rng.normal(0.0, 0.006, 4) for rng in draws]).reshape(-1, 4)
    gauge = reference[:, None] * (1.0 + common + single)
    faults = [one.fault(FailureMode.TYRE_SLOW_LEAK) for one in cars.cars]
    return Tyres(
        cold_kpa=(gauge + AIR_KPA) * (COLD_C + ZERO_C) / (ambient_c[:, None] + ZERO_C),
        permeation_kpa_day=np.array([rng.uniform(*PERMEATION_KPA_PER_DAY, 4) for rng in draws]).reshape(-1, 4),
        leak_kpa=reference - FLAT_KPA + LEAK_BEYOND_KPA,
        unfilled_kpa=(1.0 - SOFT) * reference + UNFILLED_BEYOND_KPA,
        soft_kpa=SOFT * reference,
        wheel=np.array([0 if fault is None else fault.location for fault in faults], dtype=np.intp),
        rise_k=np.zeros(len(cars)),
    )


def advance(state: Tyres, day: Day) -> None:
    """Pressure and air temperature of the four tyres."""
    driving = day.during(Phase.DRIVING)
    target = np.where(driving, DRIVEN_K * day.columns["speed_kmh"] / 100.0, 0.0)
    rise = day.lag(target, np.where(driving, WARM_S, COOL_S), state.rise_k)
    ambient = day.columns["ambient_temp_c"]
    leak = day.severity(FailureMode.TYRE_SLOW_LEAK) * day.of(state.leak_kpa)
    unfilled = np.minimum(day.severity(FailureMode.TYRE_UNDERINFLATION_SEASONAL), UNFILLED_MOST)
    unfilled *= day.of(state.unfilled_kpa)
    lost, fullest = np.zeros(len(day)), np.zeros(len(day))
    for number, wheel in enumerate(WHEELS):
        air_c = ambient + rise * (1.04 if wheel[0] == "f" else 0.97)
        struck = state.wheel[day.car] == number
        cold = state.cold_kpa[day.car, number] - state.permeation_kpa_day[day.car, number] * day.at_s / DAY_S
        cold -= np.where(struck, leak, 0.0) + unfilled
        gauge = np.maximum(cold, AIR_KPA) * (air_c + ZERO_C) / (COLD_C + ZERO_C) - AIR_KPA
        day.columns[f"tyre_pressure_{wheel}_kpa"] = np.maximum(gauge, 0.0)
        day.columns[f"tyre_temp_{wheel}_c"] = air_c
        lost, fullest = np.where(struck, gauge, lost), np.maximum(fullest, gauge)
    read = driving | day.during(Phase.AWAKE)
    day.visible[FailureMode.TYRE_SLOW_LEAK] = read & (leak > 3.0 * SENSOR_KPA)
    day.failed[FailureMode.TYRE_SLOW_LEAK] = read & (leak > 0.0) & (lost < FLAT_KPA)
    day.visible[FailureMode.TYRE_UNDERINFLATION_SEASONAL] = read & (unfilled > 3.0 * SENSOR_KPA)
    soft = fullest < day.of(state.soft_kpa)
    day.failed[FailureMode.TYRE_UNDERINFLATION_SEASONAL] = read & (unfilled > 0.0) & soft
    state.rise_k = rise[day.last]
