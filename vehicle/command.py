"""The `command` message: what the service centre asks of a car, as JSON or MessagePack.

Decoding never raises: bytes from outside become a command or a `Rejection`. A command of a kind that this software
does not know is a `Rejection` too; a car leaves it alone.
"""

from dataclasses import dataclass
from typing import Annotated, Any, Final

import msgspec

from vehicle.rejection import Rejection, RejectionReason
from vehicle.wire import JSON, MAX_PAYLOAD_BYTES, MESSAGEPACK, WIRE_VERSION

MOST_RANGES: Final = 200
"""Ranges that one command may name."""

_Seq = Annotated[int, msgspec.Meta(ge=1, le=2**63 - 1)]
_Boot = Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{16}$")]


@dataclass(frozen=True, slots=True)
class SendAgain:
    """Asks a car for batches of one boot that are not safe: it publishes them at once, or says that they are gone."""

    boot: str
    ranges: tuple[tuple[int, int], ...] = ()
    """Closed ranges of seq."""
    beyond: int | None = None
    """And everything from this seq on, however far the boot has come; None: nothing more."""


class _SendAgain(msgspec.Struct, omit_defaults=True):
    boot: _Boot
    ranges: Annotated[list[tuple[_Seq, _Seq]], msgspec.Meta(max_length=MOST_RANGES)] = []
    beyond: _Seq | None = msgspec.field(default=None, name="from")


class _Command(msgspec.Struct, omit_defaults=True):
    v: int
    send_again: _SendAgain | None = None


_CODECS: Final[dict[str, tuple[Any, Any]]] = {
    JSON: (msgspec.json.Encoder(), msgspec.json.Decoder(_Command)),
    MESSAGEPACK: (msgspec.msgpack.Encoder(), msgspec.msgpack.Decoder(_Command)),
}


def encode_command(command: SendAgain, content_type: str = JSON) -> bytes:
    """The payload of one command; of its ranges no more than `MOST_RANGES`."""
    asked = _SendAgain(command.boot, list(command.ranges[:MOST_RANGES]), command.beyond)
    encoder, _ = _CODECS[content_type]
    return bytes(encoder.encode(_Command(v=WIRE_VERSION, send_again=asked)))


def decode_command(payload: bytes, content_type: str | None = None) -> SendAgain | Rejection:
    """The command a payload holds; without a content type, a JSON object tells itself by its brace."""
    if content_type is not None and content_type not in _CODECS:
        return Rejection(RejectionReason.UNREADABLE, "the content type is neither JSON nor MessagePack")
    if len(payload) > MAX_PAYLOAD_BYTES:
        return Rejection(RejectionReason.TOO_LARGE, f"a command of more than {MAX_PAYLOAD_BYTES} bytes")
    _, decoder = _CODECS[content_type or (JSON if payload.lstrip()[:1] == b"{" else MESSAGEPACK)]
    try:
        return _judged(decoder.decode(payload))
    except msgspec.ValidationError as error:
        return Rejection(RejectionReason.WRONG_TYPE, str(error))
    except (msgspec.DecodeError, UnicodeDecodeError, ValueError, RecursionError) as error:
        return Rejection(RejectionReason.UNREADABLE, str(error))


def _judged(message: _Command) -> SendAgain | Rejection:
    if message.v != WIRE_VERSION:
        return Rejection(RejectionReason.WRONG_VERSION, f"version {message.v} is not {WIRE_VERSION}")
    asked = message.send_again
    if asked is None:
        return Rejection(RejectionReason.WRONG_TYPE, "a command of another kind than send_again")
    if any(first > last for first, last in asked.ranges):
        return Rejection(RejectionReason.WRONG_TYPE, "a range ends before it begins")
    return SendAgain(asked.boot, tuple(asked.ranges), asked.beyond)
