"""What looks odd in a car's data and is no fault: no detector may open a ticket for it."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import numpy as np


class Confounder(StrEnum):
    """Every kind there is."""

    COLD_SNAP = "cold_snap"
    """All four tyres fall together; it comes with the weather, over every car of a region."""
    NOISY_TYRE_SENSOR = "noisy_tyre_sensor"
    """One wheel's pressure scatters and drops out."""
    NOISY_LV_SENSOR = "noisy_lv_sensor"
    """The low-voltage reading scatters and spikes."""
    ISOLATION_DROPOUTS = "isolation_dropouts"
    """Single isolation readings fall to a fraction, and are gone with the next one."""
    LONG_PARKING = "long_parking"
    """Nobody drives for weeks: the low-voltage battery is drained by sleep current, tyres permeate."""


DRAWN: Final = (
    Confounder.NOISY_TYRE_SENSOR,
    None,
    Confounder.NOISY_LV_SENSOR,
    None,
    Confounder.LONG_PARKING,
    None,
    None,
    Confounder.ISOLATION_DROPOUTS,
    None,
    None,
    None,
)
"""In the order in which cars get them: of eleven cars, four have one."""

PARKED_DAYS: Final = 21.0
"""How long a long parking lasts, or half the fleet's days where those are fewer."""


@dataclass(frozen=True, slots=True)
class Oddity:
    """A confounder of one car, and when it shows."""

    kind: Confounder
    start_day: float
    end_day: float
    wheel: int = 0


def draw_oddity(rng: np.random.Generator, kind: Confounder | None, days: int) -> tuple[Oddity, ...]:
    """When and where the car's confounder shows, if it has one."""
    wheel = int(rng.integers(4))
    length = min(PARKED_DAYS, days / 2.0)
    start = float(np.floor(rng.uniform(0.1, 0.9) * (days - length)))
    match kind:
        case None:
            return ()
        case Confounder.LONG_PARKING:
            return (Oddity(kind, start, start + length),)
        case _:
            return (Oddity(kind, 0.0, float(days), wheel),)
