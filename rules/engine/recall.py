"""Joins what a rule remembers of cars to what a batch tells of them, and notes what it must remember."""

from collections.abc import Iterable, Sequence
from datetime import timedelta

import numpy as np

from rules.engine.clock import Clock, clock_of
from rules.engine.columns import Batch, Column
from rules.engine.memory import MOST_REMEMBERED, Memory, Row, SeriesMemory, known_or_none, rounded
from rules.engine.needs import Needs, is_meant
from rules.engine.windows import MICROSECOND
from rules.rule import Rule


def recalled(needed: Needs, batch: Batch, memories: Sequence[Memory]) -> dict[str, Column]:
    """The features and trouble codes that a rule needs, remembered and new, by name."""
    names = {name for name in needed.features if name in batch.columns}
    names |= {name for name in batch.columns if any(is_meant(name, code) for code in needed.codes)}
    names |= {name for memory in memories for name in memory.series}
    return {name: _joined(batch, name, memories) for name in sorted(names)}


def _joined(batch: Batch, name: str, memories: Sequence[Memory]) -> Column:
    column = batch.columns.get(name)
    rows = batch.once(("rounded", name), lambda: [] if column is None else [*map(rounded, column.values.tolist())])
    told = [_told(column, rows, car, memory.series.get(name)) for car, memory in enumerate(memories)]
    members = max((one.members for one in told), key=len, default=("",))
    clock = clock_of([np.array(one.times, np.int64) for one in told])
    values = np.full((len(clock), len(members)), np.nan)
    for car, one in enumerate(told):
        if one.values:
            values[clock.of(car), : len(one.members)] = np.array(one.values, dtype=np.float64)
    widths = np.array([len(one.members) for one in told])
    return Column(clock, values, members, None if (widths == len(members)).all() else widths)


def _told(column: Column | None, rows: Sequence[Row], car: int, memory: SeriesMemory | None) -> SeriesMemory:
    """A car's observations; those of a batch that are no later than the remembered ones are the same ones."""
    known = memory or SeriesMemory()
    if column is None:
        return known
    places = column.clock.of(car)
    if known.times:
        later = int(np.searchsorted(column.clock.times[places], known.times[-1], side="right"))
        places = slice(places.start + later, places.stop)
    if places.start == places.stop:
        return known
    width = len(column.members) if column.widths is None else int(column.widths[car])
    new = [row[:width] for row in rows[places]]
    kept = known if len(known.members) == width else SeriesMemory()
    return SeriesMemory(
        column.members[:width], [*kept.times, *column.clock.times[places].tolist()], [*kept.values, *new]
    )


def remember(rule: Rule, columns: Iterable[tuple[str, Column]], car: int, memory: Memory) -> None:
    """Note what a rule will need of the observations of one car, and let go of the rest."""
    for name, column in columns:
        places = column.clock.of(car)
        if places.start == places.stop:
            continue
        is_code = name[:1].isupper()
        span = rule.look_back if is_code else max(rule.look_back, rule.history)
        width = len(column.members) if column.widths is None else int(column.widths[car])
        first = _first_kept(column.clock, places, span, keep_one_more=is_code)
        kept = slice(first, places.stop)
        memory.series[name] = SeriesMemory(
            column.members[:width],
            column.clock.times[kept].tolist(),
            known_or_none(column.values[kept, :width]),
        )


def _first_kept(clock: Clock, places: slice, span: timedelta, *, keep_one_more: bool) -> int:
    """The first place that the next sample can rest on: of a code, the status that stood before it too."""
    times = clock.times[places]
    first = int(np.searchsorted(times, int(times[-1]) - span // MICROSECOND, side="right"))
    if keep_one_more:
        return int(places.start) + max(first - 1, 0)
    return int(places.start) + max(first, len(times) - MOST_REMEMBERED)
