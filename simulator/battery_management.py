"""What the battery management makes of the battery: charge by counting and by rest voltage, capacity, state of health.

It can be wrong. A counter of ampere-hours drifts; a full charge sets it right, and so does the voltage after a long
rest where that says anything, which in the plateau of LFP cells it does not.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from simulator.car import Car
from simulator.day import Cars, Day, FloatArray, Phase
from simulator.models import Chemistry
from simulator.open_circuit import cell_voltage
from simulator.weather import DAY_S
from vehicle.failure import FailureMode

FADE_PCT_PER_DAY: Final = 2.3 / 365.0
"""Calendar and cycle fade (Geotab 2026, mean)."""
FADED_PCT: Final = 25.0
"""Points of health that abnormal fade of severity 1 takes: from a used battery to the limit (engineering estimate)."""
WORN_OUT_PCT: Final = 70.0
"""Functional failure: what makers usually guarantee for eight years (their warranty terms)."""
LEARNS_S: Final = 7.0 * DAY_S
"""Time constant with which the estimate of capacity follows (engineering estimate)."""
HEALTH_PCT: Final = 0.5
"""Standard deviation of a sound car's state of health around the truth (engineering estimate)."""

DRIFT_PER_DAY: Final = 0.015
"""Charge that the counter of severity 1 misses in a day: an offset of 0.1 A (engineering estimate)."""
UNSURE_V: Final = {Chemistry.NMC: 0.005, Chemistry.LFP: 0.03}
"""How far a cell's rest voltage is trusted: its hysteresis (engineering estimates)."""
LONG_REST_S: Final = 3.0 * 3600.0
"""Rests after which it is looked at (engineering estimate: diffusion has settled)."""
FULL: Final = 0.995
STOPS_AT: Final = 0.8
"""State of charge that counts as full, and the one to which the owner charges instead as long as the drift lasts."""
BLAMED: Final = 0.3
"""Share of a step of the charge that the estimate of capacity is blamed for (engineering estimate)."""
MOST_BLAME: Final = 0.15
CHARGE_OFF: Final = 0.01
"""Standard deviation of the charge shown around the truth (engineering estimate)."""
MISLEADS: Final = 0.10
"""Functional failure: the car may stop with so much charge shown (engineering estimate)."""


@dataclass(slots=True, eq=False)
class Management:
    """Constants and state per car, shape (cars,)."""

    new_kwh: FloatArray
    health_pct: FloatArray
    """True, at the fleet's start."""
    learnt_pct: FloatArray
    """Abnormal fade as far as it is known."""
    charge_error: FloatArray
    """Charge shown less the true one, 0 to 1."""
    capacity_error: FloatArray
    """Capacity taken for lost for no reason, as a share."""
    awake_s: FloatArray
    """When the car was last awake."""


def start_management(cars: Cars) -> Management:
    """Everything is known as it is."""
    nothing = np.zeros(len(cars))
    return Management(
        new_kwh=cars.each(lambda one: one.model.energy_kwh),
        health_pct=cars.each(lambda one: one.health_pct),
        learnt_pct=nothing,
        charge_error=nothing.copy(),
        capacity_error=nothing.copy(),
        awake_s=nothing.copy(),
    )


def charges_to(car: Car, wanted: float, day: int) -> float:
    """To which charge the car is charged on a day: without an end to its drift, it is never charged full."""
    fault = car.fault(FailureMode.BMS_CALIBRATION_DRIFT)
    drifts = fault is not None and float(fault.severity(np.array([(day + 1) * DAY_S]))[0]) > 0.0
    return min(wanted, STOPS_AT) if drifts else wanted


def capacity_left(state: Management, day: Day) -> FloatArray:
    """Share of the capacity at the fleet's start that abnormal fade leaves, per row."""
    lost_pct = FADED_PCT * day.severity(FailureMode.CAPACITY_FADE_ABNORMAL)
    return 1.0 - lost_pct / day.of(state.health_pct)


def show(state: Management, day: Day, charge: FloatArray, full_kwh: FloatArray) -> None:
    """Add what is shown.

    Args:
        state: the management's own.
        day: the day.
        charge: true state of charge, 0 to 1, shape (n,).
        full_kwh: usable energy of the full battery at the fleet's start, shape (cars,).
    """
    faded_pct = FADED_PCT * day.severity(FailureMode.CAPACITY_FADE_ABNORMAL)
    learnt_pct = day.lag(faded_pct, LEARNS_S, state.learnt_pct)
    charge_error, capacity_error = _drift(state, day, charge)
    ordinary_pct = day.of(state.health_pct) - FADE_PCT_PER_DAY * day.at_s / DAY_S
    known = (1.0 - learnt_pct / day.of(state.health_pct)) * (1.0 - capacity_error)
    shown = charge + charge_error
    health = (ordinary_pct - learnt_pct) * (1.0 - capacity_error)
    day.columns |= {
        "hv_soc_pct": 100.0 * np.clip(shown, 0.0, 1.0),
        "hv_energy_remaining_kwh": shown * day.of(full_kwh) / 1000.0 * known,
        "hv_soh_pct": health,
        "hv_capacity_net_kwh": day.of(state.new_kwh) * health / 100.0,
    }
    for name, values in (
        ("learnt_pct", learnt_pct),
        ("charge_error", charge_error),
        ("capacity_error", capacity_error),
    ):
        setattr(state, name, values[day.last])
    seen = ~day.during(Phase.ASLEEP) | day.wakes
    day.visible[FailureMode.CAPACITY_FADE_ABNORMAL] = seen & (learnt_pct > 3.0 * HEALTH_PCT)
    day.failed[FailureMode.CAPACITY_FADE_ABNORMAL] = (
        seen & (faded_pct > 0.0) & (ordinary_pct - faded_pct < WORN_OUT_PCT)
    )
    day.visible[FailureMode.BMS_CALIBRATION_DRIFT] = seen & (np.abs(charge_error) > 3.0 * CHARGE_OFF)
    day.failed[FailureMode.BMS_CALIBRATION_DRIFT] = seen & (np.abs(charge_error) > MISLEADS)


def _drift(state: Management, day: Day, charge: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Errors of charge and capacity, per row; 0 in a car whose counter is sound."""
    charge_error, capacity_error = np.zeros(len(day)), np.zeros(len(day))
    severity = day.severity(FailureMode.BMS_CALIBRATION_DRIFT)
    awake = day.phase != Phase.ASLEEP
    for number, car in enumerate(day.cars.cars):
        if car.fault(FailureMode.BMS_CALIBRATION_DRIFT) is None:
            continue
        rows = day.rows(number)
        at, own = day.at_s[rows], charge[rows]
        since = np.maximum.accumulate(np.where(awake[rows], at, state.awake_s[number]))
        rested = day.wakes[rows] & (at - since >= LONG_REST_S)
        grown = np.cumsum(DRIFT_PER_DAY * severity[rows] * day.dt_s[rows] / DAY_S)
        error = state.charge_error[number] + grown
        blamed = np.full(len(at), state.capacity_error[number])
        for row in np.flatnonzero(rested | (own >= FULL)):
            step = error[row] * _trust(car.model.chemistry, own[row], error[row])
            error[row:] -= step
            blamed[row:] = 0.0 if own[row] >= FULL else min(blamed[row] + BLAMED * step, MOST_BLAME)
        charge_error[rows], capacity_error[rows] = error, blamed
        state.awake_s[number] = since[-1]
    return charge_error, capacity_error


def _trust(chemistry: Chemistry, charge: float, error: float) -> float:
    """Share of the error that a look at the rest voltage takes away: all of it when full."""
    if charge >= FULL:
        return 1.0
    shown, true = cell_voltage(chemistry, np.array([charge + error, charge]))
    apart = float(shown - true) ** 2
    return apart / (apart + UNSURE_V[chemistry] ** 2)
