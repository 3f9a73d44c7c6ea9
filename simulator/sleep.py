"""Sleep: what a parked car draws from its low-voltage battery, and when it wakes up by itself.

The car tops its battery up once too much is missing. Two faults make it do so too often: something draws current in
its sleep, such as a control unit that stays on or a device in the socket, or a control unit keeps waking the network.
"""

import math
from dataclasses import dataclass
from typing import Final

import numpy as np

from simulator.car import Car
from simulator.consumption import AWAKE_W
from simulator.day import Day, FloatArray, Phase, indicator
from simulator.dcdc import REFILL_S
from simulator.fault_modes import FAULT_MODES
from simulator.randomness import Purpose, generator
from simulator.usage import DCDC_EFFICIENCY, LV_SYSTEM_V
from simulator.weather import DAY_S
from vehicle.failure import FailureMode

TOP_UP_SHARE: Final = 0.2
"""The car wakes up to top up when so much of the capacity is gone (engineering estimate)."""
TOP_UP_S: Final = 5400.0
TOP_UP_PAUSE_S: Final = 14400.0
"""Length of a top-up, and least sleep before one (engineering estimates)."""
PARASITIC_A: Final = 3.0
"""Drawn asleep at severity 1: about 40 W, a computer that stays on (engineering estimate)."""
RESTLESS_S: Final = 10800.0
"""How long a network lets the car sleep at severity 1; the worse the shorter (engineering estimate)."""
RESERVE: Final = 0.15
"""A car with less charge in its traction battery wakes up for nothing but its driver (engineering estimate)."""


def is_restless(car: Car) -> bool:
    """Whether the car's drain, if it has one, wakes it rather than draws current: as often as not."""
    key = FAULT_MODES[FailureMode.LV_PARASITIC_DRAIN].key
    return bool(generator(car.seed, Purpose.FAULT, car.number, key, 1).random() < 0.5)  # noqa: PLR2004 -- evens


@dataclass(slots=True)
class Drain:
    """One car's low-voltage battery while its day is laid out: decides when sleep ends for a top-up."""

    missing_ah: float
    drain_a: float
    top_up_ah: float
    restless_s: float
    """Longest sleep that the network allows."""
    traction_charge: float
    """Of the traction battery, 0 to 1."""
    share: float
    lacking_a: float
    """What its converter gives, as in `dcdc.Support`."""

    def support(self, seconds: float) -> None:
        """The DC-DC converter was on for so long."""
        self.missing_ah *= math.exp(-seconds * self.share / REFILL_S)
        self.missing_ah += self.lacking_a * seconds / 3600.0

    def sleep(self, seconds: float) -> None:
        """The car slept for so long."""
        self.missing_ah += self.drain_a * seconds / 3600.0

    def sleeps_s(self, slept_s: float) -> float:
        """How much longer the car sleeps, if nobody needs it, after it slept for `slept_s`; may be endless."""
        if self.traction_charge < RESERVE:
            return np.inf
        lasts_s = max((self.top_up_ah - self.missing_ah) / self.drain_a * 3600.0, 0.0)
        return min(max(lasts_s, TOP_UP_PAUSE_S - slept_s), max(self.restless_s - slept_s, 0.0))


@dataclass(slots=True, eq=False)
class Loss:
    """What parked cars take from their traction batteries in the end; state per car, shape (cars,)."""

    woken: FloatArray
    """Above 0 while a car is up out of its sleep, not after use."""
    lost_w: FloatArray
    """Mean over the last day that it was parked."""


def start_loss(sleep_a: FloatArray) -> Loss:
    """Every car has slept so far."""
    return Loss(np.zeros(len(sleep_a)), sleep_a * LV_SYSTEM_V / DCDC_EFFICIENCY)


def lose_w(loss: Loss, day: Day, sleep_a: FloatArray) -> FloatArray:
    """Mean loss over the last day parked at every row, W, from the current asleep; moves the state to midnight."""
    asleep, awake = day.during(Phase.ASLEEP), day.during(Phase.AWAKE)
    woken = day.recur(indicator(awake), indicator(day.wakes), loss.woken)
    parked = asleep | (awake & (woken > 0.0))
    taken_w = np.where(asleep, sleep_a * LV_SYSTEM_V / DCDC_EFFICIENCY, AWAKE_W)
    keep = np.where(parked, np.exp(-day.dt_s / DAY_S), 1.0)
    lost_w = day.recur(keep, (1.0 - keep) * taken_w, loss.lost_w)
    loss.woken, loss.lost_w = woken[day.last], lost_w[day.last]
    return lost_w
