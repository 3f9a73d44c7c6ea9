"""What a run has sent: every id with the hash of its content, and what must be found of it afterwards."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

from storage.ledger import BatchKey
from tests.support.faults.load import Batch
from vehicle.batch import TelemetryBatch
from vehicle.wire import encode_events, encode_telemetry


@dataclass(frozen=True, slots=True)
class SentBatch:
    """One message that carries an id."""

    sha256: bytes
    """Of its payload."""
    stored: Batch | None
    """What the tables must hold of it; None: nothing, it belongs into quarantine."""
    wholly: bool = True
    """Whether `stored` is all of it, so that none of it belongs into quarantine."""


class Sent:
    """The senders' log."""

    def __init__(self) -> None:
        self.batches: dict[BatchKey, SentBatch] = {}
        self.unnamed: list[bytes] = []
        """Payloads that belong into quarantine and name no batch."""

    def add(self, batches: Iterable[Batch]) -> None:
        """Note good messages, of which everything must be stored."""
        for batch in batches:
            self.batches[key_of(batch)] = SentBatch(hashlib.sha256(payload_of(batch)).digest(), batch)

    def add_partly_good(self, key: BatchKey, payload: bytes, stored: Batch) -> None:
        """Note a message of which `stored` belongs into the tables and its whole payload into quarantine."""
        self.batches[key] = SentBatch(hashlib.sha256(payload).digest(), stored, wholly=False)

    def add_bad(self, payload: bytes, key: BatchKey | None = None) -> None:
        """Note a message that belongs into quarantine; `key` if its user properties name a batch."""
        if key is None:
            self.unnamed.append(payload)
        else:
            self.batches[key] = SentBatch(hashlib.sha256(payload).digest(), None)


def key_of(batch: Batch) -> BatchKey:
    """The name of a batch in the ledger."""
    return BatchKey(batch.vehicle_id, batch.boot, batch.seq)


def payload_of(batch: Batch) -> bytes:
    """A batch as the agent encodes it."""
    return encode_telemetry(batch) if isinstance(batch, TelemetryBatch) else encode_events(batch)
