"""Brakes: friction warms the discs and wears the pads, fluid carries the pedal's force.

An electric car brakes with its motors first, so sound discs stay near the air's temperature and pads last long. A
caliper that sticks, or pads that move badly, rub all the time: that wheel's disc is hot without braking, its pads go,
and the car rolls less far. Worn pads let the fluid stand lower, as a leak does, only that a leak takes hours.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from simulator.day import BoolArray, Cars, Day, FloatArray, Phase, indicator
from simulator.faults import WHEELS
from simulator.instruments import AWAKE, DRIVING, UP, Sensor, Test
from simulator.randomness import Purpose, generator
from simulator.weather import DAY_S
from vehicle.failure import FailureMode

PAD_KM: Final = np.array([120e3, 120e3, 150e3, 150e3])
"""Distance that wears a wheel's pads out, by position in `WHEELS` (engineering estimate for electric cars)."""
CHANGED_PCT: Final = 60.0
"""A service changes pads that are worn so far: nobody starts with worse ones (engineering estimate)."""
WORN_PCT: Final = 100.0
"""Functional failure: metal on metal."""
WEAR_PCT: Final = 1.0
"""Standard deviation and step of the pads' wear indicator (engineering estimate)."""

FRICTION: Final = 0.1
"""Of the power of slowing down that motors do not take (engineering estimate)."""
REGEN_MOST_W: Final = 85e3
"""Slowing down with more than this is the brakes' (engineering estimate)."""
SHARES: Final = (0.35, 0.15)
"""Of the braking power, by one front and one rear disc (usual distribution)."""
DISC_J_K: Final = (3500.0, 2600.0)
"""Heat capacity of a front and a rear disc: 7.5 and 5.5 kg of cast iron."""
AIR_W_K: Final = 5.0
WIND_W_K_KMH: Final = 0.2
"""What a front disc gives off parked, and more with each km/h; a rear one in proportion to its mass (engineering
estimates)."""
LIMIT_C: Final = 350.0
"""Functional failure: the brake fades (usual limit of pads; engineering estimate)."""
DISC_K: Final = 1.5
"""Standard deviation of a disc's temperature beside its neighbour's (engineering estimate)."""

PEDAL_MS2: Final = 6.0
"""Slowing down by so much takes the whole pedal (engineering estimate)."""
PEDAL_LONGER: Final = 1.0
"""A circuit without fluid lets the pedal travel twice as far (engineering estimate)."""
PADS_FLUID: Final = 0.3
"""Of the tank, behind the pistons once all pads are worn out (engineering estimate)."""
LOW: Final = 0.45
"""The switch in the tank closes below this level (engineering estimate)."""
EMPTY: Final = 0.1
"""Functional failure: air gets into a circuit."""

_WHEEL: Final = AWAKE | DRIVING
SENSORS: Final = {
    **{f"brake_pad_wear_{wheel}_pct": Sensor(_WHEEL, step=WEAR_PCT) for wheel in WHEELS},
    **{f"brake_disc_temp_{wheel}_c": Sensor(_WHEEL, DISC_K) for wheel in WHEELS},
    "brake_fluid_low": Sensor(UP),
    "brake_pedal_pct": Sensor(_WHEEL),
}


def _fluid(day: Day, _: Cars) -> BoolArray:
    return ~day.during(Phase.ASLEEP) & (day.columns["brake_fluid_low"] > 0.0)


def _pads(day: Day, _: Cars) -> BoolArray:
    worst = np.max([day.columns[f"brake_pad_wear_{wheel}_pct"] for wheel in WHEELS], axis=0)
    return np.asarray(day.during(Phase.DRIVING) & (worst > 90.0))  # noqa: PLR2004 -- engineering estimate


TESTS: Final = (
    Test("IDB_a022", _fluid, ("speed_kmh", "brake_pedal_pct"), least_rows=1),
    Test("BRK_pad_worn", _pads, tuple(f"brake_pad_wear_{wheel}_pct" for wheel in WHEELS)),
)
"""The maker's own, the first after Tesla's alert of that name: fluid low for five seconds."""


@dataclass(slots=True, eq=False)
class Brakes:
    """Constants and state per car."""

    mass_kg: FloatArray
    new_km: FloatArray
    """Odometer at which the pads were new, shape (cars, 4)."""
    wheel: FloatArray
    """The wheel that a drag strikes, -1 without one, shape (cars,)."""
    gnawed: FloatArray
    """Severity that the pads of that wheel have been driven with, shape (cars,)."""
    front_k: FloatArray
    rear_k: FloatArray
    rubbed_k: FloatArray
    """Sound discs above the air, and the struck one above them, shape (cars,)."""


def start(cars: Cars, _: FloatArray) -> Brakes:
    """Every car's pads, as far worn as services leave them; cold discs."""
    draws = [generator(one.seed, Purpose.BIRTH, one.number, 29).random(2) for one in cars.cars]
    axle_pct = CHANGED_PCT * np.array(draws).reshape(-1, 2)
    odometer_km = cars.each(lambda one: one.odometer_km)
    driven_km = np.minimum(axle_pct[:, [0, 0, 1, 1]] / 100.0 * PAD_KM, odometer_km[:, None])
    drags = [one.fault(FailureMode.BRAKE_DRAG) for one in cars.cars]
    nothing = np.zeros(len(cars))
    return Brakes(
        mass_kg=cars.each(lambda one: one.model.mass_kg),
        new_km=odometer_km[:, None] - driven_km,
        wheel=np.array([-1.0 if one is None else one.location for one in drags]),
        gnawed=nothing,
        front_k=nothing.copy(),
        rear_k=nothing.copy(),
        rubbed_k=nothing.copy(),
    )


def advance(state: Brakes, day: Day) -> None:
    """Discs, pads, pedal and fluid."""
    slowing_w = np.maximum(-day.columns["wheel_w"], 0.0)
    _discs(state, day, slowing_w)
    wear = _pad_wear(state, day)
    leak = np.minimum(day.severity(FailureMode.BRAKE_FLUID_LOW), 1.0)
    level = 1.0 - PADS_FLUID * wear / WORN_PCT - leak
    slowing_ms2 = slowing_w / np.maximum(_speed_ms(day), 1.0) / day.of(state.mass_kg)
    pedal = 100.0 * slowing_ms2 / PEDAL_MS2 * (1.0 + PEDAL_LONGER * leak)
    low, driving = level < LOW, day.during(Phase.DRIVING)
    day.columns["brake_fluid_low"] = indicator(low)
    day.columns["brake_pedal_pct"] = np.minimum(pedal, 100.0)
    day.visible[FailureMode.BRAKE_FLUID_LOW] = ~day.during(Phase.ASLEEP) & (leak > 0.0) & low
    day.failed[FailureMode.BRAKE_FLUID_LOW] = driving & (leak > 0.0) & (level < EMPTY)


def _speed_ms(day: Day) -> FloatArray:
    """Mean since the row before."""
    return np.asarray(day.columns["distance_m"] / np.maximum(day.dt_s, 1.0))


def _discs(state: Brakes, day: Day, slowing_w: FloatArray) -> None:
    """Temperatures of the four discs: the sound ones of an axle are alike."""
    friction_w = FRICTION * slowing_w + (1.0 - FRICTION) * np.maximum(slowing_w - REGEN_MOST_W, 0.0)
    cooled_w_k = AIR_W_K + WIND_W_K_KMH * day.columns["speed_kmh"]
    tau_s = DISC_J_K[0] / cooled_w_k
    rear = DISC_J_K[1] / DISC_J_K[0]
    front_k = day.lag(SHARES[0] * friction_w / cooled_w_k, tau_s, state.front_k)
    rear_k = day.lag(SHARES[1] * friction_w / cooled_w_k / rear, tau_s, state.rear_k)
    state.front_k, state.rear_k = front_k[day.last], rear_k[day.last]
    struck = day.of(state.wheel)
    rubbed_k = np.zeros(len(day))
    if (state.wheel >= 0.0).any():
        rubs_w_k = cooled_w_k * np.where(struck < len(SHARES), 1.0, rear)
        rubbed_k = day.lag(day.columns["brake_n"] * _speed_ms(day) / rubs_w_k, tau_s, state.rubbed_k)
        state.rubbed_k = rubbed_k[day.last]
    ambient = day.columns["ambient_temp_c"]
    for place, wheel in enumerate(WHEELS):
        above_k = (front_k if place < len(SHARES) else rear_k) + np.where(struck == place, rubbed_k, 0.0)
        day.columns[f"brake_disc_temp_{wheel}_c"] = ambient + above_k
    read, there = day.during(Phase.AWAKE, Phase.DRIVING), day.severity(FailureMode.BRAKE_DRAG) > 0.0
    day.visible[FailureMode.BRAKE_DRAG] = read & there & (rubbed_k > 3.0 * DISC_K)
    hottest = ambient + np.maximum(front_k, rear_k) + rubbed_k
    day.failed[FailureMode.BRAKE_DRAG] = read & there & (rubbed_k > 0.0) & (hottest > LIMIT_C)


def _pad_wear(state: Brakes, day: Day) -> FloatArray:
    """Wear of each wheel's pads, and its mean over the four in percent."""
    _change_pads(state, day)
    severity, driving = day.severity(FailureMode.BRAKE_DRAG), day.during(Phase.DRIVING)
    gnawed = np.zeros(len(day))
    for number in np.flatnonzero(state.wheel >= 0.0):
        rows = day.rows(int(number))
        # Pads of a parked car do not wear.
        moved = np.maximum.accumulate(np.where(driving[rows], severity[rows], 0.0))
        gnawed[rows] = np.maximum(moved, state.gnawed[number])
        state.gnawed[number] = gnawed[rows][-1]
    mean = np.zeros(len(day))
    for place, wheel in enumerate(WHEELS):
        sound = 100.0 * (day.columns["odometer_km"] - state.new_km[day.car, place]) / PAD_KM[place]
        struck = np.where(day.of(state.wheel) == place, gnawed, 0.0)
        wear = np.minimum(sound + np.maximum(WORN_PCT - sound, 0.0) * struck, WORN_PCT)
        day.columns[f"brake_pad_wear_{wheel}_pct"] = wear
        mean += wear / len(WHEELS)
        read = driving | day.during(Phase.AWAKE)
        day.visible[FailureMode.BRAKE_DRAG] |= read & (struck > 0.0) & (wear - sound > 3.0 * WEAR_PCT)
        day.failed[FailureMode.BRAKE_DRAG] |= read & (struck > 0.0) & (wear >= WORN_PCT)
    return mean


def _change_pads(state: Brakes, day: Day) -> None:
    """An axle's pads are new after the repair of a drag at one of its wheels."""
    for number, car in enumerate(day.cars.cars):
        fault = car.fault(FailureMode.BRAKE_DRAG)
        if fault is not None and fault.repaired_s == day.index * DAY_S:
            axle = slice(0, 2) if fault.location < len(SHARES) else slice(2, 4)
            state.new_km[number, axle] = day.columns["odometer_km"][day.first[number]]
            state.gnawed[number] = 0.0
