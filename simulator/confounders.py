"""What looks odd in a car's data and is no fault: no detector may open a ticket for it."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import numpy as np

from simulator.randomness import Purpose, generator


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
    ALTITUDE = "altitude"
    """A stay in the mountains: thinner air, so all four tyres show more, and it is colder."""
    SUNNY_SIDE = "sunny_side"
    """The car is parked with the same side in the sun: two tyres and the cabin warm up."""
    TYRE_CHANGE = "tyre_change"
    """Four other tyres from a day on, each filled a little differently."""
    TYRE_ROTATION = "tyre_rotation"
    """Front and rear tyres change places; a leak moves with its tyre."""
    TYRE_INFLATION = "tyre_inflation"
    """All four tyres are filled up."""
    NEW_TYRE = "new_tyre"
    """One new tyre, fuller than the others."""
    NEW_LV_BATTERY = "new_lv_battery"
    """A new low-voltage battery: a higher rest voltage from a day on."""
    SENSOR_DROPOUTS = "sensor_dropouts"
    """One control unit's readings are missing for minutes at a time."""
    SOFTWARE_SHIFT = "software_shift"
    """A software update shifts a signal by an offset."""
    TRAILER = "trailer"
    """A week with a trailer: more consumption, hotter drive units."""
    RELOCATION = "relocation"
    """The car moves to the other region."""


class Variety(StrEnum):
    """Which confounders a fleet's cars get."""

    USUAL = "usual"
    """The weather's, noisy sensors and long parking."""
    ALL = "all"
    """Those and every other kind; the cars also tell their altitude."""


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

DRAWN_TOO: Final = (
    Confounder.TYRE_CHANGE,
    Confounder.TRAILER,
    Confounder.SENSOR_DROPOUTS,
    None,
    Confounder.ALTITUDE,
    Confounder.NEW_LV_BATTERY,
    Confounder.TYRE_ROTATION,
    None,
    Confounder.SUNNY_SIDE,
    Confounder.SOFTWARE_SHIFT,
    Confounder.TYRE_INFLATION,
    None,
    Confounder.RELOCATION,
    Confounder.NEW_TYRE,
)
"""The same, on top, with `Variety.ALL`: of fourteen cars, eleven have one of these."""
AWAY_DAYS: Final = {Confounder.ALTITUDE: 10.0, Confounder.TRAILER: 7.0}
"""How long these last, or a quarter of the fleet's days where those are fewer."""
ALWAYS: Final = (Confounder.SUNNY_SIDE, Confounder.SENSOR_DROPOUTS)
"""These last all days; all others stay from their day on."""
PARKED_DAYS: Final = 21.0
"""How long a long parking lasts, or half the fleet's days where those are fewer."""


@dataclass(frozen=True, slots=True)
class Oddity:
    """A confounder of one car, and when it shows."""

    kind: Confounder
    start_day: float
    end_day: float
    wheel: int = 0
    size: float = 0.0
    """How much of it, or which of its kinds: 0 to 1."""

    def shows(self, index: int) -> bool:
        """Whether it is there on day `index`, counted from 0."""
        return self.start_day <= index < self.end_day


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


def draw_more(seed: int, number: int, days: int) -> tuple[Oddity, ...]:
    """What car `number` has on top with `Variety.ALL`: kinds by turns, days and size by chance."""
    turn = int(generator(seed, Purpose.CONFOUNDERS).integers(1000))
    kind = DRAWN_TOO[(number + turn) % len(DRAWN_TOO)]
    if kind is None:
        return ()
    rng = generator(seed, Purpose.CONFOUNDERS, number)
    length = min(AWAY_DAYS.get(kind, days), days / 4.0)
    start = float(np.floor(rng.uniform(0.25, 0.75) * (days - (length if kind in AWAY_DAYS else 0.0))))
    end = start + max(length, 1.0) if kind in AWAY_DAYS else float(days)
    return (Oddity(kind, 0.0 if kind in ALWAYS else start, end, int(rng.integers(4)), float(rng.random())),)
