"""What was known of a car's doing before the samples of a batch."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from rules.engine.clock import Times
from rules.engine.columns import Values
from rules.engine.memory import DoingMemory
from rules.language.tree import CarState


@dataclass(frozen=True, slots=True, eq=False)
class LastSeen:
    """What was known of one car's doing before the samples of a batch."""

    times: Times
    """Increasing; the last one is the latest sample of all signals."""
    rows: Values
    """The signals then, shape (n, number of them): at least each one's latest value; NaN: not sampled, or not known."""
    since: Mapping[CarState, int]
    """By the states the car was in at the last of the times, since when."""

    @classmethod
    def remembered(cls, memory: DoingMemory) -> "LastSeen":
        """What a rule remembers: the signals as they stood."""
        row = [np.nan if value is None else value for value in memory.row]
        since = {CarState(state): began for state, began in memory.since.items()}
        return cls(np.array([memory.at], np.int64), np.array([row], np.float64), since)

    @property
    def at(self) -> int:
        """The latest sample."""
        return int(self.times[-1])
