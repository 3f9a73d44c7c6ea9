"""Faults injected into recordings: the smallest of each that is found, by bisection over its size.

What is injected is what a sensor would show of the fault, at the sensor's resolution, and nothing else.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from flows.judging import Detector
from flows.one_car import Samples, judge_history
from rules.detector import RuleDetector
from vehicle.failure import FailureMode, Occasion
from vehicle.finding import Finding
from vehicle.signals import CATALOGUE

WARM_C: Final = 70.0
"""What is wrong with an engine's cooling shows once it is warm."""
RUNNING_RPM: Final = 400.0
PAUSE: Final = np.timedelta64(1, "h")
"""Samples further apart belong to different drives."""

Values = NDArray[np.float64]
Change = Callable[[Samples, float], dict[str, Values]]
"""The columns that a fault of a size changes."""
When = Callable[[Samples], NDArray[np.bool_]]
"""The samples from which a fault is there."""


@dataclass(frozen=True, slots=True)
class InjectedFault:
    """One fault that can be given any size."""

    title: str
    mode: FailureMode
    signal: str
    """A car must have it."""
    unit: str
    step: float
    steps: int
    """The greatest size is so many steps."""
    change: Change

    def suits(self, samples: Samples) -> bool:
        """Whether a car tells what the fault changes."""
        return self.signal in samples.columns and bool(np.isfinite(samples.columns[self.signal]).any())


@dataclass(frozen=True, slots=True)
class Found:
    """The smallest size at which an injected fault is found."""

    car: str
    title: str
    unit: str
    size: float | None
    """None: not even the greatest is."""
    greatest: float
    detectors: tuple[str, ...] = ()
    at: str = ""
    summary: str = ""

    def row(self) -> dict[str, Any]:
        """As a table shows it."""
        return {
            "car": self.car,
            "fault": self.title,
            "smallest": self.size,
            "unit": self.unit,
            "tried_up_to": self.greatest,
            "found_by": ", ".join(self.detectors),
            "at": self.at,
            "summary": self.summary,
        }


def smallest(car: str, fault: InjectedFault, samples: Samples, detectors: Sequence[Detector]) -> Found:
    """The smallest size, to a step, at which a detector of the mode finds it: if found once, then in all greater."""
    own = [one for one in detectors if mode_of(one) is fault.mode]
    low, high = 0, fault.steps
    best = _found(fault, samples, high * fault.step, own)
    while best and high - low > 1:
        middle = (low + high) // 2
        told = _found(fault, samples, middle * fault.step, own)
        low, high, best = (low, middle, told) if told else (middle, high, best)
    greatest = round(fault.steps * fault.step, 3)
    if not best:
        return Found(car, fault.title, fault.unit, None, greatest)
    names = tuple(dict.fromkeys(one.detector for one in best))
    first = min(best, key=lambda one: one.observed_at)
    size = round(high * fault.step, 3)
    return Found(
        car, fault.title, fault.unit, size, greatest, names, first.observed_at.isoformat(), first.evidence.summary
    )


def mode_of(detector: Detector) -> Occasion:
    """What a detector finds; the models so far find weak cell groups."""
    return detector.rule.failure_mode if isinstance(detector, RuleDetector) else FailureMode.WEAK_CELL_GROUP


def _found(fault: InjectedFault, samples: Samples, size: float, detectors: Sequence[Detector]) -> list[Finding]:
    """What tells of the fault of a size."""
    changed = {name: CATALOGUE[name].quantised(values) for name, values in fault.change(samples, size).items()}
    columns: Mapping[str, Values] = {**samples.columns, **changed}
    struck = Samples(samples.vehicle, samples.times, columns, samples.events)
    return [one for one in judge_history(struck, detectors).findings if not one.cleared]


def _second_half(samples: Samples) -> NDArray[np.bool_]:
    """From the drive on that begins next after half of the samples."""
    starts = _starts(samples)
    later = starts[starts >= len(samples.times) // 2]
    return np.arange(len(samples.times)) >= (later[0] if len(later) else len(samples.times) // 2)


def _within_a_drive(samples: Samples) -> NDArray[np.bool_]:
    """The second half of the longest drive."""
    starts = np.append(_starts(samples), len(samples.times))
    longest = int(np.argmax(np.diff(starts)))
    first, last = int(starts[longest]), int(starts[longest + 1])
    rows = np.arange(len(samples.times))
    return (rows >= (first + last) // 2) & (rows < last)


def _starts(samples: Samples) -> NDArray[np.intp]:
    return np.concatenate(([0], np.flatnonzero(np.diff(samples.times) > PAUSE) + 1)).astype(np.intp)


def _coolant(
    when: Callable[[Samples], NDArray[np.bool_]], sign: float, samples: Samples, size: float
) -> dict[str, Values]:
    values = samples.columns["engine_coolant_temp_c"]
    return {"engine_coolant_temp_c": np.where(when(samples) & (values >= WARM_C), values + sign * size, values)}


def _voltage(
    when: Callable[[Samples], NDArray[np.bool_]], sign: float, samples: Samples, size: float
) -> dict[str, Values]:
    values = samples.columns["lv_voltage_v"]
    running = samples.columns["engine_speed_rpm"] > RUNNING_RPM
    return {"lv_voltage_v": np.where(when(samples) & running, np.maximum(values + sign * size, 0.0), values)}


def _drift(place: float, samples: Samples, size: float) -> dict[str, Values]:
    """One group falls behind steadily from the first sample to the last, by so many mV in the end."""
    cells = samples.columns["cell_voltages_v"].copy()
    span = samples.times[-1] - samples.times[0]
    share = (samples.times - samples.times[0]) / span if span > np.timedelta64(0) else np.ones(len(cells))
    cells[:, round(place * (cells.shape[1] - 1))] -= size / 1000.0 * share
    return {"cell_voltages_v": cells}


FAULTS: Final = (
    InjectedFault(
        "coolant warmer from half of the drives on", FailureMode.ENGINE_OVERHEATING,
        "engine_coolant_temp_c", "K", 1.0, 60, partial(_coolant, _second_half, 1.0),
    ),
    InjectedFault(
        "coolant warmer in half of one drive", FailureMode.ENGINE_OVERHEATING,
        "engine_coolant_temp_c", "K", 1.0, 60, partial(_coolant, _within_a_drive, 1.0),
    ),
    InjectedFault(
        "coolant cooler from half of the drives on", FailureMode.ENGINE_THERMOSTAT_OPEN,
        "engine_coolant_temp_c", "K", 1.0, 60, partial(_coolant, _second_half, -1.0),
    ),
    InjectedFault(
        "voltage of the running car lower from half of the drives on", FailureMode.ALTERNATOR_FAULT,
        "lv_voltage_v", "V", 0.1, 40, partial(_voltage, _second_half, -1.0),
    ),
    InjectedFault(
        "voltage of the running car lower in half of one drive", FailureMode.ALTERNATOR_FAULT,
        "lv_voltage_v", "V", 0.1, 40, partial(_voltage, _within_a_drive, -1.0),
    ),
    InjectedFault(
        "voltage of the running car higher from half of the drives on", FailureMode.ALTERNATOR_FAULT,
        "lv_voltage_v", "V", 0.1, 40, partial(_voltage, _second_half, 1.0),
    ),
    *(
        InjectedFault(
            f"drift of one cell group to the end, the {which}", FailureMode.WEAK_CELL_GROUP,
            "cell_voltages_v", "mV", 1.0, 60, partial(_drift, place),
        )
        for which, place in (("first", 0.0), ("middle one", 0.5), ("last", 1.0))
    ),
)  # fmt: skip
"""Every fault that is tried."""
