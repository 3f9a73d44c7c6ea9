"""Reads test cases of rules: series as people write them, and the findings that are expected of them.

A file names a rule and its cases. A case has samples every so often from a midnight on; of each signal or feature its
values in a row, of one with like parts a row for each. A row is a text like ``12.6x4 12.5-0.1x3 _ 12.2``: a value so
many times, a value that changes by a step each time, unknown, a value. Named values stand by their names, truths as
``true`` and ``false``; the row of a trouble code holds its status bytes.

Errors: `CaseError`, whose message has one line per mistake.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import msgspec
import numpy as np
import yaml

from config.settings import CHECKOUT
from features.panel import WHOLE, Panel
from features.table import FEATURES
from rules.literals import LiteralError, span
from vehicle.moment import instant
from vehicle.signals import CATALOGUE, SignalKind
from vehicle.vehicle import VehicleRecord

CASES: Final = CHECKOUT / "tests" / "rules" / "cases"
"""The folder of the shipped rules' cases."""
START: Final = datetime(2026, 3, 2, tzinfo=UTC)

_ITEM: Final = re.compile(r"(?P<value>-?[0-9.]+|[A-Za-z_]+)(?P<step>[+-][0-9.]+)?(x(?P<times>[0-9]+))?", re.ASCII)


class CaseError(Exception):
    """Files of cases are broken; the message names every mistake."""


class Expected(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One finding."""

    at: str
    """Since the first sample: ``36 h``."""
    severity: str
    """Empty: of an end."""
    locations: tuple[str, ...] = ()


class Case(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One case as it is written."""

    name: str
    series: dict[str, str | dict[str, str]]
    expect: tuple[Expected, ...] = ()
    every: str = "1 d"
    vehicle: dict[str, Any] = {}


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    rule: str
    cases: tuple[Case, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Trial:
    """One case, ready to be run."""

    rule_id: str
    name: str
    vehicle: VehicleRecord
    panels: Mapping[str, Panel]
    expected: tuple[tuple[timedelta, str, tuple[str, ...]], ...]
    """Since the first sample, the severity (empty: the end), the parts."""


def read_cases(path: Path) -> tuple[Trial, ...]:
    """The cases of a file, or of all ``*.yaml`` of a folder.

    Raises:
        CaseError: with every mistake.
    """
    mistakes: list[str] = []
    trials: list[Trial] = []
    paths = sorted(path.glob("*.yaml")) if path.is_dir() else [path]
    for one in paths:
        for file in _files(one, mistakes):
            for case in file.cases:
                try:
                    trials.append(_trial(file.rule, case))
                except (ValueError, msgspec.ValidationError, LiteralError) as error:
                    mistakes.append(f"{one.name}, {file.rule}, {case.name}: {error}")
    if not paths:
        mistakes.append(f"{path}: there is no file of cases (*.yaml) here")
    if mistakes:
        raise CaseError("\n".join(mistakes))
    return tuple(trials)


def _files(path: Path, mistakes: list[str]) -> Sequence[_File]:
    """A file's documents, one for each rule."""
    try:
        text = path.read_text(encoding="utf-8")
        documents = [*yaml.load_all(text, Loader=yaml.BaseLoader)]
        return [msgspec.convert(document, _File) for document in documents]
    except (OSError, UnicodeDecodeError, yaml.YAMLError, msgspec.ValidationError) as error:
        mistakes.append(f"{path.name}: {error}")
        return []


def _trial(rule_id: str, case: Case) -> Trial:
    facts = {"vehicle_id": "car", "registered_at": START, **case.vehicle}
    expected = tuple((span(one.at), one.severity, one.locations) for one in case.expect)
    vehicle = msgspec.convert(facts, VehicleRecord, strict=False)
    return Trial(rule_id, case.name, vehicle, _panels(case.series, span(case.every)), expected)


def _panels(series: Mapping[str, str | dict[str, str]], every: timedelta) -> dict[str, Panel]:
    rows = {
        name: {part: _row(name, text) for part, text in ({"": row} if isinstance(row, str) else row).items()}
        for name, row in series.items()
    }
    length = max((len(row) for parts in rows.values() for row in parts.values()), default=0)
    times = instant(START) + np.arange(length) * np.timedelta64(every)
    panels = {}
    for name, parts in rows.items():
        values = np.full((length, len(parts)), np.nan)
        for place, row in enumerate(parts.values()):
            values[: len(row), place] = row
        locations = tuple(map(str, parts)) if set(parts) != {""} else WHOLE
        is_code = name not in CATALOGUE and name not in FEATURES
        known = np.isfinite(values).any(axis=1) if is_code else np.ones(length, bool)
        panels[name] = Panel(times[known], values[known], locations)
    return panels


def _row(name: str, text: str) -> list[float]:
    values: list[float] = []
    for item in text.split():
        match = _ITEM.fullmatch(item)
        if match is None:
            raise ValueError(f"{name}: {item} is neither a value nor a row of them (12.6x4, 12.5-0.1x3, _)")
        first, step = _value(name, match["value"]), float(match["step"] or 0.0)
        values += [round(first + number * step, 9) for number in range(int(match["times"] or 1))]
    return values


def _value(name: str, text: str) -> float:
    signal = CATALOGUE.get(name)
    if text == "_":
        return np.nan
    if signal and signal.kind is SignalKind.ENUMERATION and text in signal.values:
        return float(signal.values.index(text))
    if text in {"true", "false"}:
        return float(text == "true")
    try:
        return float(text)
    except ValueError:
        raise ValueError(f"{name}: {text} is no value of it") from None
