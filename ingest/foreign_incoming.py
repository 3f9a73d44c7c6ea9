"""Messages of foreign cars as ingest knows messages: read when they arrive, and as batches of ours when rows close.

What goes to quarantine keeps its raw bytes; its topic bears the registered vehicle's id, or the alias of an unknown
car, in place of the name by which the sender calls it.
"""

import hashlib
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

import numpy as np

from agent.connection import Message
from ingest.confluence import Row
from ingest.incoming import Incoming
from storage.ledger import BatchKey
from vehicle import ovms, tesla
from vehicle.batch import EventBatch, TelemetryBatch
from vehicle.codec import JSON, MAX_PAYLOAD_BYTES
from vehicle.foreign import NOTHING, ForeignMessage, ForeignProtocol
from vehicle.foreign_address import ForeignAddress, ForeignTopics
from vehicle.moment import instant
from vehicle.rejection import Rejection, RejectionReason
from vehicle.topics import Channel, topic
from vehicle.wire import encode_events, encode_telemetry

_DECODERS: Final = {ForeignProtocol.TESLA: tesla.decode, ForeignProtocol.OVMS: ovms.decode}
_UNKNOWN: Final = Rejection(RejectionReason.UNKNOWN_VEHICLE, "no vehicle is registered under this name")
_NO_ADDRESS: Final = Rejection(RejectionReason.UNKNOWN_TOPIC, "the topic is of no foreign protocol")
_NOWHERE: Final = ForeignAddress(ForeignProtocol.TESLA, "", "", ())


@dataclass(slots=True, eq=False)
class ForeignIncoming(Incoming):
    """One message of a foreign car, read; as long as nobody knows the car, its content is a rejection."""

    address: ForeignAddress
    said: ForeignMessage | Rejection
    received_at: datetime

    def of(self, alias: str) -> "ForeignIncoming":
        """The same message with `alias` in place of the sender's name, as quarantine keeps it."""
        message = self.message._replace(topic=self.address.kept_as(alias))
        return replace(self, message=message, vehicle_id=alias)


def read(message: Message, topics: ForeignTopics, received_at: datetime) -> ForeignIncoming:
    """Find out what a message says and who says so; what the broker had kept from before says nothing new."""
    address = topics.address(message.topic)
    said: ForeignMessage | Rejection
    if address is None:
        said, address = _NO_ADDRESS, _NOWHERE
    elif message.retain:
        said = NOTHING
    elif len(message.payload) > MAX_PAYLOAD_BYTES:
        said = Rejection(RejectionReason.TOO_LARGE, f"{len(message.payload)} bytes")
    else:
        said = _DECODERS[address.protocol](address.path, message.payload, received_at)
    content = said if isinstance(said, Rejection) else _UNKNOWN
    sha256 = hashlib.sha256(message.payload).digest()
    return ForeignIncoming(message, sha256, None, None, content, address, said, received_at)


class BatchMaker:
    """Makes batches of rows, under a boot of its own and gapless for each vehicle."""

    def __init__(self, rng: np.random.Generator) -> None:
        self.boot = f"{int(rng.integers(2**64, dtype=np.uint64)):016x}"
        self._seqs: dict[str, int] = defaultdict(int)

    def batches(self, row: Row[Any]) -> Iterator[Incoming]:
        """What a row told, as if the car had sent it as a batch of telemetry and one of events."""
        if row.values or row.extra:
            yield self._telemetry(row)
        if row.events:
            yield self._events(row)

    def _telemetry(self, row: Row[Any]) -> Incoming:
        key = self._next(row.vehicle_id)
        batch = TelemetryBatch(
            *key,
            sent_at=row.at,
            times=np.array([instant(row.at)]),
            columns={name: np.asarray(value, np.float64)[np.newaxis] for name, value in row.values.items()},
            extra={name: [value] for name, value in row.extra.items()},
            time_received=True,
        )
        return _incoming(key, Channel.TELEMETRY, encode_telemetry(batch, JSON), batch)

    def _events(self, row: Row[Any]) -> Incoming:
        key = self._next(row.vehicle_id)
        batch = EventBatch(*key, row.at, tuple(row.events), time_received=True)
        return _incoming(key, Channel.EVENT, encode_events(batch, JSON), batch)

    def _next(self, vehicle_id: str) -> BatchKey:
        self._seqs[vehicle_id] += 1
        return BatchKey(vehicle_id, self.boot, self._seqs[vehicle_id])


def _incoming(key: BatchKey, channel: Channel, payload: bytes, content: TelemetryBatch | EventBatch) -> Incoming:
    """A batch that nobody has sent: its payload is how a car of ours would have sent it."""
    user = {"boot": key.boot, "seq": str(key.seq)}
    message = Message(topic(key.vehicle_id, channel), payload, 0, 0, JSON, user)
    return Incoming(message, hashlib.sha256(payload).digest(), key.vehicle_id, key, content)
