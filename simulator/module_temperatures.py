"""Temperature of every module of the traction battery, and what its thermistors make of it."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from simulator.battery_parts import ModuleTemperatures
from simulator.car import Car
from simulator.day import Cars, Day, FloatArray, Phase
from simulator.fault_modes import FAULT_MODES
from simulator.faults import Fault
from simulator.randomness import Purpose, generator
from vehicle.failure import FailureMode

STRIKES: Final = (FailureMode.CELL_INTERNAL_SHORT, FailureMode.THERMISTOR_FAULT)
"""The modes that strike one module."""
KELVIN: Final = 273.15
BETA_K: Final = 3435.0
REFERENCE_C: Final = 25.0
"""Resistance of a thermistor over temperature: the usual 10 kOhm part of battery modules (engineering estimate)."""
OPEN_DECADES: Final = 1.26
SHORT_DECADES: Final = 1.0
"""A contact in series reaches 17 times the thermistor's 10 kOhm at severity 1, or water across it a ninth: so it reads
-35 degC, or 100 degC, at room temperature (engineering estimates)."""
RANGE_C: Final = (-40.0, 120.0)
"""What the monitoring board can show."""
PLAUSIBLE_C: Final = (-33.0, 95.0)
"""Functional failure: beyond, the reading is of no use and the car does without it (engineering estimate)."""
SENSOR_K: Final = 0.18
"""Standard deviation of a probe's reading: noise of 0.1 K and steps of 0.5 K."""


@dataclass(slots=True, eq=False)
class Modules:
    """Constants and state per car."""

    place: tuple[FloatArray, ...]
    """Of each module, shape (modules,): 1 for those inside, which stay hottest, to -1 for the outermost."""
    excess_k: FloatArray
    """Of the module with an internal short over its place's temperature, shape (cars,)."""


@dataclass(frozen=True, slots=True, eq=False)
class Heat:
    """What all modules of a battery share, shape (n,)."""

    mean_c: FloatArray
    spread_k: FloatArray
    carried_w_k: FloatArray
    """By the whole battery's cooling, and how long that takes to tell."""
    tau_s: FloatArray
    short_w: FloatArray


def start_modules(cars: Cars) -> Modules:
    """Rows of modules side by side."""
    return Modules(tuple(_places(one.model.module_count) for one in cars.cars), np.zeros(len(cars)))


def _places(count: int) -> FloatArray:
    outward = np.abs(np.linspace(-1.0, 1.0, count))
    return np.asarray(1.0 - 2.0 * (outward - outward.min()) / (outward.max() - outward.min()), dtype=np.float64)


def module_temperatures(state: Modules, day: Day, heat: Heat) -> None:
    """Every probe's reading, those derived from them, and the hottest module's true temperature."""
    modules = day.of(day.cars.each(lambda one: one.model.module_count))
    excess = day.lag(heat.short_w * modules / heat.carried_w_k, heat.tau_s, state.excess_k)
    state.excess_k = excess[day.last]
    severity = day.severity(FailureMode.THERMISTOR_FAULT)
    off, reading = np.zeros(len(day)), np.zeros(len(day))
    hottest, high, low = heat.mean_c + heat.spread_k, heat.mean_c + heat.spread_k, heat.mean_c - heat.spread_k
    struck: list[dict[int, FloatArray]] = [{} for _ in range(len(day.cars))]
    for number in sorted({number for mode in STRIKES for number, _ in day.cars.struck(mode)}):
        car, rows = day.cars.cars[number], day.rows(number)
        shown = heat.mean_c[rows, None] + heat.spread_k[rows, None] * state.place[number]
        short, fault = (car.fault(mode) for mode in STRIKES)
        if short is not None:
            place = short.location * car.model.module_count // car.model.cell_count
            shown[:, place] += excess[rows]
            struck[number][place] = shown[:, place]
        hottest[rows] = shown.max(axis=1)
        if fault is not None:
            true = shown[:, fault.location].copy()
            shown[:, fault.location] = _reading(car, fault, true, severity[rows])
            reading[rows] = shown[:, fault.location]
            off[rows] = np.abs(reading[rows] - true)
            struck[number][fault.location] = shown[:, fault.location]
        high[rows], low[rows] = shown.max(axis=1), shown.min(axis=1)
    day.modules = [
        ModuleTemperatures(heat.mean_c[rows], heat.spread_k[rows], place, own)
        for rows, place, own in zip(map(day.rows, range(len(day.cars))), state.place, struck, strict=True)
    ]
    day.columns |= {
        "battery_hottest_c": hottest,
        "module_temp_max_c": high,
        "module_temp_min_c": low,
        "module_temp_delta_c": high - low,
    }
    seen = ~day.during(Phase.ASLEEP) | day.wakes
    useless = (reading < PLAUSIBLE_C[0]) | (reading > PLAUSIBLE_C[1])
    day.visible[FailureMode.THERMISTOR_FAULT] = seen & (off > 3.0 * SENSOR_K)
    day.failed[FailureMode.THERMISTOR_FAULT] = seen & (severity > 0.0) & useless


def _reading(car: Car, fault: Fault, true_c: FloatArray, severity: FloatArray) -> FloatArray:
    """A bad contact in series with the thermistor, or water across it: which of them is the car's luck."""
    rng = generator(car.seed, Purpose.FAULT, car.number, FAULT_MODES[fault.order.mode].key, 0)
    inverse = 1.0 / (true_c + KELVIN) - 1.0 / (REFERENCE_C + KELVIN)
    resistance = np.exp(BETA_K * inverse)
    if rng.random() < 0.5:  # noqa: PLR2004 -- either
        resistance = resistance + 10.0 ** (OPEN_DECADES * severity) - 1.0
    else:
        resistance = 1.0 / (1.0 / resistance + 10.0 ** (SHORT_DECADES * severity) - 1.0)
    shown = 1.0 / (np.log(resistance) / BETA_K + 1.0 / (REFERENCE_C + KELVIN)) - KELVIN
    return np.where(severity > 0.0, np.clip(shown, *RANGE_C), true_c)
