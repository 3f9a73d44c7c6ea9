"""Owners: how a car is used and charged, drawn once per car."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import numpy as np

from simulator.models import CarModel, Chemistry


@dataclass(frozen=True, slots=True)
class Habit:
    """A way of using a car; every figure is an engineering estimate.

    Private cars go some 35 km a day with it, about the mean of German ones.
    """

    name: str
    commutes: bool
    errands: tuple[float, float]
    """Mean number of round trips on a weekday and on a day of the weekend."""
    errand_km: tuple[float, float]
    """Median one-way distance and standard deviation of its logarithm."""
    rounds: tuple[int, int] = (0, 0)
    """Fewest and most legs of a working day's round (taxi, deliveries)."""
    round_days: int = 5
    """Working days a week."""
    excursion: float = 0.0
    """Chance of a long trip on a day of the weekend."""


COMMUTER: Final = Habit("commuter", commutes=True, errands=(0.5, 1.0), errand_km=(5.0, 0.6), excursion=0.12)
FAMILY: Final = Habit("family", commutes=False, errands=(1.6, 1.3), errand_km=(5.0, 0.7), excursion=0.15)
TAXI: Final = Habit("taxi", commutes=False, errands=(0.0, 0.2), errand_km=(9.0, 0.6), rounds=(12, 18), round_days=6)
VAN: Final = Habit("delivery", commutes=False, errands=(0.0, 0.1), errand_km=(7.0, 0.5), rounds=(8, 13))
RARE: Final = Habit("rarely driven", commutes=False, errands=(0.25, 0.4), errand_km=(8.0, 0.8))

HABITS: Final = (COMMUTER, FAMILY, COMMUTER, RARE, COMMUTER, TAXI, FAMILY)
"""In the order in which cars are given to owners: of seven, three commute."""


class HomeCharger(StrEnum):
    """Where the car is charged when it is at home."""

    THREE_PHASE = "three-phase wall box"
    SINGLE_PHASE = "single-phase wall box"
    NONE = "none"

    @property
    def phases(self) -> int:
        """How many."""
        return {HomeCharger.THREE_PHASE: 3, HomeCharger.SINGLE_PHASE: 1, HomeCharger.NONE: 0}[self]

    @property
    def current_a(self) -> float:
        """Per phase: 11 kW on three phases, 7.4 kW on one (IEC 61851 mode 3)."""
        return 32.0 if self is HomeCharger.SINGLE_PHASE else 16.0


@dataclass(frozen=True, slots=True)
class Owner:
    """One car's user."""

    habit: Habit
    charger: HomeCharger
    commute_km: float
    leaves_h: float
    """Local time of leaving for work."""
    works_h: float
    plugs_below: float
    """State of charge below which the car is plugged in at home."""
    charges_to: float
    """State of charge at which charging at home ends."""
    at_night: bool
    """Charging at home starts with the cheap tariff rather than at once."""
    plugs_away: bool = False
    """There is a post with alternating current where the car stands by day: at work, or in town."""


def draw_owner(rng: np.random.Generator, model: CarModel, habit: Habit) -> Owner:
    """An owner of this habit; the shares are engineering estimates."""
    public_only = rng.random() < (0.25 if habit is TAXI else 0.12)
    single = rng.random() < 0.3  # noqa: PLR2004 -- share of homes with one phase only
    at_home = HomeCharger.SINGLE_PHASE if single else HomeCharger.THREE_PHASE
    lfp = model.chemistry is Chemistry.LFP
    return Owner(
        habit=habit,
        charger=HomeCharger.NONE if public_only else at_home,
        commute_km=float(np.clip(rng.lognormal(np.log(19.0), 0.5), 6.0, 50.0)),
        leaves_h=float(rng.uniform(6.3, 8.5)),
        works_h=float(rng.uniform(8.0, 9.5)),
        plugs_below=float(rng.choice([0.5, 0.7, 0.78, 0.78])),
        charges_to=1.0 if lfp else float(rng.choice([0.8, 0.8, 0.9])),
        at_night=bool(rng.random() < 0.5),  # noqa: PLR2004 -- share of owners with a tariff
    )
