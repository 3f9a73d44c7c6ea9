"""What a subsystem brings with it besides its physics: the sensors of its signals, and control units' tests of it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from simulator.day import BoolArray, Cars, Day

ASLEEP, AWAKE, DRIVING, CHARGING = 1, 2, 4, 8
"""When a sensor answers; waking up counts as awake."""
UP: Final = AWAKE | DRIVING | CHARGING
ALWAYS: Final = ASLEEP | UP


@dataclass(frozen=True, slots=True)
class Sensor:
    """How a signal is read; noise and step are engineering estimates for usual automotive sensors."""

    when: int
    noise: float = 0.0
    """Standard deviation, in the signal's unit."""
    step: float = 0.0
    """Coarser than the catalogue's resolution where above 0."""
    relative: bool = False
    """The noise is a share of the value."""


@dataclass(frozen=True, slots=True)
class Test:
    """One control unit's test for a code."""

    code: str
    """SAE J2012, or the maker's own: late, and without naming the part."""
    failed: Callable[[Day, Cars], BoolArray]
    """Per row."""
    freeze_frame: tuple[str, ...]
    """Signals stored with the code."""
    least_rows: int = 2
    """A day fails the test once so many of its samples do."""
