"""One signal's values on the wire, to arrays and back, typed by the catalogue.

A column is a list, of JSON or MessagePack; in MessagePack a column of numbers may also be packed: a byte string of
little-endian IEEE 754 numbers, binary32 or, eight bytes a time, binary64, with NaN for what was not sampled. Packed
columns are half as long and are read without a Python object per value.
"""

import json
import math
import struct
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any, Final, NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from vehicle.codec import JSON, MESSAGEPACK
from vehicle.column_block import BINARY32, BINARY64, ColumnBlock
from vehicle.rejection import Rejection, RejectionReason
from vehicle.signals import CATALOGUE, Signal, SignalKind

_LISTS: Final[Mapping[SignalKind, Any]] = {
    SignalKind.NUMBER: list[float | None],
    SignalKind.INTEGER: list[int | None],
    SignalKind.BOOLEAN: list[bool | None],
    SignalKind.ENUMERATION: list[str | None],
    SignalKind.ARRAY: list[list[float | None] | None],
}
_PACKABLE: Final = frozenset({SignalKind.NUMBER, SignalKind.ARRAY})


def wire_type(kind: SignalKind, content_type: str) -> Any:
    """What a column of this kind may be on the wire, as a type."""
    return _LISTS[kind] | bytes if content_type == MESSAGEPACK and kind in _PACKABLE else _LISTS[kind]


class ColumnError(Exception):
    """A column cannot be read; carries the rejection that the decoder returns."""

    def __init__(self, reason: RejectionReason, detail: str) -> None:
        super().__init__(detail)
        self.rejection = Rejection(reason, detail)


_KINDS: Final[Mapping[str, Any]] = {JSON: msgspec.json, MESSAGEPACK: msgspec.msgpack}
_DECODERS: Final = {
    (content_type, signal_kind): kind.Decoder(wire_type(signal_kind, content_type))
    for content_type, kind in _KINDS.items()
    for signal_kind in SignalKind
}
UNKNOWN_VALUE: Final = -1.0
"""Index of a value that its enumeration has not: out of range, so that validation refuses it alone."""
_NAMES: Final = tuple(CATALOGUE)
_ABSENT: Final = type(msgspec.UNSET)
_ARRAYS: Final = frozenset(signal.name for signal in CATALOGUE.values() if signal.kind is SignalKind.ARRAY)
_DOUBLES: Final = frozenset(signal.name for signal in CATALOGUE.values() if signal.column_type == "double precision")


class _Codes(dict[object, float]):
    """The numbers that stand for the values of a signal that is none on the wire."""

    def __missing__(self, value: object) -> float:
        return UNKNOWN_VALUE


_CODES: Final[Mapping[str, _Codes]] = {
    signal.name: _Codes({None: np.nan} | {value: float(index) for index, value in enumerate(values)})
    for signal in CATALOGUE.values()
    for values in [(False, True) if signal.kind is SignalKind.BOOLEAN else signal.values]
    if signal.kind in (SignalKind.BOOLEAN, SignalKind.ENUMERATION)
}


def read_column(raw: msgspec.Raw, signal: Signal, length: int, content_type: str) -> NDArray[np.float64]:
    """The values of one signal, float64 of shape (length,) or (length, k).

    Raises:
        ColumnError: if the type or the number of values is not the signal's.
    """
    try:
        values = _DECODERS[content_type, signal.kind].decode(raw)
    except (msgspec.DecodeError, ValueError) as error:
        too_large = content_type == JSON and "out of range" in str(error)
        values = _beyond_float64(raw, signal) if too_large else None
        if values is None:
            raise ColumnError(RejectionReason.WRONG_TYPE, f"{signal.name}: {error}") from None
    if signal.kind is SignalKind.ARRAY:
        return _array(values, signal.name, length)
    if isinstance(values, bytes):
        return _unpack(values, signal.name, length)
    if len(values) != length:
        raise _unequal(signal.name)
    return np.array([*_coded(values, signal.name)]) if signal.name in _CODES else _numbers(values)


class _Sorts(NamedTuple):
    """The columns of a batch by how they are read."""

    names: tuple[str, ...]
    """Of the scalar ones, in the order of the first four sorts."""
    binary32: tuple[int, ...]
    """Places of this sort among all of the catalogue."""
    binary64: tuple[int, ...]
    coded: tuple[int, ...]
    numbers: tuple[int, ...]
    arrays: tuple[int, ...]


@lru_cache(maxsize=1024)
def _sorts(types: tuple[type, ...]) -> _Sorts:
    """How the columns of a batch are read, by what each column of the catalogue is in it."""
    places: defaultdict[str, list[int]] = defaultdict(list)
    for place, (name, kind) in enumerate(zip(CATALOGUE, types, strict=True)):
        if kind is _ABSENT:
            continue
        if name in _ARRAYS:
            places["arrays"].append(place)
        elif kind is bytes:
            places["binary64" if name in _DOUBLES else "binary32"].append(place)
        else:
            places["coded" if name in _CODES else "numbers"].append(place)
    scalars = (*places["binary32"], *places["binary64"], *places["coded"], *places["numbers"])
    return _Sorts(tuple(_NAMES[place] for place in scalars), *(tuple(places[sort]) for sort in _Sorts._fields[1:]))


def read_columns(columns: Sequence[list[Any] | bytes | msgspec.UnsetType], length: int) -> ColumnBlock:
    """The values of one batch, as of `read_column`, from columns whose types are right.

    Args:
        columns: One for each signal of the catalogue, in its order; UNSET: not in the batch.
        length: How many times the batch has.

    Raises:
        ColumnError: if a column has not one value a time, or one that its signal has not.
    """
    # Cars send the same signals again and again: how they are read is found out once.
    sorts = _sorts(tuple(map(type, columns)))
    given: Any = columns
    binary32 = [given[place] for place in sorts.binary32]
    binary64 = [given[place] for place in sorts.binary64]
    if binary32 and set(map(len, binary32)) != {length * BINARY32.itemsize}:
        # A sender of its own mind: binary64 where half as much would do, or a column of a wrong length.
        places = (*sorts.binary32, *sorts.binary64)
        binary32, binary64 = [], [_unpack(given[place], _NAMES[place], length).tobytes() for place in places]
    elif binary64 and set(map(len, binary64)) != {length * BINARY64.itemsize}:
        binary64 = [_unpack(given[place], _NAMES[place], length).tobytes() for place in sorts.binary64]
    for place in (*sorts.coded, *sorts.numbers):
        if len(given[place]) != length:
            raise _unequal(_NAMES[place])
    binary64 += [struct.pack(f"<{length}d", *_coded(given[place], _NAMES[place])) for place in sorts.coded]
    if sorts.numbers:
        numbers = _numbers([value for place in sorts.numbers for value in given[place]])
        binary64.append(numbers.astype(BINARY64, copy=False).tobytes())
    arrays = {_NAMES[place]: _array(given[place], _NAMES[place], length) for place in sorts.arrays}
    return ColumnBlock(sorts.names, b"".join(binary32), b"".join(binary64), arrays, length)


def _beyond_float64(raw: msgspec.Raw, signal: Signal) -> list[Any] | None:
    """The values of a JSON list with numbers too large for msgspec, these as infinity; None: not a right list."""
    whole = signal.kind is SignalKind.INTEGER
    try:
        numbers = json.loads(bytes(raw), parse_int=float)
        values: list[Any] = msgspec.convert(numbers, _LISTS[SignalKind.NUMBER if whole else signal.kind])
    except (ValueError, RecursionError):
        return None
    if whole and any(value is not None and math.isfinite(value) and not value.is_integer() for value in values):
        return None
    return values


def _unpack(packed: bytes, name: str, length: int) -> NDArray[np.float64]:
    """One packed column, of binary32 or binary64.

    Raises:
        ColumnError: if it has not one value a time.
    """
    for dtype in (BINARY32, BINARY64):
        if len(packed) == length * dtype.itemsize:
            return np.frombuffer(packed, dtype).astype(np.float64)
    raise _unequal(name)


def _array(values: list[Any] | bytes, name: str, length: int) -> NDArray[np.float64]:
    """An array signal's column, shape (length, k), from lists or packed rows of binary32.

    Raises:
        ColumnError: if it has not one row a time, or rows of different length.
    """
    if isinstance(values, bytes):
        if len(values) % (length * BINARY32.itemsize):
            raise _unequal(name)
        return np.frombuffer(values, BINARY32).reshape(length, -1).astype(np.float64)
    if len(values) != length:
        raise _unequal(name)
    return _matrix(values, name)


def _unequal(name: str) -> ColumnError:
    return ColumnError(RejectionReason.UNEQUAL_COLUMNS, f"{name}: not one value a time")


def read_unknown(name: str, raw: msgspec.Raw, length: int, content_type: str) -> list[Any]:
    """The values of a signal outside the catalogue: as many JSON values as there are times.

    Raises:
        ColumnError: if it is not a list of that length.
    """
    try:
        values = _KINDS[content_type].decode(raw)
    except (msgspec.DecodeError, ValueError, RecursionError) as error:
        raise ColumnError(RejectionReason.UNREADABLE, f"{name!a}: {error}") from None
    if not isinstance(values, list) or len(values) != length:
        raise ColumnError(RejectionReason.UNEQUAL_COLUMNS, f"{name!a}: not one value a time")
    return values


def pack_column(values: NDArray[np.float64], signal: Signal) -> list[Any] | bytes:
    """One signal's values packed, as exactly as its column in the database is; a list where it cannot be packed."""
    if signal.kind not in _PACKABLE:
        return write_column(values, signal)
    dtype = BINARY64 if signal.name in _DOUBLES else BINARY32
    with np.errstate(over="ignore"):  # what is beyond binary32 is infinite, which validation refuses
        return values.astype(dtype).tobytes()


def write_column(values: NDArray[np.float64], signal: Signal) -> list[Any]:
    """The wire's list of one signal's values; NaN becomes null.

    Raises:
        ValueError: for an index that the enumeration has not, such as `UNKNOWN_VALUE`.
    """
    if signal.kind is SignalKind.ENUMERATION:
        return [None if v is None else _name(signal, v) for v in _nullable(values)]
    if signal.kind is SignalKind.BOOLEAN:
        return [None if v is None else bool(v) for v in _nullable(values)]
    if signal.kind is SignalKind.INTEGER:
        return [None if v is None else int(v) for v in _nullable(values)]
    if signal.kind is SignalKind.ARRAY:
        return [None if np.isnan(row).all() else _nullable(row) for row in values]
    return _nullable(values)


def _name(signal: Signal, index: float) -> str:
    if not 0 <= index < len(signal.values):
        raise ValueError(f"{signal.name} has no value {index:g}")
    return signal.values[int(index)]


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


def _coded(values: list[Any], name: str) -> Iterable[float]:
    return map(_CODES[name].__getitem__, values)


def _matrix(values: list[list[float | None] | None], name: str) -> NDArray[np.float64]:
    widths = {len(row) for row in values if row is not None}
    if len(widths) > 1:
        raise ColumnError(RejectionReason.UNEQUAL_COLUMNS, f"{name}: rows of different length")
    width = widths.pop() if widths else 0
    rows = [[None] * width if row is None else row for row in values]
    flat = [value for row in rows for value in row]
    return _numbers(flat).reshape(len(values), width)
