"""A message as it arrived becomes what it holds, or the reason why it cannot be taken; pure, never raises."""

import hashlib
import re
from dataclasses import dataclass, replace
from typing import Final

from agent.connection import Message
from storage.ledger import BatchKey
from vehicle.batch import EventBatch, Hello, TelemetryBatch
from vehicle.codec import MAX_PAYLOAD_BYTES
from vehicle.rejection import Rejection, RejectionReason
from vehicle.topics import Channel, parse_topic
from vehicle.wire import decode_events, decode_hello, decode_telemetry

Content = TelemetryBatch | EventBatch | Hello | Rejection

_BATCHES: Final = (TelemetryBatch, EventBatch)
_BOOT: Final = re.compile(r"[0-9a-f]{16}", re.ASCII)
_SEQ: Final = re.compile(r"[1-9][0-9]{0,18}", re.ASCII)
_GREATEST_SEQ: Final = 2**63 - 1
_DECODERS: Final = {
    Channel.TELEMETRY: decode_telemetry,
    Channel.EVENT: decode_events,
    Channel.HELLO: decode_hello,
}


# Not frozen, as what is made for every message: that would cost four times as much.
@dataclass(slots=True, eq=False)
class Incoming:
    """One message, read."""

    message: Message
    sha256: bytes
    """Of the payload."""
    vehicle_id: str | None
    """As the topic tells, which is what the broker vouches for."""
    key: BatchKey | None
    """What its sender waits to see stored; None for a hello, and where it cannot be made out."""
    content: Content

    def refused(self, rejection: Rejection) -> "Incoming":
        """The same message, found to be unacceptable."""
        return replace(self, content=rejection)


def read(message: Message) -> Incoming:
    """Find out whose message it is and what it holds."""
    sha256 = hashlib.sha256(message.payload).digest()
    address = parse_topic(message.topic)
    if isinstance(address, Rejection):
        return Incoming(message, sha256, None, None, address)
    vehicle_id, channel = address
    content = _content(message, channel)
    key = None
    if isinstance(content, _BATCHES):
        key = BatchKey(vehicle_id, content.boot, content.seq)
        if message.user and (message.user.get("boot"), message.user.get("seq")) != (key.boot, str(key.seq)):
            named = _named(message, vehicle_id)
            if named not in (None, key):
                content = _mismatch("user properties and payload name different boots or sequence numbers")
                key = named
    elif channel is not Channel.HELLO:
        key = _named(message, vehicle_id)
    if not isinstance(content, Rejection) and content.vehicle_id != vehicle_id:
        content = _mismatch("topic and payload name different vehicles")
    return Incoming(message, sha256, vehicle_id, key, content)


def unread(message: Message, sha256: bytes, rejection: Rejection) -> Incoming:
    """A message whose payload must not be touched, named by its topic and user properties alone."""
    address = parse_topic(message.topic)
    vehicle_id = None if isinstance(address, Rejection) else address[0]
    key = None if vehicle_id is None else _named(message, vehicle_id)
    return Incoming(message, sha256, vehicle_id, key, rejection)


def _content(message: Message, channel: Channel) -> Content:
    if len(message.payload) > MAX_PAYLOAD_BYTES:
        return Rejection(RejectionReason.TOO_LARGE, f"{len(message.payload)} bytes")
    decode = _DECODERS.get(channel)
    if decode is None:
        return Rejection(RejectionReason.UNKNOWN_TOPIC, "nothing is taken from this channel")
    return decode(message.payload, message.content_type)


def _named(message: Message, vehicle_id: str) -> BatchKey | None:
    """The batch that the user properties name, if they do."""
    boot, seq = message.user.get("boot", ""), message.user.get("seq", "")
    if _BOOT.fullmatch(boot) and _SEQ.fullmatch(seq) and int(seq) <= _GREATEST_SEQ:
        return BatchKey(vehicle_id, boot, int(seq))
    return None


def _mismatch(detail: str) -> Rejection:
    return Rejection(RejectionReason.VEHICLE_MISMATCH, detail)
