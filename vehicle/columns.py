"""One signal's values on the wire: lists of JSON or MessagePack values to arrays and back, typed by the catalogue."""

from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from vehicle.rejection import Rejection, RejectionReason
from vehicle.signals import Signal, SignalKind

_WIRE_TYPES: dict[SignalKind, Any] = {
    SignalKind.NUMBER: list[float | None],
    SignalKind.INTEGER: list[int | None],
    SignalKind.BOOLEAN: list[bool | None],
    SignalKind.ENUMERATION: list[str | None],
    SignalKind.ARRAY: list[list[float | None] | None],
}


class ColumnError(Exception):
    """A column cannot be read; carries the rejection that the decoder returns."""

    def __init__(self, reason: RejectionReason, detail: str) -> None:
        super().__init__(detail)
        self.rejection = Rejection(reason, detail)


_DECODERS: dict[tuple[Any, SignalKind], Any] = {
    (kind, signal_kind): kind.Decoder(wire_type)
    for kind in (msgspec.json, msgspec.msgpack)
    for signal_kind, wire_type in _WIRE_TYPES.items()
}


def read_column(raw: msgspec.Raw, signal: Signal, length: int, kind: Any) -> NDArray[np.float64]:
    """The values of one signal, float64 of shape (length,) or (length, k).

    Raises:
        ColumnError: if the type or the number of values is not the signal's.
    """
    try:
        values = _DECODERS[kind, signal.kind].decode(raw)
    except (msgspec.DecodeError, ValueError) as error:
        raise ColumnError(RejectionReason.WRONG_TYPE, f"{signal.name}: {error}") from None
    if len(values) != length:
        raise ColumnError(RejectionReason.UNEQUAL_COLUMNS, f"{signal.name}: not one value a time")
    if signal.kind is SignalKind.ENUMERATION:
        return _indices(values, signal)
    if signal.kind is SignalKind.ARRAY:
        return _matrix(values, signal)
    return _numbers(values)


def read_unknown(name: str, raw: msgspec.Raw, length: int, kind: Any) -> list[Any]:
    """The values of a signal outside the catalogue: as many JSON values as there are times.

    Raises:
        ColumnError: if it is not a list of that length.
    """
    try:
        values = kind.decode(raw)
    except (msgspec.DecodeError, ValueError, RecursionError) as error:
        raise ColumnError(RejectionReason.UNREADABLE, f"{name!a}: {error}") from None
    if not isinstance(values, list) or len(values) != length:
        raise ColumnError(RejectionReason.UNEQUAL_COLUMNS, f"{name!a}: not one value a time")
    return values


def write_column(values: NDArray[np.float64], signal: Signal) -> list[Any]:
    """The wire's list of one signal's values; NaN becomes null."""
    if signal.kind is SignalKind.ENUMERATION:
        return [None if v is None else signal.values[int(v)] for v in _nullable(values)]
    if signal.kind is SignalKind.BOOLEAN:
        return [None if v is None else bool(v) for v in _nullable(values)]
    if signal.kind is SignalKind.INTEGER:
        return [None if v is None else int(v) for v in _nullable(values)]
    if signal.kind is SignalKind.ARRAY:
        return [None if np.isnan(row).all() else _nullable(row) for row in values]
    return _nullable(values)


def _nullable(values: NDArray[np.float64]) -> list[float | None]:
    listed: list[float | None] = values.tolist()
    for index in np.flatnonzero(np.isnan(values)).tolist():
        listed[index] = None
    return listed


def _numbers(values: list[float | None]) -> NDArray[np.float64]:
    """None becomes NaN; a NaN that was sent becomes infinity, so that it is not taken for `not sampled`."""
    try:
        numbers = np.array(values, dtype=np.float64)
    except OverflowError:
        numbers = np.array([_finite_or_infinity(value) for value in values], dtype=np.float64)
    missing = np.isnan(numbers)
    if missing.any() and int(missing.sum()) != values.count(None):
        sent = np.array([value is not None for value in values])
        numbers[missing & sent] = np.inf
    return numbers


def _finite_or_infinity(value: float | None) -> float:
    if value is None:
        return np.nan
    try:
        return float(value)
    except OverflowError:
        return np.inf


def _indices(values: list[str | None], signal: Signal) -> NDArray[np.float64]:
    known = {value: float(index) for index, value in enumerate(signal.values)}
    try:
        return np.array([np.nan if value is None else known[value] for value in values], dtype=np.float64)
    except KeyError as error:
        raise ColumnError(RejectionReason.OUT_OF_RANGE, f"{signal.name}: {error} is not one of its values") from None


def _matrix(values: list[list[float | None] | None], signal: Signal) -> NDArray[np.float64]:
    widths = {len(row) for row in values if row is not None}
    if len(widths) > 1:
        raise ColumnError(RejectionReason.UNEQUAL_COLUMNS, f"{signal.name}: rows of different length")
    width = widths.pop() if widths else 0
    rows = [[None] * width if row is None else row for row in values]
    flat = [value for row in rows for value in row]
    return _numbers(flat).reshape(len(values), width)
