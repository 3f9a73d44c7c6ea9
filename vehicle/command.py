"""The `command` message: what the service centre asks of a car, as JSON or MessagePack.

Decoding never raises: bytes from outside become a command or a `Rejection`. A command of a kind that this software
does not know is a `Rejection` too; a car leaves it alone.
"""

from dataclasses import dataclass
from typing import Annotated, Final

import msgspec

from vehicle.codec import JSON, MAX_PAYLOAD_BYTES, WIRE_VERSION, Boot, Seq, Versioned, decode_versioned, encode
from vehicle.rejection import Rejection, RejectionReason

MOST_RANGES: Final = 200
"""Ranges that one command may name."""


@dataclass(frozen=True, slots=True)
class SendAgain:
    """Asks a car for batches of one boot that are not safe: it publishes them at once, or says that they are gone."""

    boot: str
    ranges: tuple[tuple[int, int], ...] = ()
    """Closed ranges of seq."""
    beyond: int | None = None
    """And everything from this seq on, however far the boot has come; None: nothing more."""


class _SendAgain(msgspec.Struct, omit_defaults=True):
    boot: Boot
    ranges: Annotated[list[tuple[Seq, Seq]], msgspec.Meta(max_length=MOST_RANGES)] = []
    beyond: Seq | None = msgspec.field(default=None, name="from")


class _Command(Versioned):
    send_again: _SendAgain | None = None


def encode_command(command: SendAgain, content_type: str = JSON) -> bytes:
    """The payload of one command; of its ranges no more than `MOST_RANGES`."""
    asked = _SendAgain(command.boot, list(command.ranges[:MOST_RANGES]), command.beyond)
    return encode(_Command(v=WIRE_VERSION, send_again=asked), content_type)


def decode_command(payload: bytes, content_type: str | None = None) -> SendAgain | Rejection:
    """The command a payload holds."""
    if len(payload) > MAX_PAYLOAD_BYTES:
        return Rejection(RejectionReason.TOO_LARGE, f"a command of more than {MAX_PAYLOAD_BYTES} bytes")
    message = decode_versioned(payload, content_type, _Command)
    if isinstance(message, Rejection):
        return message
    asked = message.send_again
    if asked is None:
        return Rejection(RejectionReason.WRONG_TYPE, "a command of another kind than send_again")
    if any(first > last for first, last in asked.ranges):
        return Rejection(RejectionReason.WRONG_TYPE, "a range ends before it begins")
    return SendAgain(asked.boot, tuple(asked.ranges), asked.beyond)
