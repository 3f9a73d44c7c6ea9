"""From a trace of any length to the few points and strokes that a chart can show."""

from datetime import timedelta
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

from vehicle.finding import Trace

MOST_POINTS: Final = 400
"""Points per line: more than a page has pixels for."""
GAP_OF_SPAN: Final = 0.02
"""A hole longer than this share of the chart stays a hole: missing data is unknown, not a straight line."""
GAP_OF_PERIOD: Final = 4.0
"""... unless the trace is always this sparse: shorter than four of its usual periods is no hole."""


def finite(trace: Trace) -> Trace:
    """The trace in the order of time, without samples that are no number."""
    keep = np.isfinite(trace.values) & ~np.isnat(trace.times)
    times, values = trace.times[keep], trace.values[keep]
    order = np.argsort(times, kind="stable")
    return Trace(trace.label, trace.unit, times[order].astype("datetime64[us]"), values[order])


def thin(trace: Trace, most: int = MOST_POINTS) -> Trace:
    """The trace with at most `most` points: lowest and highest of every stretch, so that no peak is lost."""
    count = len(trace.values)
    if count <= most:
        return trace
    starts = np.linspace(0, count, most // 2, endpoint=False).astype(np.intp)
    stretch = np.searchsorted(starts, np.arange(count), side="right") - 1
    order = np.lexsort((trace.values, stretch))
    lowest = order[starts]
    highest = order[np.append(starts[1:], count) - 1]
    keep = np.unique(np.concatenate([lowest, highest]))
    return Trace(trace.label, trace.unit, trace.times[keep], trace.values[keep])


def strokes(times: NDArray[np.datetime64], span: timedelta) -> list[slice]:
    """The stretches without a hole, as slices into `times`; `span` is the length of the chart."""
    if len(times) == 0:
        return []
    steps_us = np.diff(times.astype("datetime64[us]")).astype(np.int64)
    usual_us = float(np.median(steps_us)) if len(steps_us) else 0.0
    limit_us = max(GAP_OF_SPAN * (span / timedelta(microseconds=1)), GAP_OF_PERIOD * usual_us)
    cuts = (np.flatnonzero(steps_us > limit_us) + 1).tolist()
    return [slice(first, last) for first, last in pairwise([0, *cuts, len(times)])]
