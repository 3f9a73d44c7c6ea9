"""Published facts about fleets and what the simulator was told to do, beside what the simulated fleet does."""

from dataclasses import dataclass
from datetime import date
from typing import Final

import numpy as np

from benchmarks.likeness import observed
from simulator.car import build_car
from simulator.fault_modes import FAULT_MODES
from simulator.fleet import build_fleet
from simulator.tyres import AIR_KPA
from vehicle.failure import FailureMode

CARS: Final = 1000
SEED: Final = 1


@dataclass(frozen=True, slots=True)
class Fact:
    """One figure of the world beside ours."""

    fact: str
    known: float
    simulated: float
    tolerance: float
    """Share of the known figure by which ours may differ."""
    source: str

    @property
    def reproduced(self) -> bool:
        """Whether it lies within the tolerance."""
        return abs(self.simulated - self.known) <= self.tolerance * abs(self.known)


def facts() -> list[Fact]:
    """Every fact the simulator is to reproduce."""
    cars = [build_car(SEED, number, 1, ()) for number in range(CARS)]
    fade = np.array([(100.0 - car.health_pct) / car.age_years for car in cars])
    all_faults = sum(one.incidence for one in FAULT_MODES.values())
    strands = {mode: one.incidence for mode, one in FAULT_MODES.items() if one.strands}
    shares = {mode: 100.0 * value / sum(strands.values()) for mode, value in strands.items()}
    return [
        Fact("loss of usable capacity, mean, % a year", 2.3, float(fade.mean()), 0.1, "Geotab 2026, 22,700 cars"),
        Fact(
            "its deviation over its mean",
            0.25,
            float(fade.std() / fade.mean()),
            0.2,
            "engineering estimate",
        ),
        Fact("workshop faults per car and year", 0.1, all_faults / 1000.0, 0.02, "engineering estimate"),
        Fact("breakdowns by the 12 V battery, %", 54.0, shares[FailureMode.LV_BATTERY_AGEING], 0.02, "ADAC 2020"),
        Fact("breakdowns by tyres, %", 14.0, shares[FailureMode.TYRE_SLOW_LEAK], 0.02, "ADAC 2020"),
        Fact("tyre pressure at 250 kPa, kPa per 10 K", 12.0, _kpa_per_10_k(), 0.1, "ideal gas"),
    ]


def _kpa_per_10_k() -> float:
    """Slope of parked cars' sampled pressure over the air in the tyre, brought to 250 kPa gauge at 20 degC."""
    slopes = []
    for car in observed(build_fleet(8, 10, SEED, date(2026, 9, 1), [])):
        pressure, air = car.column("tyre_pressure_fl_kpa"), car.column("tyre_temp_fl_c")
        still = (car.column("speed_kmh") == 0.0) & np.isfinite(pressure)
        slope, level = np.polyfit(air[still] - 20.0, pressure[still], 1)
        slopes.append(10.0 * slope * (250.0 + AIR_KPA) / (level + AIR_KPA))
    return float(np.median(slopes))
