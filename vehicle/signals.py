"""The signal catalogue: unit, sign, range and foreign names of every signal, from ``signals.toml``."""

import hashlib
import math
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from enum import StrEnum
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final, TypeVar

import msgspec
import numpy as np
from numpy.typing import ArrayLike, NDArray

_FILE: Final = Path(__file__).with_name("signals.toml")
_NAME: Final = re.compile(r"[a-z][a-z0-9_]*", re.ASCII)
_INT16: Final = 2**15
_FLOAT32_STEPS: Final = 2**23
"""A `real` keeps this many steps of a resolution apart on either side of zero, with room for rounding."""


class CatalogueError(Exception):
    """The catalogue's file is broken; the message names every mistake, one per line."""


class SignalKind(StrEnum):
    """What a signal's values are."""

    NUMBER = "number"
    INTEGER = "integer"
    BOOLEAN = "boolean"
    ENUMERATION = "enumeration"
    """Strings on the wire, the index into `Signal.values` in batches and in the database."""
    ARRAY = "array"
    """Numbers of like parts, e.g. one per cell group; all of one length per vehicle."""


@dataclass(frozen=True, slots=True)
class Signal:
    """One catalogue entry; foreign value times factor gives ours."""

    name: str
    title: str
    vss: str
    """Full VSS 6.0 path; with `overlay` one of our own, because VSS has none."""
    kind: SignalKind = SignalKind.NUMBER
    unit: str = ""
    minimum: float = 0
    """Least value the sensor can show, itself included; less is rejected."""
    maximum: float = 1
    """Greatest value the sensor can show, itself included; more is rejected."""
    resolution: float = 1
    """The step of the sensor, one over a whole number; values that agree at it are the same."""
    overlay: bool = False
    vss_factor: float = 1
    tesla: str | None = None
    """Field of Tesla's fleet-telemetry."""
    tesla_factor: float = 1
    ovms: str | None = None
    """Metric of OVMS v3, with its index where the metric is a list."""
    ovms_factor: float = 1
    sign: str = ""
    """What a positive value means, where that is not obvious."""
    values: tuple[str, ...] = ()
    """An enumeration's values as they stand on the wire."""

    @property
    def column_type(self) -> str:
        """The PostgreSQL type that holds every value of the range without losing a step of the resolution."""
        greatest = max(abs(self.minimum), abs(self.maximum))
        match self.kind:
            case SignalKind.BOOLEAN:
                return "boolean"
            case SignalKind.ENUMERATION:
                return "smallint"
            case SignalKind.INTEGER:
                return "smallint" if greatest < _INT16 else "integer"
            case SignalKind.ARRAY:
                return "real[]"
            case SignalKind.NUMBER:
                return "real" if greatest / self.resolution < _FLOAT32_STEPS else "double precision"

    def quantised(self, values: ArrayLike) -> NDArray[np.float64]:
        """The values as the sensor shows them: float64 of the same shape, rounded to the resolution."""
        steps = round(1 / self.resolution)
        return np.round(np.asarray(values, dtype=np.float64) * steps) / steps


@dataclass(frozen=True, slots=True)
class Attribute:
    """A text about a vehicle that is told once instead of being sampled."""

    name: str
    title: str
    told_in: str
    """The message or table that carries it."""
    vss: str
    overlay: bool = False
    tesla: str | None = None
    ovms: str | None = None


@dataclass(frozen=True, slots=True)
class Catalogue:
    """What ``signals.toml`` holds."""

    signals: Mapping[str, Signal]
    attributes: Mapping[str, Attribute]
    version: str
    """Short hash of the file: two parties with the same version mean the same by a name."""


def load_catalogue(path: Path) -> Catalogue:
    """Read and check a catalogue file.

    Raises:
        CatalogueError: with one line per mistake.
    """
    content = path.read_bytes()
    try:
        tables = tomllib.loads(content.decode())
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise CatalogueError(f"{path.name}: {error}") from None
    mistakes: list[str] = []
    signals = _entries(tables.get("signal", {}), Signal, mistakes)
    attributes = _entries(tables.get("attribute", {}), Attribute, mistakes)
    for signal in signals.values():
        if signal.kind is SignalKind.ENUMERATION:
            signals[signal.name] = replace(signal, maximum=len(signal.values) - 1)
        mistakes += [f"signal {signal.name}: {mistake}" for mistake in _contradictions(signal)]
    mistakes += _shared_names(signals)
    if mistakes:
        raise CatalogueError("\n".join(f"{path.name}: {mistake}" for mistake in mistakes))
    version = hashlib.sha256(content).hexdigest()[:12]
    return Catalogue(MappingProxyType(signals), MappingProxyType(attributes), version)


_Entry = TypeVar("_Entry", Signal, Attribute)


def _entries(tables: Any, kind: type[_Entry], mistakes: list[str]) -> dict[str, _Entry]:
    entries = {}
    known = {field.name for field in fields(kind)} - {"name"}
    label = kind.__name__.lower()
    for name, table in tables.items():
        unknown = set(table) - known
        if unknown:
            mistakes.append(f"{label} {name}: unknown {', '.join(sorted(unknown))}")
        try:
            entries[name] = msgspec.convert({"name": name, **table}, kind)
        except msgspec.ValidationError as error:
            mistakes.append(f"{label} {name}: {error}")
    return entries


def _contradictions(signal: Signal) -> list[str]:
    mistakes = []
    if not _NAME.fullmatch(signal.name):
        mistakes.append("the name is not lower-case letters, digits and _")
    if not signal.minimum < signal.maximum:
        mistakes.append("minimum is not below maximum")
    if signal.resolution <= 0 or not math.isclose(1 / signal.resolution, round(1 / signal.resolution)):
        mistakes.append("1 / resolution is not a whole number")
    if 0 in (signal.vss_factor, signal.tesla_factor, signal.ovms_factor):
        mistakes.append("a factor is 0")
    if (signal.kind is SignalKind.ENUMERATION) != bool(signal.values):
        mistakes.append("values belong to an enumeration, and to nothing else")
    if len(set(signal.values)) < len(signal.values):
        mistakes.append("a value stands twice")
    if not signal.vss.startswith("Vehicle."):
        mistakes.append("the VSS path does not start at Vehicle")
    return mistakes


def _shared_names(signals: Mapping[str, Signal]) -> list[str]:
    mistakes = []
    for standard in ("vss", "tesla", "ovms"):
        names = [getattr(signal, standard) for signal in signals.values()]
        twice = sorted({name for name in names if name and names.count(name) > 1})
        mistakes += [f"{standard} name {name} belongs to two signals" for name in twice]
    return mistakes


_LOADED: Final = load_catalogue(_FILE)
CATALOGUE: Final = _LOADED.signals
"""Every sampled signal by its name, in the order of the file."""
ATTRIBUTES: Final = _LOADED.attributes
"""Every text that is told instead of sampled, by its name."""
CATALOGUE_VERSION: Final = _LOADED.version
"""What a car names in its hello, so that both sides mean the same by a signal's name."""
