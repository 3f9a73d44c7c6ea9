"""A message's struct as JSON or MessagePack, told by the MQTT content type; decoding never raises.

Nothing is coerced: a number sent as a string, or a boolean sent as a number, is a wrong type.
"""

from datetime import datetime
from typing import Annotated, Any, Final, TypeVar

import msgspec

from vehicle.json_names import name_twice
from vehicle.rejection import Rejection, RejectionReason

WIRE_VERSION: Final = 1
JSON: Final = "application/json"
MESSAGEPACK: Final = "application/msgpack"
MAX_PAYLOAD_BYTES: Final = 60_000
"""A packet is at most 64 KiB; what is left is for topic and properties."""

Seq = Annotated[int, msgspec.Meta(ge=1, le=2**63 - 1)]
Boot = Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{16}$")]
Moment = Annotated[datetime, msgspec.Meta(tz=True)]

_KINDS: Final[dict[str, Any]] = {JSON: msgspec.json, MESSAGEPACK: msgspec.msgpack}
_ENCODERS: Final = {content_type: kind.Encoder() for content_type, kind in _KINDS.items()}
_decoders: Final[dict[tuple[str, type[msgspec.Struct]], Any]] = {}


class Versioned(msgspec.Struct, omit_defaults=True):
    """A message that says which version of the protocol it is of."""

    v: int


_S = TypeVar("_S", bound=msgspec.Struct)
_V = TypeVar("_V", bound=Versioned)


def told(payload: bytes, content_type: str | None) -> str:
    """The content type as named; without one, a JSON object tells itself by its brace."""
    return content_type or (JSON if payload.lstrip()[:1] == b"{" else MESSAGEPACK)


def encode(message: Any, content_type: str) -> bytes:
    """The payload of a struct, or of what JSON and MessagePack have names for."""
    return bytes(_ENCODERS[content_type].encode(message))


def decode(payload: bytes, content_type: str | None, struct: type[_S]) -> _S | Rejection:
    """The struct that a payload holds; a JSON object must not have a name twice."""
    if content_type is not None and content_type not in _KINDS:
        return Rejection(RejectionReason.UNREADABLE, "the content type is neither JSON nor MessagePack")
    content_type = told(payload, content_type)
    try:
        message: _S = _decoder(content_type, struct).decode(payload)
    except msgspec.ValidationError as error:
        return Rejection(RejectionReason.WRONG_TYPE, str(error))
    except (msgspec.DecodeError, UnicodeDecodeError, ValueError, RecursionError) as error:
        return Rejection(RejectionReason.UNREADABLE, str(error))
    name = name_twice(payload) if content_type == JSON else None
    if name is not None:
        return Rejection(RejectionReason.UNREADABLE, f"the name {name!a} stands twice in one object")
    return message


def decode_versioned(payload: bytes, content_type: str | None, struct: type[_V]) -> _V | Rejection:
    """As `decode`, of a message of our version."""
    message = decode(payload, content_type, struct)
    if not isinstance(message, Rejection) and message.v != WIRE_VERSION:
        return Rejection(RejectionReason.WRONG_VERSION, f"version {message.v} is not {WIRE_VERSION}")
    return message


def _decoder(content_type: str, struct: type[msgspec.Struct]) -> Any:
    decoder = _decoders.get((content_type, struct))
    if decoder is None:
        decoder = _decoders[content_type, struct] = _KINDS[content_type].Decoder(struct)
    return decoder
