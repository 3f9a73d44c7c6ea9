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
        """What a rule remembers."""
        row = np.array([np.nan if value is None else value for value in memory.row])
        told_at = memory.at - np.array(memory.ago or [0] * len(row), np.int64)
        times = np.unique([*told_at[np.isfinite(row)], memory.at])
        since = {CarState(state): began for state, began in memory.since.items()}
        return cls(times, np.where(times[:, None] == told_at, row, np.nan), since)

    def memory(self) -> DoingMemory:
        """The same to be remembered."""
        known = np.isfinite(self.rows)
        latest = np.max(np.where(known, np.arange(len(self.times))[:, None], -1), axis=0)
        row = [float(self.rows[place, i]) if place >= 0 else None for i, place in enumerate(latest.tolist())]
        ago = [self.at - int(self.times[place]) if place >= 0 else 0 for place in latest.tolist()]
        since = {str(state): began for state, began in self.since.items()}
        return DoingMemory(self.at, row, since, ago if any(ago) else [])

    @property
    def at(self) -> int:
        """The latest sample."""
        return int(self.times[-1])
