"""The low-voltage battery: sleep current, rest voltage, the dip at waking, and top-ups by the DC-DC converter.

A lead-acid battery's rest voltage is a measure of its charge. Ageing lowers what it reaches when full and its capacity,
and raises its resistance and self-discharge, so that the car has to top it up ever more often.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from simulator.day import BoolArray, Cars, Day, FloatArray, Phase, indicator
from simulator.instruments import ALWAYS, UP, Sensor, Test
from simulator.randomness import Purpose, generator
from vehicle.failure import FailureMode
from vehicle.vehicle import LowVoltageChemistry


@dataclass(frozen=True, slots=True)
class Cell:
    """What the chemistry decides; engineering estimates after data sheets unless said."""

    full_v: float
    """At rest, full: 12.8 V for absorbent glass mat; 13.3 V for four LFP cells."""
    slope_v: float
    """Full less empty, on the straight part: 12.8 to 11.8 V for lead-acid."""
    aged_v: float
    """How far severity 1 lowers the voltage at full charge."""
    resistance_ohm: float
    supported_v: float
    """Charging voltage at 25 degC."""
    supported_v_k: float
    """Its temperature compensation: -18 mV/K for six lead-acid cells (3 mV/K each)."""
    surface_v: float
    """Surface charge right after charging."""
    surface_tau_s: float


CELLS: Final = {
    LowVoltageChemistry.LEAD_ACID: Cell(12.80, 1.0, 0.85, 6.0e-3, 14.3, -0.018, 0.25, 5400.0),
    LowVoltageChemistry.LI_ION: Cell(13.30, 0.3, 1.30, 8.0e-3, 13.9, 0.0, 0.08, 1800.0),
}
AGED_RESISTANCE: Final = 9.0
"""Resistance grows tenfold to the end of life: dried-out and sulphated plates (engineering estimate)."""
AGED_CAPACITY: Final = 0.55
"""Share of the capacity lost at severity 1: a battery that strands the car is far gone (engineering estimate)."""
AGED_LEAK_A: Final = 0.6
"""Self-discharge at severity 1: a leaking cell (engineering estimate)."""
HEALTHY_LEAK_A: Final = 0.004
"""About 5 % a month of 50 Ah, absorbent glass mat (engineering estimate)."""
COLD_RESISTANCE: Final = 0.009
"""More resistance per kelvin below 25 degC (engineering estimate)."""
WAKE_A: Final = 38.0
"""Control units, contactor coils and brake booster for a second (engineering estimate)."""
REFILL_S: Final = 2700.0
"""Time constant at which the DC-DC converter fills the battery (engineering estimate)."""
TOP_UP_SHARE: Final = 0.2
"""The car wakes up to top up when so much of the capacity is gone (engineering estimate)."""
TOP_UP_S: Final = 5400.0
TOP_UP_PAUSE_S: Final = 14400.0
"""Length of a top-up, and least sleep before one (engineering estimates)."""
REST_S: Final = 7200.0
"""A rest voltage is one after so much sleep."""

SURFACE_TAU_S: Final = 1200.0
"""Time constant at which surface charge builds up (engineering estimate)."""
SUPPORTED_V: Final = (13.5, 14.8)
"""The DC-DC converter's own limits."""

FLAT_V: Final = 11.8
LOWEST_V: Final = 9.0
"""Functional failure: below either, at rest or in the dip, control units do not start (engineering estimates)."""
SENSOR_V: Final = 0.02
"""Standard deviation of a rest voltage between equal rests of a sound battery (engineering estimate)."""

SENSORS: Final = {
    "lv_voltage_v": Sensor(ALWAYS, 0.012),
    "lv_current_a": Sensor(ALWAYS, 0.004),
    "dcdc_enabled": Sensor(ALWAYS),
    "dcdc_temp_c": Sensor(UP, 0.3),
}


def _low(day: Day, _: Cars) -> BoolArray:
    return day.columns["lv_voltage_v"] < 11.0  # noqa: PLR2004 -- OVMS: reference 12.6 V less 1.6 V


TESTS: Final = (Test("P0562", _low, ("lv_voltage_v", "ambient_temp_c"), least_rows=1),)
"""SAE J2012: system voltage low."""


@dataclass(slots=True, eq=False)
class LowVoltage:
    """Constants and state per car, shape (cars,)."""

    full_v: FloatArray
    slope_v: FloatArray
    aged_v: FloatArray
    resistance_ohm: FloatArray
    supported_v: FloatArray
    supported_v_k: FloatArray
    surface_full_v: FloatArray
    surface_tau_s: FloatArray
    capacity_ah: FloatArray
    sleep_a: FloatArray
    missing_ah: FloatArray
    surface_v: FloatArray
    asleep_s: FloatArray


def start(cars: Cars) -> LowVoltage:
    """Every car's battery on the first midnight: an hour's worth of sleep below full."""
    draws = np.array([generator(one.seed, Purpose.BIRTH, one.number, 1).random(3) for one in cars.cars]).reshape(-1, 3)
    cell = [CELLS[one.model.lv_chemistry] for one in cars.cars]
    each = {
        name: np.array([getattr(one, name) for one in cell], dtype=np.float64)
        for name in ("full_v", "slope_v", "aged_v", "resistance_ohm", "supported_v", "supported_v_k")
    }
    each["full_v"] += (draws[:, 0] - 0.5) * 0.08
    each["resistance_ohm"] *= 0.85 + 0.4 * draws[:, 1]
    return LowVoltage(
        **each,
        surface_full_v=np.array([one.surface_v for one in cell]),
        surface_tau_s=np.array([one.surface_tau_s for one in cell]),
        capacity_ah=cars.each(lambda one: one.model.lv_capacity_ah),
        sleep_a=0.018 + 0.02 * draws[:, 2],
        missing_ah=np.full(len(cars), 0.5),
        surface_v=np.zeros(len(cars)),
        asleep_s=np.full(len(cars), TOP_UP_PAUSE_S),
    )


@dataclass(slots=True)
class Drain:
    """One car's low-voltage battery while its day is laid out: decides when sleep ends for a top-up."""

    missing_ah: float
    drain_a: float
    top_up_ah: float

    def support(self, seconds: float) -> None:
        """The DC-DC converter was on for so long."""
        self.missing_ah *= float(np.exp(-seconds / REFILL_S))

    def sleep(self, seconds: float) -> None:
        """The car slept for so long."""
        self.missing_ah += self.drain_a * seconds / 3600.0

    def lasts_s(self) -> float:
        """How much longer the car may sleep."""
        return max((self.top_up_ah - self.missing_ah) / self.drain_a * 3600.0, 0.0)


def drain(state: LowVoltage, number: int, severity: float) -> Drain:
    """The battery of the car at this position as midnight finds it."""
    return Drain(
        missing_ah=float(state.missing_ah[number]),
        drain_a=float(state.sleep_a[number]) + HEALTHY_LEAK_A + AGED_LEAK_A * severity**2,
        top_up_ah=TOP_UP_SHARE * float(state.capacity_ah[number]) * (1.0 - AGED_CAPACITY * min(severity, 1.2)),
    )


def advance(state: LowVoltage, day: Day) -> None:
    """Voltage and current of the battery, the DC-DC converter, and whether the car could be woken."""
    severity = day.severity(FailureMode.LV_BATTERY_AGEING)
    asleep = day.during(Phase.ASLEEP)
    ambient = day.columns["ambient_temp_c"]
    missing, surface, rested = _settle(state, day, severity)
    sound, rest = _rest_voltage(state, day, severity, missing)
    resistance = day.of(state.resistance_ohm) * (1.0 + COLD_RESISTANCE * np.maximum(25.0 - ambient, 0.0))
    resistance *= 1.0 + AGED_RESISTANCE * severity
    supported = np.clip(day.of(state.supported_v) + day.of(state.supported_v_k) * (ambient - 25.0), *SUPPORTED_V)
    filling = missing * 3600.0 / REFILL_S + AGED_LEAK_A * np.square(severity)
    current = np.where(asleep, np.where(day.wakes, -WAKE_A, -day.of(state.sleep_a)), filling)
    volts = np.where(asleep, rest + surface + resistance * current, supported)
    day.columns |= {
        "lv_voltage_v": volts,
        "lv_current_a": current,
        "dcdc_enabled": indicator(~asleep),
        "dcdc_temp_c": ambient + np.where(asleep, 0.0, 12.0 + 0.4 * np.minimum(current, 30.0)),
    }
    resting = asleep & (rested > REST_S)
    flat = (resting & (rest + surface < FLAT_V)) | (day.wakes & (volts < LOWEST_V))
    day.visible[FailureMode.LV_BATTERY_AGEING] = resting & (sound - rest > 3.0 * SENSOR_V)
    day.failed[FailureMode.LV_BATTERY_AGEING] = (severity > 0.0) & flat


def _settle(state: LowVoltage, day: Day, severity: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Charge missing, surface charge, and seconds slept on end; moves the state to midnight."""
    asleep = day.during(Phase.ASLEEP)
    drain_a = day.of(state.sleep_a) + HEALTHY_LEAK_A + AGED_LEAK_A * np.square(severity)
    missing = day.recur(
        np.where(asleep, 1.0, np.exp(-day.dt_s / REFILL_S)),
        np.where(asleep, drain_a * day.dt_s / 3600.0, 0.0),
        state.missing_ah,
    )
    surface = day.lag(
        np.where(asleep, 0.0, day.of(state.surface_full_v)),
        np.where(asleep, day.of(state.surface_tau_s), SURFACE_TAU_S),
        state.surface_v,
    )
    rested = day.recur(indicator(asleep), indicator(asleep) * day.dt_s, state.asleep_s)
    state.missing_ah, state.surface_v, state.asleep_s = missing[day.last], surface[day.last], rested[day.last]
    return missing, surface, rested


def _rest_voltage(
    state: LowVoltage, day: Day, severity: FloatArray, missing: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """At rest: of a sound battery from which as much is missing, and of this one."""
    capacity = day.of(state.capacity_ah)
    sound = day.of(state.full_v) - day.of(state.slope_v) * missing / capacity
    left = capacity * (1.0 - AGED_CAPACITY * np.minimum(severity, 1.2))
    aged = day.of(state.full_v) - day.of(state.aged_v) * severity - day.of(state.slope_v) * missing / left
    return sound, aged
