"""From true values to what is sent: which sensors answer when, their noise, steps and quirks."""

from typing import Final

import numpy as np

from simulator.car import Car
from simulator.confounders import Confounder
from simulator.day import BoolArray, Day, FloatArray, IntArray
from simulator.faults import WHEELS
from simulator.instruments import ASLEEP, AWAKE, CHARGING, DRIVING, UP, Sensor
from simulator.profile import SamplingProfile
from simulator.randomness import NamedNoise, Purpose, generator
from simulator.subsystems import SENSORS
from vehicle.signals import CATALOGUE

_WHEN: Final = np.array([ASLEEP, AWAKE, DRIVING, CHARGING, CHARGING])
"""By `Phase`."""

CELL_NOISE_V: Final = 0.0008
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


def read_car(
    day: Day, number: int, profile: SamplingProfile, keep: BoolArray
) -> tuple[FloatArray, dict[str, FloatArray]]:
    """What one car sends of its day.

    Args:
        day: all cars' true values.
        number: of the car, as position in the day's cars.
        profile: how often cell groups are sampled.
        keep: which of the car's rows are sent.

    Returns:
        Offset of every sample from its row in seconds, and the columns, NaN where a sensor did not answer.
    """
    car = day.cars.cars[number]
    rng = generator(car.seed, Purpose.SENSORS, car.number, day.index)
    rows = day.rows(number)
    when = np.where(day.wakes[rows], AWAKE, _WHEN[day.phase[rows]])
    block = rng.standard_normal((len(_BLOCK), len(when)))
    late = rng.uniform(0.0, 0.4, len(when))
    later = NamedNoise(car.seed, Purpose.SIGNALS, car.number, day.index)
    columns = {}
    for name, sensor in SENSORS.items():
        draws = None
        if sensor.noise:
            draws = block[_BLOCK[name]] if name in _BLOCK else later.draw(name, len(when))
        columns[name] = _read(day.columns[name][rows], sensor, when, draws)
    _quirks(car, day, columns)
    columns |= _cells(day, number, when, profile, rng)
    sent = {}
    for name, values in columns.items():
        kept = CATALOGUE[name].quantised(values[keep])
        if not np.isnan(kept).all():
            sent[name] = kept
    return late[keep], sent


def _read(values: FloatArray, sensor: Sensor, when: IntArray, draws: FloatArray | None) -> FloatArray:
    read = np.where(when & sensor.when, values, np.nan)
    if draws is not None:
        read += draws * sensor.noise * (values if sensor.relative else 1.0)
    if sensor.step:
        read = np.round(read / sensor.step) * sensor.step
    return read


def _quirks(car: Car, day: Day, columns: dict[str, FloatArray]) -> None:
    rng = generator(car.seed, Purpose.SENSORS, car.number, day.index, 1)
    rows = len(columns["speed_kmh"])
    chance, size = rng.random(rows), rng.standard_normal(rows)
    tyre = car.oddity(Confounder.NOISY_TYRE_SENSOR)
    if tyre is not None:
        name = f"tyre_pressure_{WHEELS[tyre.wheel]}_kpa"
        columns[name] = np.where(chance < NOISY_TYRE_SILENT, np.nan, columns[name] + NOISY_TYRE_KPA * size)
    if car.oddity(Confounder.NOISY_LV_SENSOR) is not None:
        spikes = np.where(chance < NOISY_LV_SPIKES, NOISY_LV_SPIKE_V, 0.0)
        columns["lv_voltage_v"] += NOISY_LV_V * size - spikes
    if car.oddity(Confounder.ISOLATION_DROPOUTS) is not None:
        low, high = DROPOUT_SHARE
        share = low + (high - low) * rng.random(rows)
        columns["isolation_kohm"] *= np.where(chance < DROPOUTS, share, 1.0)


def _cells(
    day: Day, number: int, when: IntArray, profile: SamplingProfile, rng: np.random.Generator
) -> dict[str, FloatArray]:
    """Cell groups as measured, and what the car makes of them."""
    up = (when & UP) > 0
    volts = day.cells[number][up]
    noise = rng.standard_normal(volts.shape, dtype=np.float32) * CELL_NOISE_V
    read = CATALOGUE["cell_voltages_v"].quantised(volts + noise)
    high, low = read.argmax(axis=1), read.argmin(axis=1)
    every = np.arange(len(read))
    sparse = (when[up] & AWAKE) == 0
    sampled = ~sparse | (np.cumsum(sparse) % profile.cells_every == 0)
    columns = {
        "cell_voltages_v": np.where(sampled[:, None], read, np.nan),
        "cell_v_max_v": read[every, high],
        "cell_v_min_v": read[every, low],
        "cell_v_max_id": high + 1.0,
        "cell_v_min_id": low + 1.0,
        "cell_v_delta_mv": (read[every, high] - read[every, low]) * 1000.0,
    }
    return {name: _spread(values, up) for name, values in columns.items()}


def _spread(values: FloatArray, at: BoolArray) -> FloatArray:
    whole = np.full((len(at), *values.shape[1:]), np.nan)
    whole[at] = values
    return whole
