"""Fields of PostgreSQL's binary COPY format ("COPY" in its manual), for tables that are written row by row.

psycopg's own dumpers cost three times as much, which shows where every message is a row.
"""

import struct
from datetime import UTC, datetime
from functools import lru_cache
from typing import Final

from vehicle.moment import microseconds

HEADER: Final = b"PGCOPY\n\xff\r\n\0" + bytes(8)
TRAILER: Final = b"\xff\xff"
_NULL: Final = struct.pack(">i", -1)
_ZERO: Final = microseconds(datetime(2000, 1, 1, tzinfo=UTC))

_count = struct.Struct(">h").pack
_size = struct.Struct(">i").pack
_sized_integer = struct.Struct(">ii").pack
_sized_bigint = struct.Struct(">iq").pack


def fields(count: int) -> bytes:
    """What a row of so many fields begins with."""
    return _count(count)


@lru_cache(maxsize=4096)
def text(value: str) -> bytes:
    """A text, without NUL."""
    return octets(value.encode())


def octets(value: bytes | None) -> bytes:
    """A bytea or null."""
    return _NULL if value is None else _size(len(value)) + value


def integer(value: int) -> bytes:
    """An integer of 32 bits."""
    return _sized_integer(4, value)


def bigint(value: int) -> bytes:
    """An integer of 64 bits."""
    return _sized_bigint(8, value)


def true_or_null(value: bool) -> bytes:  # noqa: FBT001 - a value like the others
    """A boolean, null where it is false."""
    return _size(1) + b"\x01" if value else _NULL


def timestamptz(at: datetime | None) -> bytes:
    """An aware time, to the microsecond, or null."""
    return _NULL if at is None else _sized_bigint(8, microseconds(at) - _ZERO)
