"""What is usual for a car: the median of the first values of a series."""

from collections.abc import Sequence
from statistics import median

import numpy as np

from rules.engine.clock import Clock
from rules.engine.columns import Values
from rules.engine.memory import BaseMemory, Memory
from rules.language.tree import Baseline


def usual(node: Baseline, values: Values, clock: Clock, memories: Sequence[Memory]) -> Values:
    """The median of each part's first values, from the one after them on; notes them in the memories.

    Only values later than the last that was judged are new.
    """
    result = np.full(values.shape, np.nan)
    for car, memory in enumerate(memories):
        places = clock.of(car)
        times = clock.times[places]
        base = _widened(memory.bases.get(label(node), BaseMemory()), values.shape[1])
        for part, column in enumerate(values[places].T):
            if not base.known_after[part]:
                known = np.flatnonzero((times > memory.judged) & np.isfinite(column))
                _learn(base, part, times[known].tolist(), column[known].tolist(), node.count)
            if base.known_after[part]:
                result[places, part][times > base.known_after[part]] = median(base.first[part])
        if any(base.first):
            memory.bases[label(node)] = base
    return result


def label(node: Baseline) -> str:
    """Under which a baseline is remembered."""
    return f"{node.series.name} {node.count}"


def _widened(base: BaseMemory, parts: int) -> BaseMemory:
    missing = parts - len(base.first)
    return BaseMemory([*base.first, *([] for _ in range(missing))], [*base.known_after, *[0] * missing])


def _learn(base: BaseMemory, part: int, times: list[int], values: list[float], count: int) -> None:
    """Take as many of the values as are still needed."""
    needed = count - len(base.first[part])
    base.first[part] = [*base.first[part], *values[:needed]]
    if len(values) >= needed:
        base.known_after[part] = times[needed - 1]
