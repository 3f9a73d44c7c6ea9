"""What owners, the sun and the mountains do to tyres besides the leaks and the weather of `tyres`, which lives before.

Gas that is added, and tyres that change places, are reckoned as cold absolute pressure; each wheel's own temperature
and the outside air's pressure make the gauge pressure of it.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from simulator.altitude import HOME_M
from simulator.car import Car
from simulator.confounders import Confounder
from simulator.day import Cars, Day, FloatArray, IntArray
from simulator.faults import WHEELS
from simulator.instruments import Sensor
from simulator.randomness import Purpose, generator
from simulator.tyres import AIR_KPA, COLD_C, FLAT_KPA, SOFT, ZERO_C
from vehicle.failure import FailureMode

FILLED: Final = 0.012
"""Standard deviation of a filling over the reference (engineering estimate)."""
ROTATED: Final = (2, 3, 0, 1)
"""Front and rear change places on each side, tyres with their sensors."""
SIDES: Final = ((0, 2), (1, 3))
"""Left and right, as positions in `WHEELS`."""
SCALE_M: Final = 44330.8
EXPONENT: Final = 5.2559
"""Standard atmosphere (ISO 2533): pressure falls as (1 - altitude / scale) ** exponent."""
_FILLS: Final = (Confounder.TYRE_CHANGE, Confounder.TYRE_INFLATION, Confounder.NEW_TYRE)
_KINDS: Final = (*_FILLS, Confounder.TYRE_ROTATION, Confounder.SUNNY_SIDE, Confounder.ALTITUDE, Confounder.RELOCATION)
SENSORS: Final[dict[str, Sensor]] = {}
TESTS: Final = ()


@dataclass(slots=True, eq=False)
class TyreCare:
    """State of the cars' tyres."""

    added_kpa: FloatArray
    """Gas put in since the first midnight, as pressure at `COLD_C`, by the wheel the tyre came on, shape (cars, 4)."""
    place: IntArray
    """By position the wheel that its tyre came on, shape (cars, 4)."""


def start(cars: Cars, _: FloatArray) -> TyreCare:
    """Nobody has touched them yet."""
    return TyreCare(np.zeros((len(cars), len(WHEELS))), np.tile(np.arange(len(WHEELS)), (len(cars), 1)))


def advance(state: TyreCare, day: Day) -> None:
    """Change pressures and temperatures of the few cars that something is done to."""
    for number, car in enumerate(day.cars.cars):
        if any(one.kind in _KINDS and one.start_day <= day.index for one in car.oddities):
            _care(state, day, number, car)


def outside_kpa(altitude_m: FloatArray) -> FloatArray:
    """The air's pressure."""
    return np.asarray(AIR_KPA * (1.0 - altitude_m / SCALE_M) ** EXPONENT)


def _care(state: TyreCare, day: Day, number: int, car: Car) -> None:
    rows = day.rows(number)
    gauge = np.stack([day.columns[f"tyre_pressure_{wheel}_kpa"][rows] for wheel in WHEELS], axis=1)
    air_c = np.stack([day.columns[f"tyre_temp_{wheel}_c"][rows] for wheel in WHEELS], axis=1)
    home = outside_kpa(np.array(HOME_M[car.region]))
    cold = (gauge + home) * (COLD_C + ZERO_C) / (air_c + ZERO_C)
    for oddity in car.oddities:
        if oddity.start_day == day.index and oddity.kind in _FILLS:
            wheels = [oddity.wheel] if oddity.kind is Confounder.NEW_TYRE else list(range(len(WHEELS)))
            filling = _filling_kpa(car, cold[0], float(day.columns["ambient_temp_c"][rows.start]))
            state.added_kpa[number, wheels] = filling[wheels]
        if oddity.start_day == day.index and oddity.kind is Confounder.TYRE_ROTATION:
            state.place[number] = ROTATED
        if oddity.kind is Confounder.SUNNY_SIDE and oddity.shows(day.index):
            air_c[:, SIDES[oddity.wheel % 2]] += day.columns["sun_k"][rows, None]
    cold = (cold + state.added_kpa[number])[:, state.place[number]]
    outside = outside_kpa(day.columns["altitude_m"][rows, None])
    gauge = np.maximum(cold * (air_c + ZERO_C) / (COLD_C + ZERO_C) - outside, 0.0)
    for position, wheel in enumerate(WHEELS):
        day.columns[f"tyre_pressure_{wheel}_kpa"][rows] = gauge[:, position]
        day.columns[f"tyre_temp_{wheel}_c"][rows] = air_c[:, position]
    day.failed[FailureMode.TYRE_SLOW_LEAK][rows] &= (gauge < FLAT_KPA).any(axis=1)
    soft = (gauge < SOFT * car.model.tyre_reference_kpa).all(axis=1)
    day.failed[FailureMode.TYRE_UNDERINFLATION_SEASONAL][rows] &= soft


def _filling_kpa(car: Car, cold_kpa: FloatArray, ambient_c: float) -> FloatArray:
    """What brings tyres at `cold_kpa` to the reference at the air's temperature, at home, by wheel."""
    scatter = generator(car.seed, Purpose.CONFOUNDERS, car.number, 1).normal(0.0, FILLED, len(WHEELS))
    reference = car.model.tyre_reference_kpa * (1.0 + scatter) + outside_kpa(np.array(HOME_M[car.region]))
    return np.asarray(reference * (COLD_C + ZERO_C) / (ambient_c + ZERO_C) - cold_kpa)
