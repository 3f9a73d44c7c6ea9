"""MQTT 5's variable byte integer (OASIS standard, section 1.5.5): how long packets and properties are."""

from typing import Final

_LONGEST: Final = 4
_MORE: Final = 0x80


def read_length(buffer: bytes | bytearray, position: int) -> tuple[int, int]:
    """The number at `position`, and where it ends.

    Raises:
        IndexError: if it does not end within the buffer.
        ValueError: if it is longer than four bytes.
    """
    value = 0
    for place in range(_LONGEST):
        byte = buffer[position + place]
        value |= (byte & ~_MORE) << 7 * place
        if byte < _MORE:
            return value, position + place + 1
    raise ValueError("a length of more than four bytes")


def write_length(value: int) -> bytes:
    """The bytes of a number below 2^28."""
    encoded = bytearray()
    while value >= _MORE:
        encoded.append(value & ~_MORE & 0xFF | _MORE)
        value >>= 7
    encoded.append(value)
    return bytes(encoded)
