"""What a rule remembers of one car between two runs: plain data, so that a run can stop anywhere and go on."""

from collections.abc import Iterable
from typing import Any, Final

import msgspec
import numpy as np
from numpy.typing import NDArray

MOST_REMEMBERED: Final = 120
"""Observations of a feature, or points of a chart, kept at most, and the state stays small."""
SIGNIFICANT: Final = 6
"""Decimal digits that are kept of a feature's value: more than any sensor has."""
Row = list[float | None]
"""Values of like parts, as they are remembered: JSON has no NaN."""


class PartMemory(msgspec.Struct, omit_defaults=True):
    """One like part of which there is something to remember; times are microseconds since 1970, UTC."""

    since: int = 0
    """Since when `when` holds; of use while `held`."""
    held: int = 0
    """At how many samples it has, up to as many as the rule asks for; 0: it does not."""
    levels: list[int] = []
    """The rungs it had at the latest of them."""
    told_at: int = 0
    """The latest time at which `when` was known."""
    rung: int = 0
    """How far up the severity ladder the rule holds, from 1; 0 while it does not hold here."""
    begun: int = 0
    """While it holds: since when `when` did, by which it began to."""
    well_since: int | None = None
    """While it holds: since when `until` does."""
    well_told_at: int = 0
    """While it holds: the latest time at which `until` was known."""
    exposed: int = 0
    """While it holds: microseconds of exposure without `when`."""
    exposed_at: int = 0
    """The latest sample, if the exposure held there."""
    recent: list[tuple[int, float]] = []
    """Points of the gauge since then, for a chart."""


class SeriesMemory(msgspec.Struct, omit_defaults=True):
    """The latest observations of a feature, or of a trouble code's status."""

    members: tuple[str, ...] = ("",)
    times: list[int] = []
    values: list[Row] = []


class BaseMemory(msgspec.Struct, omit_defaults=True):
    """What is usual for a car, part by part."""

    first: list[list[float]] = []
    """The first values of a series."""
    known_after: list[int] = []
    """When the last of so many came; 0: it has not yet."""


class DoingMemory(msgspec.Struct, omit_defaults=True):
    """What the car was doing at the last sample before those that the next run looks at."""

    at: int
    row: Row
    """The latest value of each signal that tells it."""
    since: dict[str, int] = {}
    """By the states it was in, since when."""
    ago: list[int] = []
    """How many microseconds before `at` each of the values was sampled; nothing: none of them was."""


class Memory(msgspec.Struct, omit_defaults=True):
    """What one rule remembers of one car."""

    judged: int = -1
    """The latest sample that it has judged; -1: none."""
    first: int = -1
    """The first one."""
    parts: dict[str, PartMemory] = {}
    repaired: int = -1
    """When a workshop has last seen to the car; -1: never, as far as is known."""
    told: bool = False
    """A finding has told that the rule holds, and none that it has ended."""
    withheld: bool = False
    """Something has not been told, because a rule that inhibits this one held."""
    series: dict[str, SeriesMemory] = {}
    bases: dict[str, BaseMemory] = {}
    heard_since: dict[str, int] = {}
    """When each series that may be absent was first heard, by signal and part."""
    doing: DoingMemory | None = None

    def rungs(self) -> dict[str, int]:
        """How far up the ladder each part stands at which the rule holds."""
        return {name: part.rung for name, part in self.parts.items() if part.rung}

    def plain(self) -> Any:
        """The same as JSON values."""
        return msgspec.to_builtins(self)


def restore(plain: Any, rungs: int) -> Memory:
    """The memory that `plain` holds, of a rule whose ladder has so many rungs now; None: nothing is known yet."""
    memory = Memory() if plain is None else msgspec.convert(plain, Memory)
    for part in memory.parts.values():
        part.rung = min(part.rung, rungs)
        part.levels = [min(level, rungs) for level in part.levels]
    return memory


def known_or_none(rows: NDArray[np.float64]) -> list[Row]:
    """Rows of values that are `rounded` already, as they are remembered."""
    plain = rows.astype(object)
    plain[np.isnan(rows)] = None
    return list(plain.tolist())


def rounded(values: Iterable[float]) -> Row:
    """Values as they are remembered."""
    return [None if value != value else float(f"{value:.{SIGNIFICANT}g}") for value in values]  # noqa: PLR0124 -- NaN
