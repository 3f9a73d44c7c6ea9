"""From true values to what is sent: which sensors answer when, their noise, steps and quirks."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from simulator.array_sensors import Sampled, read_parts, sampled
from simulator.car import Car
from simulator.confounders import Confounder
from simulator.day import Day, FloatArray, IntArray
from simulator.faults import WHEELS
from simulator.instruments import ASLEEP, AWAKE, CHARGING, DRIVING, Sensor
from simulator.noise import RowNoise
from simulator.profile import SamplingProfile
from simulator.randomness import Purpose, generator
from simulator.subsystems import SENSORS
from vehicle.signals import CATALOGUE, Signal

_WHEN: Final = np.array([ASLEEP, AWAKE, DRIVING, CHARGING, CHARGING])
"""By `Phase`."""

LATE_S: Final = 0.4
"""A sample is taken so much after its due time at most (engineering estimate)."""
NOISY_TYRE_KPA: Final = 7.0
NOISY_TYRE_SILENT: Final = 0.3
NOISY_LV_V: Final = 0.10
NOISY_LV_SPIKES: Final = 0.02
NOISY_LV_SPIKE_V: Final = 2.0
DROPOUTS: Final = 0.03
DROPOUT_SHARE: Final = (0.02, 0.2)
"""Quirks of the confounders: extra noise, share of samples missing or spiking, and how far (engineering estimates)."""


@dataclass(frozen=True, slots=True, eq=False)
class Readings:
    """What all cars' sensors show on a day."""

    late_s: FloatArray
    """By how much every sample is later than its row, shape (n,)."""
    _day: Day
    _table: FloatArray
    """Shape (signals, n), in the order of `SENSORS`."""
    _sampled: Sampled

    def of(self, number: int, count: int) -> dict[str, FloatArray]:
        """The columns of the car at this position at its first `count` rows.

        NaN where a sensor did not answer; a signal that is NaN all over is missing.
        """
        first = int(self._day.first[number])
        columns = _answered(self._table[:, first : first + count].copy())
        return columns | read_parts(self._day, number, count, self._sampled)


def read_day(day: Day, profile: SamplingProfile) -> Readings:
    """Read every signal for all cars at once, from draws that are each car's own.

    Args:
        day: all cars' true values.
        profile: how often cell groups are sampled.
    """
    when = np.where(day.wakes, AWAKE, _WHEN[day.phase])
    noise = RowNoise(day)
    return Readings(LATE_S * noise.uniform("late"), day, _read(day, when, noise), sampled(day, when, profile))


def _answered(readings: FloatArray) -> dict[str, FloatArray]:
    """A car's signals that are not NaN all over, from shape (signals, rows); most have been sampled half-way."""
    there = ~np.isnan(readings[:, readings.shape[1] // 2]) if readings.size else np.zeros(len(readings), dtype=np.bool_)
    unsure = np.flatnonzero(~there)
    there[unsure] = ~np.isnan(readings[unsure]).all(axis=1)
    return {name: values for name, values, one in zip(SENSORS, readings, there.tolist(), strict=True) if one}


def _read(day: Day, when: IntArray, noise: RowNoise) -> FloatArray:
    """Every signal as sampled, shape (signals, n), in the order of `SENSORS`."""
    silent = {mask: np.where((when & mask) > 0, 0.0, np.nan) for mask in {one.when for one in SENSORS.values()}}
    table = np.empty((len(SENSORS), len(day)))
    for read, (name, sensor) in zip(table, SENSORS.items(), strict=True):
        np.add(day.columns[name], silent[sensor.when], out=read)
        _disturb(read, sensor, day.columns[name], noise.normal(name) if sensor.noise else None)
    readings = dict(zip(SENSORS, table, strict=True))
    for number, car in enumerate(day.cars.cars):
        if car.oddities:
            rows = day.rows(number)
            _quirks(car, day.index, {name: read[rows] for name, read in readings.items()})
    for name, read in readings.items():
        _show(CATALOGUE[name], read)
    return table


def _disturb(read: FloatArray, sensor: Sensor, true: FloatArray, drawn: FloatArray | None) -> None:
    """Add noise and round to the sensor's steps, in place; the draws are used up."""
    if drawn is not None:
        drawn *= sensor.noise
        if sensor.relative:
            drawn *= true
        read += drawn
    if sensor.step:
        read /= sensor.step
        np.rint(read, out=read)
        read *= sensor.step


def _show(signal: Signal, read: FloatArray) -> None:
    """Quantise in place; a sensor shows no more than its range, whatever happens to what it measures."""
    steps = round(1.0 / signal.resolution)
    if steps != 1:
        read *= steps
    np.rint(read, out=read)
    if steps != 1:
        read /= steps
    read.clip(signal.minimum, signal.maximum, out=read)


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
