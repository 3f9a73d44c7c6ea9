"""Who says whether a fire was right: the truth about a simulated fleet, or what persons and workshops said."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from flows.backtest import Fire
from rules.rule import Rule


class Answer(StrEnum):
    """What is known of one fire."""

    RIGHT = "right"
    WRONG = "wrong"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Found:
    """What became of the faults that a rule is for; what cannot be known is None."""

    faults: int | None = None
    """Of the mode, on cars that the rule is for, that showed within the history."""
    recall: float | None = None
    """The share of them that it fired on."""
    lead_days: float | None = None
    """Median of the days from when a fault's first fire was known to its failure, of those that fail within the
    history."""


class Reference(Protocol):
    """Judges fires."""

    @property
    def name(self) -> str:
        """``truth`` or ``verdicts``."""

    def answer(self, rule: Rule, fire: Fire) -> Answer:
        """What is known of one fire of a rule."""

    def found(self, rule: Rule, fires: Sequence[Fire]) -> Found:
        """What a rule's fires found."""

    def is_odd(self, fire: Fire) -> bool:
        """Whether the car shows something at that time that looks odd and is no fault."""
