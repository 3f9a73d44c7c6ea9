"""What a rule measured of one car, and its course for a finding's charts.

The course of a feature is remembered from day to day. That of anything else begins when `when` does, and of each of 120
equal parts of the rule's `history` the first point is kept.
"""

from statistics import median

import numpy as np
from numpy.typing import NDArray

from rules.engine.clock import Times
from rules.engine.columns import Column
from rules.engine.conditions import Conditions
from rules.engine.memory import MOST_REMEMBERED, Memory
from rules.engine.windows import MICROSECOND
from rules.language.tree import Series, Source
from rules.language.walk import series_of
from rules.rule import Part

Points = tuple[Times, NDArray[np.float64]]


class Chart:
    """One car's, at one run."""

    def __init__(self, conditions: Conditions, car: int, memory: Memory) -> None:
        self.conditions = conditions
        self.car = car
        self.memory = memory
        self.rule = conditions.rule
        self.clock = conditions.around.clock
        self.vehicle = conditions.around.batch.vehicles[car]
        self.places = self.clock.of(car)
        times = self.clock.times[self.places]
        judged = int(np.searchsorted(times, memory.judged, side="right"))
        self.new = slice(self.places.start + judged, self.places.stop)
        self._earlier = {name: part.recent for name, part in memory.parts.items()}

    @property
    def feature(self) -> Series | None:
        """The feature of which the gauge is made; its course shows more than the gauge's own."""
        gauge = self.rule.gauge
        if gauge is None:
            return None
        series = (gauge.relative_to,) if isinstance(gauge.relative_to, Series) else series_of(gauge.expression)
        return next((one for one in series if one.source is Source.FEATURE), None)

    def measured(self, name: str, begun: int, at: int) -> float:
        """The gauge's latest known value of a part between two times; NaN: there is none."""
        times, values = self._course(name, begun, at)
        return float(values[-1]) if len(times) else np.nan

    def course_of_feature(self, name: str, at: int) -> dict[str, Points]:
        """The feature's observations up to a time, by the names of the parts that a part of the rule is made of."""
        column = self._column()
        if column is None:
            return {}
        places = column.clock.of(self.car)
        times = column.clock.times[places]
        first = int(np.searchsorted(times, at - self.rule.history // MICROSECOND, side="right"))
        last = int(np.searchsorted(times, at, side="right"))
        chosen = slice(places.start + max(first, last - MOST_REMEMBERED), places.start + last)
        width = len(column.members) if column.widths is None else int(column.widths[self.car])
        courses = {}
        for i, member in enumerate(column.members[:width]):
            known = np.isfinite(column.values[chosen, i])
            if (not name or member in {name, ""}) and known.any():
                courses[member] = (column.clock.times[chosen][known], column.values[chosen, i][known])
        return courses

    def course_since(self, name: str, begun: int, at: int) -> Points:
        """The gauge's course between two times."""
        times, values = self._course(name, begun, at)
        width = max(self.rule.history // MICROSECOND // MOST_REMEMBERED, 1)
        kept = np.diff(times // width, prepend=-1) != 0
        kept &= times > at - self.rule.history // MICROSECOND
        return times[kept][-MOST_REMEMBERED:], values[kept][-MOST_REMEMBERED:]

    def meant(self, part: Part, at: int) -> str:
        """The name of the part that is meant at one of the new samples; empty where it is not known."""
        number = self.conditions.number(part)[self.new][np.searchsorted(self.clock.times[self.new], at)]
        return part.group.member(round(float(number))) if np.isfinite(number) else ""

    def usual(self, part_name: str) -> float | None:
        """What is usual of the feature for a part of the car."""
        feature = self.feature
        bases = self.memory.bases.items()
        base = next((base for name, base in bases if feature and name.split()[0] == feature.name), None)
        if base is None:
            return None
        part = self.conditions.members.index(part_name) if len(base.first) > 1 else 0
        return median(base.first[part]) if base.first[part] else None

    def remember(self) -> None:
        """Note the courses that go on, and the latest value of each."""
        if self.feature is not None:
            return
        end = int(self.clock.times[self.places.stop - 1])
        for name, part in self.memory.parts.items():
            # A part that gets well while `when` still holds fires again, as of when that began to.
            begins = [part.begun] * bool(part.rung) + [part.since] * bool(part.held)
            points = dict[int, float]()
            for begun in begins:
                points |= zip(*(each.tolist() for each in self.course_since(name, begun, end)), strict=True)
            latest = [each[-1:].tolist() for each in self._course(name, min(begins), end)]
            part.recent = sorted((points | dict(zip(*latest, strict=True))).items())

    def _course(self, name: str, begun: int, at: int) -> Points:
        """All points that are remembered or new; those of features are remembered with them."""
        part = self.conditions.members.index(name)
        places = self.new if self.feature is None else self.places
        times, values = self.clock.times[places], self.conditions.gauge[places, part]
        inside = np.isfinite(values) & (times >= begun) & (times <= at)
        earlier = [point for point in self._earlier.get(name, []) if point[0] >= begun]
        times = np.concatenate((np.array([t for t, _ in earlier], np.int64), times[inside]))
        values = np.concatenate((np.array([v for _, v in earlier], np.float64), values[inside]))
        return times, values

    def _column(self) -> Column | None:
        feature = self.feature
        return self.conditions.around.remembered.get(feature.name) if feature else None
