"""PostgreSQL's ``real[]`` and ``double precision[]`` in binary form as NumPy arrays: no Python object per element.

The form: five integers (number of dimensions, whether there are nulls, the elements' type, length, lower bound), then
the elements, each its size and its value; a null is a size of -1 without a value.
"""

from typing import Final

import numpy as np
import psycopg
from numpy.typing import NDArray
from psycopg.abc import Buffer
from psycopg.adapt import Loader
from psycopg.pq import Format

REAL_ARRAY_OID: Final = psycopg.adapters.types["real"].array_oid
DOUBLE_ARRAY_OID: Final = psycopg.adapters.types["double precision"].array_oid
_HEADER_BYTES: Final = 20
_SIZE_BYTES: Final = 4
_ELEMENT: Final = np.dtype([("size", ">i4"), ("value", ">f4")])
_DOUBLE: Final = np.dtype([("size", ">i4"), ("value", ">f8")])
_NULL: Final = b"\xff\xff\xff\xff"
_NAN: Final = np.array([(4, np.nan)], _ELEMENT).tobytes()


class RealArrayLoader(Loader):
    """Loads a ``real[]`` of one dimension as float32 of shape (k,); a null element becomes NaN."""

    format = Format.BINARY

    def load(self, data: Buffer) -> NDArray[np.float32]:
        """The array behind one binary value."""
        content = bytes(data)
        body = content[_HEADER_BYTES:]
        has_nulls = content[_SIZE_BYTES : 2 * _SIZE_BYTES] != bytes(_SIZE_BYTES)
        elements = np.frombuffer(_nulls_as_nan(body) if has_nulls else body, _ELEMENT)
        return elements["value"].astype(np.float32)


class DoubleArrayLoader(Loader):
    """Loads a ``double precision[]`` of one dimension without nulls as float64 of shape (k,)."""

    format = Format.BINARY

    def load(self, data: Buffer) -> NDArray[np.float64]:
        """The array behind one binary value."""
        return np.frombuffer(bytes(data)[_HEADER_BYTES:], _DOUBLE)["value"].astype(np.float64)


def _nulls_as_nan(body: bytes) -> bytes:
    """A null has no value after its size: give it one, so that all elements are of one size."""
    elements = []
    position = 0
    while position < len(body):
        is_null = body[position : position + _SIZE_BYTES] == _NULL
        elements.append(_NAN if is_null else body[position : position + _ELEMENT.itemsize])
        position += _SIZE_BYTES if is_null else _ELEMENT.itemsize
    return b"".join(elements)
