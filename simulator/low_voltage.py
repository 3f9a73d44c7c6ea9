"""The low-voltage system through the day: the battery asleep, at waking and at top-ups, and the converter beside it.

Three faults meet in its voltage: a battery that ages, a car that draws too much current asleep, and a DC-DC converter
that gives too little. They differ in what else moves.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np

from simulator import dcdc
from simulator.day import BoolArray, Cars, Day, FloatArray, Phase, indicator
from simulator.instruments import ALWAYS, UP, Sensor, Test
from simulator.low_voltage_battery import (
    HEALTHY_LEAK_A,
    SURFACE_TAU_S,
    Batteries,
    leak_a,
    left,
    resistance_ohm,
    rest_voltage,
    start_batteries,
)
from simulator.randomness import Purpose, generator
from simulator.sleep import (
    PARASITIC_A,
    RESTLESS_S,
    TOP_UP_PAUSE_S,
    TOP_UP_SHARE,
    Drain,
    Loss,
    is_restless,
    lose_w,
    start_loss,
)
from vehicle.failure import FailureMode

WAKE_A: Final = 38.0
"""Control units, contactor coils and brake booster for a second (engineering estimate)."""
REST_S: Final = 7200.0
"""A rest voltage is one after so much sleep."""
FLAT_V: Final = 11.8
LOWEST_V: Final = 9.0
"""Functional failure: below either, at rest or in the dip, control units do not start (engineering estimates)."""
RESTLESS_PCT_DAY: Final = 1.5
"""A sound car loses less, parked (TeslaMate's view of vampire drain)."""
LOST_PCT_DAY: Final = 4.0
"""Functional failure: parked, the car loses so much of its charge, a quarter in a week (engineering estimate)."""
SENSOR_V: Final = 0.02
"""Standard deviation of a rest voltage between equal rests of a sound battery (engineering estimate)."""
SENSOR_A: Final = 0.01
"""The same of the current asleep: the sensor's, and what control units do (engineering estimate)."""
SENSOR_K: Final = 1.5
"""The same of the converter's temperature above the air (engineering estimate)."""

SENSORS: Final = {
    "lv_voltage_v": Sensor(ALWAYS, 0.012),
    "lv_current_a": Sensor(ALWAYS, 0.004),
    "dcdc_enabled": Sensor(ALWAYS),
    "dcdc_temp_c": Sensor(UP, 0.3),
}


def _low(day: Day, _: Cars) -> BoolArray:
    return day.columns["lv_voltage_v"] < 11.0  # noqa: PLR2004 -- OVMS: reference 12.6 V less 1.6 V


def _unsupported(day: Day, _: Cars) -> BoolArray:
    enabled = day.columns["dcdc_enabled"] > 0.0
    return enabled & (day.columns["lv_voltage_v"] < 12.8)  # noqa: PLR2004 -- below a full battery's: engineering estimate


TESTS: Final = (
    Test("P0562", _low, ("lv_voltage_v", "ambient_temp_c"), least_rows=1),
    Test("P0A94", _unsupported, ("lv_voltage_v", "lv_current_a", "dcdc_temp_c")),
)
"""SAE J2012: system voltage low; DC-DC converter performance."""


@dataclass(slots=True, eq=False)
class LowVoltage:
    """Constants and state per car, shape (cars,)."""

    batteries: Batteries
    sleep_a: FloatArray
    restless: BoolArray
    """A drain, if there is one, wakes the car rather than draws current."""
    energy_wh: FloatArray
    """Of the traction battery."""
    missing_ah: FloatArray
    surface_v: FloatArray
    asleep_s: FloatArray
    loss: Loss


def start(cars: Cars) -> LowVoltage:
    """Every car's battery on the first midnight: an hour's worth of sleep below full."""
    draws = np.array([generator(one.seed, Purpose.BIRTH, one.number, 1).random(3) for one in cars.cars]).reshape(-1, 3)
    batteries = start_batteries(cars, draws[:, :2])
    sleep_a = 0.018 + 0.02 * draws[:, 2]
    return LowVoltage(
        batteries=batteries,
        sleep_a=sleep_a,
        restless=np.array([is_restless(one) for one in cars.cars]),
        energy_wh=cars.each(lambda one: one.model.energy_kwh * one.health_pct * 10.0),
        missing_ah=np.full(len(cars), 0.5),
        surface_v=np.zeros(len(cars)),
        asleep_s=np.full(len(cars), TOP_UP_PAUSE_S),
        loss=start_loss(sleep_a),
    )


def drains(
    state: LowVoltage, cars: Cars, *, noon_s: float, ambient_c: FloatArray, charge: FloatArray
) -> Iterator[Drain]:
    """Every car's battery as midnight finds it.

    Args:
        state: of all cars.
        cars: themselves; their faults are taken as severe as at noon.
        noon_s: since the fleet's start.
        ambient_c: the day's mean, shape (cars,).
        charge: of the traction batteries, 0 to 1, shape (cars,).
    """

    def severity(mode: FailureMode) -> FloatArray:
        severity = np.zeros(len(cars))
        for number, fault in cars.struck(mode):
            severity[number] = fault.severity(np.array([noon_s]))[0]
        return severity

    ageing, parasitic = severity(FailureMode.LV_BATTERY_AGEING), severity(FailureMode.LV_PARASITIC_DRAIN)
    converter = dcdc.support(ambient_c, severity(FailureMode.DCDC_SUPPORT_LOSS))
    with np.errstate(divide="ignore"):
        restless_s = np.where(state.restless, RESTLESS_S / parasitic, np.inf)
    figures = (
        state.missing_ah,
        state.sleep_a + HEALTHY_LEAK_A + leak_a(ageing) + ~state.restless * PARASITIC_A * parasitic,
        TOP_UP_SHARE * state.batteries.capacity_ah * left(ageing),
        restless_s,
        charge,
        converter.share,
        converter.lacking_a,
    )
    return map(Drain, *(values.tolist() for values in figures))


def advance(state: LowVoltage, day: Day) -> None:
    """Voltage and current of the battery, the DC-DC converter, and whether the car could be woken."""
    ageing = day.severity(FailureMode.LV_BATTERY_AGEING)
    failing = day.severity(FailureMode.DCDC_SUPPORT_LOSS)
    asleep = day.during(Phase.ASLEEP)
    ambient = day.columns["ambient_temp_c"]
    batteries = state.batteries
    support = dcdc.support(ambient, failing)
    drained = day.severity(FailureMode.LV_PARASITIC_DRAIN)
    parasitic = np.where(state.restless[day.car], 0.0, PARASITIC_A * drained)
    sleep_a = day.of(state.sleep_a) + parasitic
    missing, surface, rested = _settle(state, day, sleep_a + HEALTHY_LEAK_A + leak_a(ageing), support)
    sound, rest = rest_voltage(batteries, day, ageing, missing)
    supported = day.of(batteries.supported_v) + day.of(batteries.supported_v_k) * (ambient - 25.0)
    supported = np.clip(supported, *dcdc.SUPPORTED_V)
    filling = (missing * 3600.0 / dcdc.REFILL_S + leak_a(ageing)) * support.share - support.lacking_a
    current = np.where(asleep, np.where(day.wakes, -WAKE_A, -sleep_a), filling)
    alone = rest + surface + resistance_ohm(batteries, day, ageing) * current
    sagging = np.where(support.share < 1.0, alone + (supported - alone) * support.share, supported)
    volts = np.where(asleep, alone, sagging)
    day.columns |= {
        "lv_voltage_v": volts,
        "lv_current_a": current,
        "dcdc_enabled": indicator(~asleep),
        "dcdc_temp_c": ambient + np.where(asleep, 0.0, dcdc.rise_k(current, failing)),
    }
    resting = asleep & (rested > REST_S)
    flat = (resting & (rest + surface < FLAT_V)) | (day.wakes & (volts < LOWEST_V))
    day.visible[FailureMode.LV_BATTERY_AGEING] = resting & (sound - rest > 3.0 * SENSOR_V)
    day.failed[FailureMode.LV_BATTERY_AGEING] = (ageing > 0.0) & flat
    flat |= missing >= day.of(batteries.capacity_ah) * left(ageing)
    hot = dcdc.FAILING_K * failing > 3.0 * SENSOR_K
    day.visible[FailureMode.DCDC_SUPPORT_LOSS] = ~asleep & (hot | (supported - volts > 3.0 * SENSOR_V))
    day.failed[FailureMode.DCDC_SUPPORT_LOSS] = (failing > 0.0) & flat
    lost_pct_day = 100.0 * 24.0 * lose_w(state.loss, day, sleep_a) / day.of(state.energy_wh)
    restless = ~asleep & (drained > 0.0) & (lost_pct_day > RESTLESS_PCT_DAY)
    day.visible[FailureMode.LV_PARASITIC_DRAIN] = restless | (asleep & (parasitic > 3.0 * SENSOR_A))
    day.failed[FailureMode.LV_PARASITIC_DRAIN] = (drained > 0.0) & (flat | (lost_pct_day > LOST_PCT_DAY))


def _settle(
    state: LowVoltage, day: Day, drain_a: FloatArray, support: dcdc.Support
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Charge missing, surface charge, and seconds slept on end; moves the state to midnight."""
    asleep = day.during(Phase.ASLEEP)
    batteries = state.batteries
    missing = day.recur(
        np.where(asleep, 1.0, support.keeps(day.dt_s)),
        np.where(asleep, drain_a, support.lacking_a) * day.dt_s / 3600.0,
        state.missing_ah,
    )
    surface = day.lag(
        np.where(asleep, 0.0, day.of(batteries.surface_v) * support.share),
        np.where(asleep, day.of(batteries.surface_tau_s), SURFACE_TAU_S),
        state.surface_v,
    )
    rested = day.recur(indicator(asleep), indicator(asleep) * day.dt_s, state.asleep_s)
    state.missing_ah = np.minimum(missing[day.last], batteries.capacity_ah)
    state.surface_v, state.asleep_s = surface[day.last], rested[day.last]
    return missing, surface, rested
