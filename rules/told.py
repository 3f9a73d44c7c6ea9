"""What a car has told, as the engine reads it: signals and trouble codes as panels beside the features'."""

from collections.abc import Iterable, Mapping
from datetime import datetime

import numpy as np
import pandas as pd

from features.panel import Panel
from features.stays import EVERYTHING, Stay
from features.window import Array, times_of
from rules.engine.columns import WORKSHOP, visit_of
from vehicle.batch import Event
from vehicle.moment import instants, microseconds
from vehicle.signals import CATALOGUE, SignalKind


def told(frame: pd.DataFrame, arrays: Mapping[str, Array], events: Iterable[Event]) -> dict[str, Panel]:
    """Panels by the names of signals and trouble codes.

    Args:
        frame: scalar signals by time (UTC, increasing); NaN: not sampled.
        arrays: signals that are arrays.
        events: in the order of their times; those that tell of a trouble code count.
    """
    times = times_of(frame)
    panels = {}
    if times is not None:
        for name in frame.columns:
            values = CATALOGUE[name].quantised(frame[name].to_numpy(dtype=np.float64, na_value=np.nan))
            panels[name] = Panel(times, values[:, None])
    for name, (at, values) in arrays.items():
        locations = tuple(str(number) for number in range(1, values.shape[1] + 1))
        panels[name] = Panel(at, CATALOGUE[name].quantised(values), locations)
    return panels | codes(events)


def seen_to(stays: Iterable[Stay], end: datetime) -> dict[str, Panel]:
    """When workshops have given a car back before a time, by what they had seen to: as the engine reads it."""
    times: dict[str, set[datetime]] = {}
    for stay in stays:
        if stay.end < end:
            for component in stay.seen_to:
                name = WORKSHOP if component == EVERYTHING else visit_of(component)
                times.setdefault(name, set()).add(stay.end)
    return {name: Panel(instants(sorted(ats)), np.ones((len(ats), 1))) for name, ats in times.items()}


def is_scalar(name: str) -> bool:
    """Whether a signal has one value a sample."""
    return CATALOGUE[name].kind is not SignalKind.ARRAY


def codes(events: Iterable[Event]) -> dict[str, Panel]:
    """The status byte of each code whenever it was told; of two at one time the later."""
    by_code: dict[str, dict[int, int]] = {}
    for event in events:
        if event.trouble_code is not None:
            by_code.setdefault(event.trouble_code.code, {})[microseconds(event.at)] = int(event.trouble_code.status)
    return {
        code: Panel(
            np.array([*statuses], np.int64).view("datetime64[us]"),
            np.array([*statuses.values()], np.float64)[:, None],
        )
        for code, statuses in by_code.items()
    }
