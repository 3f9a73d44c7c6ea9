"""Messages of any content through the real broker, ingest and database, and the oracle's account of them."""

import hashlib
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import psycopg

from agent.connection import Message
from storage.ledger import BatchKey
from storage.vehicles import register
from tests.support.faults.load import Batch
from tests.support.faults.memory import rss_mb
from tests.support.faults.oracle import Judgement, judge
from tests.support.faults.report import ReportLine
from tests.support.faults.sent import Sent, SentBatch, key_of, payload_of
from tests.support.ingest_process import IngestProcess
from tests.support.mqtt import Listener, listening, publish, wait_for
from tests.support.some_batches import NOW
from vehicle.batch import Hello, StoredAck, TelemetryBatch
from vehicle.codec import MESSAGEPACK
from vehicle.rejection import RejectionReason
from vehicle.topics import Channel, topic
from vehicle.vehicle import VehicleRecord
from vehicle.wire import decode_ack, encode_hello

FENCE: Final = "fence"
"""A car that only says hello: the answer proves that all which was published before has been dealt with."""


@dataclass(frozen=True, slots=True)
class Kept:
    """One row of quarantine."""

    topic: str
    payload: bytes
    reason: RejectionReason
    detail: str
    vehicle_id: str | None
    seq: int | None
    count: int


@dataclass
class Contents:
    """A running ingest, and what was sent to it."""

    database_url: str
    broker: tuple[str, int]
    process: IngestProcess
    listener: Listener
    record: Callable[[ReportLine], None]
    scenario: str
    seed: int
    sent: Sent = field(default_factory=Sent)
    _fences: int = 0
    _began: float = field(default_factory=time.monotonic)

    def expect(self, batch: Batch, payload: bytes) -> None:
        """Tell the oracle that a batch must be stored that is sent in a payload other than the agent's."""
        self.sent.batches[key_of(batch)] = SentBatch(hashlib.sha256(payload).digest(), batch)

    def send(self, messages: Sequence[Message]) -> None:
        """Publish, and return once ingest has dealt with each."""
        publish(self.broker, list(messages))
        self.settle()

    def settle(self) -> None:
        """Return once ingest has dealt with all that was published."""
        self._fences += 1
        boot = f"{self._fences:016x}"
        hello = encode_hello(Hello(FENCE, boot, "agent/1", "abc", NOW))
        publish(self.broker, [Message(topic(FENCE, Channel.HELLO), hello, 1, 1, MESSAGEPACK, {})])
        wait_for(lambda: any(v == FENCE and ack.boot == boot for v, ack in self._acks()), "ingest answers the fence")
        assert self.process.exit_code is None
        assert "Traceback" not in self.process.log()

    def acked(self) -> set[BatchKey]:
        """Those of the sent batches that their cars have been told to be safe."""
        latest = {(vehicle_id, ack.boot): ack for vehicle_id, ack in self._acks()}
        acks = ((key, latest.get((key.vehicle_id, key.boot))) for key in self.sent.batches)
        return {key for key, ack in acks if ack is not None and ack.covers(key.seq)}

    def query(self, statement: str) -> list[tuple[Any, ...]]:
        """What the database answers."""
        with psycopg.connect(self.database_url) as connection:
            return connection.execute(statement.encode()).fetchall()

    def kept(self) -> list[Kept]:
        """All of quarantine, in the order of arrival."""
        assert self.query("SELECT count(*) FROM quarantine WHERE sha256 <> sha256(payload)") == [(0,)]
        rows = self.query("SELECT topic, payload, reason, detail, vehicle_id, seq, count FROM quarantine ORDER BY id")
        return [Kept(name, payload, RejectionReason(reason), *rest) for name, payload, reason, *rest in rows]

    def reasons(self) -> dict[bytes, set[RejectionReason]]:
        """Per payload in quarantine why it is there."""
        found: dict[bytes, set[RejectionReason]] = {}
        for row in self.kept():
            found.setdefault(row.payload, set()).add(row.reason)
        return found

    def chunks(self) -> int:
        """Chunks of the table of samples; 0 where it is a plain table."""
        [(count,)] = self.query("SELECT count(*) FROM pg_inherits WHERE inhparent = 'telemetry'::regclass")
        return int(count)

    def duplicates(self) -> int:
        """What ingest says it has seen a second time; ends it."""
        assert self.process.stop() == 0
        return int(self.process.log().rsplit('"duplicates": ', 1)[1].split(",", 1)[0])

    def account(self, note: str = "") -> Judgement:
        """Let the oracle judge, have its figures recorded, and fail the test unless every promise was kept."""
        judgement = judge(self.database_url, self.sent, self.acked())
        line = ReportLine(
            self.scenario,
            self.seed,
            judgement.published,
            judgement.acked,
            judgement.stored,
            judgement.quarantined,
            len(judgement.lost) + judgement.unnamed_missing,
            judgement.duplicated,
            seconds=time.monotonic() - self._began,
            rss_mb=rss_mb(self.process.pid),
            note=note,
        )
        self.record(line)
        assert not judgement.problems(), f"{line}: {judgement.problems()}"
        assert judgement.acked == len(self.sent.batches), "some were never acknowledged"
        return judgement

    def _acks(self) -> Iterator[tuple[str, StoredAck]]:
        for message in list(self.listener.messages):
            ack = decode_ack(message.payload, message.content_type)
            if isinstance(ack, StoredAck):
                yield message.topic.split("/")[2], ack


@contextmanager
def run_of_contents(
    database_url: str,
    broker: tuple[str, int],
    folder: Path,
    *vehicle_ids: str,
    record: Callable[[ReportLine], None],
    scenario: str,
    seed: int,
    wall: bool = False,
) -> Iterator[Contents]:
    """An ingest that knows these cars, by the machine's clock (`wall`) or by the senders'."""
    cars = [*sorted(set(vehicle_ids)), FENCE]
    with psycopg.connect(database_url) as connection:
        for vehicle_id in cars:
            register(connection, VehicleRecord(vehicle_id, NOW))
    with (
        IngestProcess(database_url, broker, folder, wall=wall) as process,
        listening(broker, *cars, channels=(Channel.ACK,)) as listener,
    ):
        run = Contents(database_url, broker, process, listener, record, scenario, seed)
        run.settle()
        yield run


def as_sent(batch: Batch, payload: bytes | None = None, content_type: str | None = MESSAGEPACK) -> Message:
    """A batch as its car publishes it, or another payload under its name."""
    channel = Channel.TELEMETRY if isinstance(batch, TelemetryBatch) else Channel.EVENT
    payload = payload_of(batch) if payload is None else payload
    return raw(batch.vehicle_id, payload, content_type, named(key_of(batch)), channel)


def raw(
    vehicle_id: str,
    payload: bytes,
    content_type: str | None,
    user: Mapping[str, str] | None = None,
    channel: Channel = Channel.TELEMETRY,
) -> Message:
    """Any bytes on one of a car's topics."""
    return Message(topic(vehicle_id, channel), payload, 1, 1, content_type, user or {})


def named(key: BatchKey) -> dict[str, str]:
    """The user properties that name a batch."""
    return {"boot": key.boot, "seq": str(key.seq)}


def tally(kept: Iterable[Kept]) -> Counter[tuple[str, bytes]]:
    """How often each payload was kept on each topic."""
    counted: Counter[tuple[str, bytes]] = Counter()
    for row in kept:
        counted[row.topic, row.payload] += row.count
    return counted
