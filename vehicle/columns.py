"""One signal's values on the wire: lists of JSON or MessagePack values to arrays and back, typed by the catalogue."""

import json
import math
from collections.abc import Iterable, Mapping
from typing import Any, Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from vehicle.column_block import ColumnBlock
from vehicle.rejection import Rejection, RejectionReason
from vehicle.signals import CATALOGUE, Signal, SignalKind

WIRE_TYPES: Final[Mapping[SignalKind, Any]] = {
    SignalKind.NUMBER: list[float | None],
    SignalKind.INTEGER: list[int | None],
    SignalKind.BOOLEAN: list[bool | None],
    SignalKind.ENUMERATION: list[str | None],
    SignalKind.ARRAY: list[list[float | None] | None],
}
"""What a column of each kind is on the wire."""


class ColumnError(Exception):
    """A column cannot be read; carries the rejection that the decoder returns."""

    def __init__(self, reason: RejectionReason, detail: str) -> None:
        super().__init__(detail)
        self.rejection = Rejection(reason, detail)


_DECODERS: dict[tuple[Any, SignalKind], Any] = {
    (kind, signal_kind): kind.Decoder(wire_type)
    for kind in (msgspec.json, msgspec.msgpack)
    for signal_kind, wire_type in WIRE_TYPES.items()
}


UNKNOWN_VALUE: Final = -1.0
"""Index of a value that its enumeration has not: out of range, so that validation refuses it alone."""
_ARRAYS: Final = frozenset(signal.name for signal in CATALOGUE.values() if signal.kind is SignalKind.ARRAY)
_INDICES: Final[Mapping[str, Mapping[str | None, float | None]]] = {
    signal.name: {None: None} | {value: float(index) for index, value in enumerate(signal.values)}
    for signal in CATALOGUE.values()
    if signal.kind is SignalKind.ENUMERATION
}


def read_column(raw: msgspec.Raw, signal: Signal, length: int, kind: Any) -> NDArray[np.float64]:
    """The values of one signal, float64 of shape (length,) or (length, k).

    Raises:
        ColumnError: if the type or the number of values is not the signal's.
    """
    try:
        values = _DECODERS[kind, signal.kind].decode(raw)
    except (msgspec.DecodeError, ValueError) as error:
        too_large = kind is msgspec.json and "out of range" in str(error)
        values = _beyond_float64(raw, signal) if too_large else None
        if values is None:
            raise ColumnError(RejectionReason.WRONG_TYPE, f"{signal.name}: {error}") from None
    if len(values) != length:
        raise _unequal(signal.name)
    if signal.kind is SignalKind.ARRAY:
        return _matrix(values, signal.name)
    return _numbers(_indices(values, signal.name) if signal.kind is SignalKind.ENUMERATION else values)


def read_columns(columns: Iterable[list[Any] | msgspec.UnsetType], length: int) -> ColumnBlock:
    """The values of one batch, as of `read_column`, from lists whose types are right.

    Args:
        columns: One for each signal of the catalogue, in its order; UNSET: not in the batch.
        length: How many times the batch has.

    Raises:
        ColumnError: if a list has not one value a time, or one that its signal has not.
    """
    arrays: dict[str, NDArray[np.float64]] = {}
    scalars: list[Any] = []
    names: list[str] = []
    for name, values in zip(CATALOGUE, columns, strict=True):
        if values is msgspec.UNSET:
            continue
        if len(values) != length:
            raise _unequal(name)
        if name in _ARRAYS:
            arrays[name] = _matrix(values, name)
        else:
            names.append(name)
            scalars += _indices(values, name) if name in _INDICES else values
    return ColumnBlock(tuple(names), _numbers(scalars).reshape(len(names), length), arrays)


def _beyond_float64(raw: msgspec.Raw, signal: Signal) -> list[Any] | None:
    """The values of a JSON list with numbers too large for msgspec, these as infinity; None: not a right list."""
    whole = signal.kind is SignalKind.INTEGER
    try:
        numbers = json.loads(bytes(raw), parse_int=float)
        values: list[Any] = msgspec.convert(numbers, WIRE_TYPES[SignalKind.NUMBER if whole else signal.kind])
    except (ValueError, RecursionError):
        return None
    if whole and any(value is not None and math.isfinite(value) and not value.is_integer() for value in values):
        return None
    return values


def _unequal(name: str) -> ColumnError:
    return ColumnError(RejectionReason.UNEQUAL_COLUMNS, f"{name}: not one value a time")


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
    count = np.count_nonzero(missing)
    if count and count != values.count(None):
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


def _indices(values: list[str | None], name: str) -> list[float | None]:
    known = _INDICES[name]
    return [known.get(value, UNKNOWN_VALUE) for value in values]


def _matrix(values: list[list[float | None] | None], name: str) -> NDArray[np.float64]:
    widths = {len(row) for row in values if row is not None}
    if len(widths) > 1:
        raise ColumnError(RejectionReason.UNEQUAL_COLUMNS, f"{name}: rows of different length")
    width = widths.pop() if widths else 0
    rows = [[None] * width if row is None else row for row in values]
    flat = [value for row in rows for value in row]
    return _numbers(flat).reshape(len(values), width)
