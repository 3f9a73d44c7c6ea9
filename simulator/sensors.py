"""From true values to what is sent: which sensors answer when, their noise, steps and quirks."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np

from simulator.array_sensors import read_cells, read_modules, sampled_apart
from simulator.car import Car
from simulator.confounders import Confounder
from simulator.day import Day, FloatArray, IntArray
from simulator.faults import WHEELS
from simulator.instruments import ASLEEP, AWAKE, CHARGING, DRIVING, UP
from simulator.profile import SamplingProfile
from simulator.randomness import NamedNoise, Purpose, generator
from simulator.subsystems import SENSORS
from vehicle.signals import CATALOGUE

_WHEN: Final = np.array([ASLEEP, AWAKE, DRIVING, CHARGING, CHARGING])
"""By `Phase`."""

_BLOCK: Final = {
    name: column
    for column, name in enumerate(
        (
            "ambient_temp_c",
            "cabin_temp_c",
            "hv_voltage_v",
            "hv_current_a",
            "module_temp_max_c",
            "module_temp_min_c",
            "isolation_kohm",
            "lv_voltage_v",
            "lv_current_a",
            "dcdc_temp_c",
            "motor_stator_temp_f_c",
            "motor_stator_temp_r_c",
            "inverter_temp_f_c",
            "inverter_temp_r_c",
            "inverter_heatsink_temp_f_c",
            "inverter_heatsink_temp_r_c",
            "motor_torque_f_nm",
            "motor_torque_r_nm",
            "motor_coolant_temp_c",
            "radiator_outlet_temp_c",
            "coolant_flow_lpm",
            "coolant_pump_current_a",
            "coolant_pump_speed_rpm",
            "tyre_pressure_fl_kpa",
            "tyre_pressure_fr_kpa",
            "tyre_pressure_rl_kpa",
            "tyre_pressure_rr_kpa",
            "tyre_temp_fl_c",
            "tyre_temp_fr_c",
            "tyre_temp_rl_c",
            "tyre_temp_rr_c",
            "charge_current_a",
            "charge_voltage_v",
            "charge_inlet_temp_c",
            "charger_temp_c",
        )
    )
}
"""Signals whose noise is drawn together, each in its row. All others have draws by name, so that a new signal, or noise
on a signal that had none, changes no other's."""

NOISY_TYRE_KPA: Final = 7.0
NOISY_TYRE_SILENT: Final = 0.3
NOISY_LV_V: Final = 0.10
NOISY_LV_SPIKES: Final = 0.02
NOISY_LV_SPIKE_V: Final = 2.0
DROPOUTS: Final = 0.03
DROPOUT_SHARE: Final = (0.02, 0.2)
"""Quirks of the confounders: extra noise, share of samples missing or spiking, and how far (engineering estimates)."""


def read_day(day: Day, profile: SamplingProfile, kept: IntArray) -> Iterator[tuple[FloatArray, dict[str, FloatArray]]]:
    """What each car sends of its day: every signal is read for all cars at once, from draws that are each car's own.

    Args:
        day: all cars' true values.
        profile: how often cell groups are sampled.
        kept: how many of each car's first rows are sent, shape (cars,).

    Yields:
        Per car, in order: the offset of every sample from its row in seconds, and the columns, NaN where a sensor did
        not answer.
    """
    when = np.where(day.wakes, AWAKE, _WHEN[day.phase])
    draws = _draw(day)
    table = _read(day, when, draws)
    names = np.array(list(SENSORS))
    for number, count in enumerate(kept.tolist()):
        first = int(day.first[number])
        sent = slice(first, first + count)
        answered = ~np.isnan(table[:, sent]).all(axis=1)
        columns = dict(zip(names[answered].tolist(), table[answered, sent], strict=True))
        own = when[day.rows(number)]
        apart = sampled_apart(own, profile)
        columns |= read_cells(day.cells[number], np.flatnonzero(own & UP), apart, draws.rngs[number], count)
        columns |= read_modules(day.modules[number], apart, draws.named[number], count)
        yield draws.late_s[sent], columns


@dataclass(frozen=True, slots=True, eq=False)
class _Draws:
    """A day's random numbers, those of each car from its own generators."""

    rngs: list[np.random.Generator]
    """Per car, for what it draws after these."""
    named: list[NamedNoise]
    """Per car."""
    late_s: FloatArray
    """Shape (n,)."""
    noise: dict[str, FloatArray]
    """Standard normal by signal, shape (n,)."""


def _draw(day: Day) -> _Draws:
    named = [name for name, sensor in SENSORS.items() if sensor.noise and name not in _BLOCK]
    block, others = np.empty((len(_BLOCK), len(day))), np.empty((len(named), len(day)))
    late_s = np.empty(len(day))
    rngs, later = [], []
    for number, car in enumerate(day.cars.cars):
        rows = day.rows(number)
        count = rows.stop - rows.start
        rng = generator(car.seed, Purpose.SENSORS, car.number, day.index)
        block[:, rows] = rng.standard_normal((len(_BLOCK), count))
        late_s[rows] = rng.uniform(0.0, 0.4, count)
        rngs.append(rng)
        later.append(NamedNoise(car.seed, Purpose.SIGNALS, car.number, day.index))
        for row, name in zip(others, named, strict=True):
            row[rows] = later[-1].draw(name, count)
    return _Draws(rngs, later, late_s, dict(zip((*_BLOCK, *named), (*block, *others), strict=True)))


def _read(day: Day, when: IntArray, draws: _Draws) -> FloatArray:
    """Every signal as sampled, shape (signals, n), in the order of `SENSORS`."""
    answers = {mask: (when & mask) > 0 for mask in {sensor.when for sensor in SENSORS.values()}}
    table = np.full((len(SENSORS), len(day)), np.nan)
    for read, (name, sensor) in zip(table, SENSORS.items(), strict=True):
        values = day.columns[name]
        np.copyto(read, values, where=answers[sensor.when])
        if sensor.noise:
            read[:] += draws.noise[name] * sensor.noise * (values if sensor.relative else 1.0)
        if sensor.step:
            read[:] = np.round(read / sensor.step) * sensor.step
    readings = dict(zip(SENSORS, table, strict=True))
    for number, car in enumerate(day.cars.cars):
        if car.oddities:
            rows = day.rows(number)
            _quirks(car, day.index, {name: read[rows] for name, read in readings.items()})
    for name, read in readings.items():
        signal = CATALOGUE[name]
        # A sensor shows no more than its range, whatever happens to what it measures.
        np.clip(signal.quantised(read), signal.minimum, signal.maximum, out=read)
    return table


def _quirks(car: Car, index: int, columns: dict[str, FloatArray]) -> None:
    """Change the car's readings in place."""
    rng = generator(car.seed, Purpose.SENSORS, car.number, index, 1)
    rows = len(columns["speed_kmh"])
    chance, size = rng.random(rows), rng.standard_normal(rows)
    tyre = car.oddity(Confounder.NOISY_TYRE_SENSOR)
    if tyre is not None:
        pressure = columns[f"tyre_pressure_{WHEELS[tyre.wheel]}_kpa"]
        pressure[:] = np.where(chance < NOISY_TYRE_SILENT, np.nan, pressure + NOISY_TYRE_KPA * size)
    if car.oddity(Confounder.NOISY_LV_SENSOR) is not None:
        spikes = np.where(chance < NOISY_LV_SPIKES, NOISY_LV_SPIKE_V, 0.0)
        columns["lv_voltage_v"] += NOISY_LV_V * size - spikes
    if car.oddity(Confounder.ISOLATION_DROPOUTS) is not None:
        low, high = DROPOUT_SHARE
        share = low + (high - low) * rng.random(rows)
        columns["isolation_kohm"] *= np.where(chance < DROPOUTS, share, 1.0)
