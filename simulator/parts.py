"""New parts: what a replacement changes besides ending the fault of the old part."""

from typing import Final

from simulator.low_voltage import LowVoltage
from vehicle.failure import FailureMode

NEW_FULL_V: Final = 0.08
NEW_RESISTANCE: Final = 0.8
"""A battery from the shelf rests so much higher, and has such a share of the resistance, than the one that has done a
few years in a sound car (engineering estimates)."""


def fit(low_voltage: LowVoltage, number: int, mode: FailureMode) -> None:
    """Fit the part whose fault is of this mode into the car at this position; most parts' state is their severity."""
    if mode is FailureMode.LV_BATTERY_AGEING:
        low_voltage.missing_ah[number] = 0.0
        low_voltage.batteries.full_v[number] += NEW_FULL_V
        low_voltage.batteries.resistance_ohm[number] *= NEW_RESISTANCE
