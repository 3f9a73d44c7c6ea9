"""Isolation resistance between the high-voltage system and the body: sound insulation, and a leak that water opens."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from simulator.day import BoolArray, Cars, Day, FloatArray, Phase, indicator
from simulator.instruments import UP, Sensor, Test
from simulator.randomness import Purpose, generator
from vehicle.failure import FailureMode

SOUND_KOHM: Final = 3500.0
"""Median of a sound car, dry; usual cars show more than 1 MOhm (engineering estimate)."""
SOUND_WET: Final = 0.35
"""More conductance of sound insulation when soaked (engineering estimate)."""
LEAK_DECADES: Final = 2.6
"""Decades by which a leak's conductance grows from its onset to severity 1 (engineering estimate)."""
LEAK_WET: Final = 1.5
"""A leak conducts so much more, on top of once, when soaked (engineering estimate)."""
LEAST_OHM_V: Final = 100.0
"""Functional failure: the least isolation for DC systems, UN ECE R100; the car refuses to drive."""
SENSOR_SHARE: Final = 0.06
"""Standard deviation of a reading over itself (engineering estimate)."""
SUSPENDED_KOHM: Final = 60.0
"""What the car's monitor shows while the fast charger's measures instead (IEC 61851-23): not a measurement."""

SENSORS: Final = {"isolation_kohm": Sensor(UP, 0.05, relative=True), "isolation_valid": Sensor(UP)}


def _below_warning(day: Day, cars: Cars) -> BoolArray:
    limit = day.of(cars.each(lambda one: one.model.nominal_voltage_v * 0.5))
    return (day.columns["isolation_valid"] > 0.0) & (day.columns["isolation_kohm"] < limit)


TESTS: Final = (Test("P0AA6", _below_warning, ("isolation_kohm", "hv_voltage_v", "speed_kmh")),)
"""SAE J2012: isolation fault."""


@dataclass(slots=True, eq=False)
class Isolation:
    """Constants per car, shape (cars,)."""

    sound_kohm: FloatArray
    limit_kohm: FloatArray


def start(cars: Cars, _: FloatArray) -> Isolation:
    """Every car's insulation."""
    draws = [generator(one.seed, Purpose.BIRTH, one.number, 3).lognormal(0.0, 0.25) for one in cars.cars]
    return Isolation(
        sound_kohm=SOUND_KOHM * np.array(draws, dtype=np.float64),
        limit_kohm=cars.each(lambda one: one.model.nominal_voltage_v * LEAST_OHM_V / 1000.0),
    )


def advance(state: Isolation, day: Day) -> None:
    """Resistance as the car's monitor sees it, and whether it was measuring."""
    severity = day.severity(FailureMode.HV_ISOLATION_LOSS)
    wet = day.columns["wetness"]
    sound = (1.0 + SOUND_WET * wet) / day.of(state.sound_kohm)
    decades = 10.0**LEAK_DECADES - 1.0
    leak = (10.0 ** (LEAK_DECADES * severity) - 1.0) / decades / day.of(state.limit_kohm) * (1.0 + LEAK_WET * wet)
    resistance = 1.0 / (sound + leak)
    suspended = day.during(Phase.CHARGING_DC)
    measured = ~suspended & ~day.during(Phase.ASLEEP)
    day.columns["isolation_kohm"] = np.where(suspended, SUSPENDED_KOHM, resistance)
    day.columns["isolation_valid"] = indicator(measured)
    day.visible[FailureMode.HV_ISOLATION_LOSS] = measured & (leak > 3.0 * SENSOR_SHARE * sound)
    day.failed[FailureMode.HV_ISOLATION_LOSS] = measured & (leak > 0.0) & (resistance < day.of(state.limit_kohm))
