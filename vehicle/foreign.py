"""What cars say that speak a maker's protocol instead of ours; `vehicle.tesla` and `vehicle.ovms` read it.

Their senders give no sequence numbers and hardly any times. A message holds one field or one event, so it is
small: values by our names, in our units and signs, or what else is worth keeping.
"""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Final, NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from vehicle.batch import Event, EventKind
from vehicle.identity import without_vins
from vehicle.rejection import Rejection, RejectionReason
from vehicle.signals import Signal, SignalKind
from vehicle.software import FIRMWARE, LONGEST, version_in

_NUMBER: Final = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]{1,5})?", re.ASCII)
_NOT_FINITE: Final = frozenset({"nan", "inf", "infinity"})
_NUL: Final = b"\\u0000"
"""How JSON writes the one character that the database cannot hold."""


class ForeignProtocol(StrEnum):
    """Whose protocol it is."""

    TESLA = "tesla"
    """fleet-telemetry's MQTT output; a car is known by its VIN."""
    OVMS = "ovms"
    """Open Vehicle Monitoring System, version 3; a car is known by ``<user>/<vehicleid>``."""


class ForeignName(NamedTuple):
    """Who has sent a message, in the sender's own words, which may identify a person."""

    protocol: ForeignProtocol
    name: str


@dataclass(frozen=True, slots=True, eq=False)
class ForeignMessage:
    """What one message says; nothing at all where it tells nothing that is kept."""

    values: Mapping[str, float | NDArray[np.float64]] = field(default_factory=dict)
    """Per catalogue signal its value, an enumeration's index, a boolean's 0 or 1, or float64 of shape (k,)."""
    extra: Mapping[str, Any] = field(default_factory=dict)
    """Per name that the catalogue lacks its JSON value, under the sender's name."""
    events: tuple[Event, ...] = ()


NOTHING: Final = ForeignMessage()
"""Not sampled, private, or of no use."""


class UnusableError(Exception):
    """A message cannot be taken; carries the rejection that the decoder returns."""

    def __init__(self, reason: RejectionReason, detail: str) -> None:
        super().__init__(detail)
        self.rejection = Rejection(reason, detail)


def number(text: str) -> float:
    """The number that a text shows, in the one form that both protocols write: no spaces, no underscores.

    Raises:
        UnusableError: if it shows none, or none that is finite.
    """
    if _NUMBER.fullmatch(text):
        return finite(float(text))
    if text.lower().lstrip("+-") in _NOT_FINITE:
        raise UnusableError(RejectionReason.NON_FINITE, "not a finite number")
    raise UnusableError(RejectionReason.WRONG_TYPE, "not a number")


def finite(value: float) -> float:
    """The number as a float.

    Raises:
        UnusableError: if it is not finite.
    """
    try:
        converted = float(value)
    except OverflowError:
        converted = math.inf
    if not math.isfinite(converted):
        raise UnusableError(RejectionReason.NON_FINITE, "not a finite number")
    return converted


def measured(signal: Signal, value: float, factor: float) -> float:
    """A foreign value as ours, in our unit and sign.

    Raises:
        UnusableError: if the sensor cannot show it.
    """
    ours = value * factor
    if signal.kind is SignalKind.INTEGER and not ours.is_integer():
        raise UnusableError(RejectionReason.WRONG_TYPE, f"{signal.name}: not a whole number")
    if not signal.minimum <= ours <= signal.maximum:
        raise UnusableError(
            RejectionReason.OUT_OF_RANGE, f"{signal.name}, which shows {signal.minimum:g} to {signal.maximum:g}"
        )
    return ours


def index(signal: Signal, word: str) -> float:
    """The place of a word among an enumeration's values.

    Raises:
        UnusableError: if it is none of them.
    """
    try:
        return float(signal.values.index(word))
    except ValueError:
        raise UnusableError(RejectionReason.OUT_OF_RANGE, f"{signal.name}: not one of its values") from None


def software_event(value: Any, received_at: datetime) -> Event:
    """The event that says which software the sender runs.

    Raises:
        UnusableError: if that is no name of a version.
    """
    details = plain({FIRMWARE: value})
    if version_in(details) is None:
        raise UnusableError(RejectionReason.WRONG_TYPE, f"{FIRMWARE}: not a text of 1 to {LONGEST} characters")
    return Event(received_at, EventKind.SOFTWARE, None, details, time_received=True)


def plain(value: Any) -> Any:
    """A JSON value without VINs in it, as the database can hold it.

    Raises:
        UnusableError: if the database cannot.
    """
    try:
        text = msgspec.json.encode(value)
        masked = _masked(value)
    except (msgspec.MsgspecError, TypeError, ValueError, OverflowError, RecursionError):
        raise UnusableError(RejectionReason.UNREADABLE, "not a value that JSON can hold") from None
    if _NUL in text:
        raise UnusableError(RejectionReason.UNREADABLE, "a text with the character NUL")
    return masked


def _masked(value: Any) -> Any:
    match value:
        case str():
            return without_vins(value)
        case list():
            return [_masked(each) for each in value]
        case dict():
            return {without_vins(name): _masked(each) for name, each in value.items()}
    return value
