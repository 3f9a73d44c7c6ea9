"""What of a feature a rule compares with its thresholds."""

import math
from collections.abc import Callable, Mapping
from statistics import median
from types import MappingProxyType
from typing import Final

import numpy as np

from features.trend import trend
from rules.state import PartState
from rules.threshold_rule import Measure, Rule

BASELINE: Final = 5
"""So many first observations of a car say what is usual for it (engineering estimate)."""
TREND_OBSERVATIONS: Final = 5
"""Fewer prove no trend: the chance that noise runs one way through four is one in twelve."""
MICROSECONDS_A_DAY: Final = 86_400_000_000

_NO_VALUE: Final = math.nan


def measure(rule: Rule, part: PartState) -> float:
    """The measured value at the latest observation, NaN while there is too little to tell."""
    return _MEASURES[rule.measure](rule, part)


def _value(_rule: Rule, part: PartState) -> float:
    return part.recent[-1][1]


def _slope(_rule: Rule, part: PartState) -> float:
    if len(part.recent) < TREND_OBSERVATIONS:
        return _NO_VALUE
    times, values = np.array(part.recent).T
    line = trend(times / MICROSECONDS_A_DAY, values)
    return _NO_VALUE if line is None else line.proven


def _change(_rule: Rule, part: PartState) -> float:
    if len(part.first) < BASELINE:
        part.first.append(part.recent[-1][1])
        return _NO_VALUE
    usual = median(part.first)
    return (part.recent[-1][1] / usual - 1.0) * 100.0 if usual else _NO_VALUE


_MEASURES: Final[Mapping[Measure, Callable[[Rule, PartState], float]]] = MappingProxyType(
    {Measure.VALUE: _value, Measure.SLOPE: _slope, Measure.CHANGE: _change}
)
