"""The failure modes as the simulator knows them, read from `fault_modes.toml`, which says what every field means.

Errors:
    FaultModeError: the file cannot be used; the message lists every mistake by mode and field, one per line.
"""

import tomllib
from collections import Counter
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Final

import msgspec

from tickets.ticket import Channel
from vehicle.failure import COMBUSTION, FailureMode

FILE: Final = Path(__file__).with_name("fault_modes.toml")

_Share = Annotated[float, msgspec.Meta(ge=0.0, le=1.0)]
_Positive = Annotated[float, msgspec.Meta(gt=0.0)]
_Count = Annotated[int, msgspec.Meta(ge=0)]


class FaultModeError(Exception):
    """The file of failure modes has mistakes; the message lists them all."""


class LikeParts(StrEnum):
    """Of which like parts a fault strikes one."""

    NONE = "none"
    WHEEL = "wheel"
    CELL_GROUP = "cell_group"
    AXLE = "axle"
    """Of those that have a motor."""
    PHASE = "phase"
    """Of the alternating current."""
    MODULE = "module"
    """Of the traction battery."""


class Intermittent(StrEnum):
    """What an intermittent fault needs to show."""

    NONE = "none"
    """Nothing: it is always there."""
    WET = "wet"
    COLD = "cold"
    BUMPS = "bumps"


class FaultMode(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How one failure mode comes, grows, shows and is repaired."""

    number: Annotated[int, msgspec.Meta(ge=1)]
    key: _Count
    simulated: bool
    duration_days: _Positive
    scatter: _Share
    exponent: _Positive
    like_parts: LikeParts
    intermittent: Intermittent
    strands: bool
    incidence: _Positive
    """Per 1,000 car-years."""
    channels: Annotated[tuple[Channel, ...], msgspec.Meta(min_length=1)]
    parts: tuple[str, ...]
    silences: bool = False


def read_fault_modes(path: Path) -> Mapping[FailureMode, FaultMode]:
    """Read a file of failure modes; each of an electric car must be in it once, under a number and a key of its own.

    Raises:
        FaultModeError: with one line per mistake.
    """
    try:
        tables: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise FaultModeError(f"{path}: {error}") from None
    known = set(FailureMode)
    mistakes = [f"{name}: there is no such failure mode" for name in tables if name not in known]
    modes: dict[FailureMode, FaultMode] = {}
    for mode in FailureMode:
        try:
            modes[mode] = msgspec.convert(tables[mode], FaultMode)
        except KeyError:
            if mode not in COMBUSTION:
                mistakes.append(f"{mode}: is missing")
        except msgspec.ValidationError as error:
            mistakes.append(f"{mode}: {error}")
    for name in ("number", "key"):
        counted = Counter(getattr(one, name) for one in modes.values())
        mistakes += [
            f"{mode}: {name} {getattr(one, name)} is another mode's too"
            for mode, one in modes.items()
            if counted[getattr(one, name)] > 1
        ]
    mistakes += [
        f"{mode}: silences: only a car that strands falls silent"
        for mode, one in modes.items()
        if one.silences and not one.strands
    ]
    if mistakes:
        raise FaultModeError("\n".join(f"{path.name}: {mistake}" for mistake in mistakes))
    return modes


FAULT_MODES: Final = read_fault_modes(FILE)
SIMULATED: Final = tuple(mode for mode, one in FAULT_MODES.items() if one.simulated)
"""The modes that can be built in."""
STORY: Final = (
    FailureMode.LV_BATTERY_AGEING,
    FailureMode.TYRE_SLOW_LEAK,
    FailureMode.WEAK_CELL_GROUP,
    FailureMode.COOLANT_PUMP_WEAK,
    FailureMode.CHARGE_INLET_OVERHEATING,
    FailureMode.HV_ISOLATION_LOSS,
)
"""The modes that the demo tells of: a fleet of which no faults are ordered has each once, drawn in this order."""
