"""Whether a series is silent although the car is awake to tell it."""

from datetime import timedelta
from typing import Final

import numpy as np
from numpy.typing import NDArray

from rules.engine.columns import Values
from rules.engine.inhibition import FOREVER
from rules.engine.spells import Spells, joined
from rules.engine.surroundings import Surroundings
from rules.engine.windows import MICROSECOND, count
from rules.language.tree import Absent

AWAKE_ENOUGH: Final = timedelta(hours=1)
"""A series is absent once the car was awake for so long in the window, or all of it (engineering estimate)."""


def absent(node: Absent, around: Surroundings) -> Values:
    """Whether a series' parts are absent along the rule's clock; unknown where one was never heard."""
    values = around.series(node.series)
    reached = around.reach(node, values)
    over = around.windows(reached.clock, node.window)
    heard = reached.own(np.column_stack([count(column, over) for column in reached.values.T])) > 0
    ever = np.column_stack(
        [_ever(f"{node.series.name} {part}", column, around) for part, column in enumerate(values.T)]
    )
    awake = _awake_within(node.window, around) >= min(node.window, AWAKE_ENOUGH) // MICROSECOND
    return np.where(heard, 0.0, np.where(ever & awake[:, None], 1.0, np.nan))


def carry_awake(around: Surroundings) -> None:
    """Note when cars were awake, as far back as any series of the rule is asked for."""
    windows = [node.window for node in around.reached if isinstance(node, Absent)]
    if around.carried is None or not windows:
        return
    told, longest = _awake(around), max(windows) // MICROSECOND
    for car, one in enumerate(around.carried):
        spans = told.of(car)
        one.awake = spans[spans[:, 1] > spans[:, 1].max(initial=0) - longest]


def _awake(around: Surroundings) -> Spells:
    """When cars were awake, what is carried included."""
    doings = around.doings
    told: Spells = around.batch.once(("awake", id(doings)), doings.awake)
    return told if around.carried is None else joined([one.awake for one in around.carried], told)


def _awake_within(window: timedelta, around: Surroundings) -> NDArray[np.int64]:
    """Microseconds in the windows that end at the rule's times during which the car was awake."""
    clock, spans = around.clock, _awake(around)
    latest = around.doings.latest(clock)
    since = np.minimum(clock.times - window // MICROSECOND, latest)
    return np.where(latest >= 0, spans.lasted(clock.car, latest) - spans.lasted(clock.car, since), 0)


def _ever(label: str, values: NDArray[np.float64], around: Surroundings) -> NDArray[np.bool_]:
    """Whether a part of a series was heard before or at each time; takes note of when it first was."""
    known, times = np.isfinite(values), around.clock.times
    for car, memory in enumerate(around.memories):
        places = around.clock.of(car)
        if label not in memory.heard_since and known[places].any():
            memory.heard_since[label] = int(times[places][known[places]][0])
    since = np.array([memory.heard_since.get(label, FOREVER) for memory in around.memories], np.int64)
    return np.asarray(times >= since[around.clock.car])
