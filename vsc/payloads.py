"""A payload from outside as text for people and scripts: decoded if it can be, else as bytes, and without VINs."""

import re
from collections.abc import Callable
from typing import Any, Final

import msgspec

from vehicle.codec import JSON, MESSAGEPACK
from vehicle.identity import without_vins

_BYTES_VIN: Final = re.compile(rb"[A-HJ-NPR-Z0-9]{17,}", re.IGNORECASE)
"""ISO 3779: seventeen characters without I, O and Q; the bytes next to them may look like more."""
_WIDTH: Final = 16
_DECODERS: Final[dict[str, Callable[[bytes], Any]]] = {JSON: msgspec.json.decode, MESSAGEPACK: msgspec.msgpack.decode}


def escaped(text: str) -> str:
    """The text without VINs, on one line, with control and direction characters written as escapes."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in without_vins(text))


def decoded(payload: bytes, content_type: str) -> Any:
    """What a payload says, as JSON has it, without VINs; None if it cannot be read."""
    assumed = JSON if payload.lstrip()[:1] in (b"{", b"[") else MESSAGEPACK
    decode = _DECODERS.get(content_type or assumed)
    if decode is None:
        return None
    try:
        return _hide(msgspec.to_builtins(decode(payload), str_keys=True))
    except (msgspec.MsgspecError, UnicodeError, ValueError, TypeError, OverflowError, RecursionError):
        return None


def hexdump(payload: bytes, at_most: int) -> list[str]:
    """The beginning of a payload, sixteen bytes a line: place, hexadecimal, ASCII; VINs are crossed out."""
    shown = _BYTES_VIN.sub(lambda found: b"*" * len(found[0]), payload)[:at_most]
    lines = []
    for start in range(0, len(shown), _WIDTH):
        piece = shown[start : start + _WIDTH]
        text = "".join(chr(byte) if 0x20 <= byte < 0x7F else "." for byte in piece)  # noqa: PLR2004 - printable ASCII
        lines.append(f"{start:08x}  {piece.hex(' '):<{3 * _WIDTH - 1}}  {text}")
    return lines


def _hide(value: Any) -> Any:
    match value:
        case str():
            return without_vins(value)
        case list():
            return [_hide(each) for each in value]
        case dict():
            return {_hide(name): _hide(each) for name, each in value.items()}
        case float() if value - value != 0:
            return str(value)
        case _:
            return value
