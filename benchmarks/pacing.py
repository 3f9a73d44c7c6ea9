"""Cars that publish at a steady rate and time each message to its stored-ack.

They speak the agent's protocol but for its outbox: hello first, gapless sequence numbers, QoS 1, user properties,
and the same bytes again for what got no stored-ack. The values are encoded once; each message is an envelope around
one of them, because the publisher shares two processors with what it measures.
"""

import threading
import time
from collections import deque
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from types import TracebackType
from typing import Final, Self

import msgspec
import numpy as np
from numpy.typing import NDArray

from benchmarks.audit import Sent
from benchmarks.cars import SAMPLE_STEP, Publication, boot_of, make_batches, publication
from benchmarks.light_client import LightClient
from vehicle.batch import Hello
from vehicle.codec import MESSAGEPACK
from vehicle.rejection import Rejection
from vehicle.signals import CATALOGUE_VERSION
from vehicle.topics import Channel, parse_topic, subscription, topic
from vehicle.wire import decode_ack, encode_hello

_RESEND_AFTER_S: Final = 60.0
_BLOCKS: Final = 8
"""Different stretches of values that a car sends in turn."""
_TICK_S: Final = 0.005
_PATIENCE_S: Final = 30.0


class _Envelope(msgspec.Struct):
    """A batch on the wire, its columns left as they are."""

    v: int
    vehicle_id: str
    boot: str
    seq: int
    sent_at: datetime
    t0: datetime
    dt_ms: list[int]
    s: msgspec.Raw


@dataclass(slots=True)
class _Car:
    """One car's place in its sequence."""

    vehicle_id: str
    topic: str
    envelopes: list[_Envelope]
    first_at: datetime
    seq: int = 0
    waiting: deque[tuple[int, float]] = field(default_factory=deque)
    """Sequence numbers without stored-ack, each with the moment when it was due."""


class PacedFleet:
    """Cars on one connection; `run` publishes for a while, as often as one likes."""

    def __init__(
        self, broker: tuple[str, int], ids: Sequence[str], samples: int, start: datetime, step: timedelta = SAMPLE_STEP
    ) -> None:
        """Make the cars.

        Args:
            broker: Host and port.
            ids: Of the cars.
            samples: In each message.
            start: Time of every car's first sample.
            step: Between two samples, whole milliseconds; the rate at which they are published is another matter.
        """
        self._samples = samples
        self._step = step
        envelopes = _envelopes(ids, samples, start, step)
        self._cars = {each: _Car(each, topic(each, Channel.TELEMETRY), envelopes[each], start) for each in ids}
        self._order = list(self._cars.values())
        self._lock = threading.Lock()
        self._latencies: list[float] = []
        self._published = 0
        self._client = LightClient(broker, "bench-fleet", self._hear)
        self._open = ExitStack()

    def __enter__(self) -> Self:
        """Connect, subscribe and say hello."""
        self._open.enter_context(self._client).subscribe(subscription(Channel.ACK))
        for vehicle_id in self._cars:
            hello = Hello(vehicle_id, boot_of(vehicle_id), "bench", CATALOGUE_VERSION, datetime.now(UTC))
            self._client.publish(topic(vehicle_id, Channel.HELLO), encode_hello(hello), MESSAGEPACK, {})
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Hang up."""
        self._open.close()

    @property
    def unstored(self) -> int:
        """Messages without stored-ack."""
        with self._lock:
            return sum(len(car.waiting) for car in self._order)

    def run(self, rows_s: float, seconds: float) -> None:
        """Publish at a steady rate, and what has waited too long once more."""
        interval_s = self._samples / rows_s
        began, count = time.monotonic(), round(seconds / interval_s)
        resend_at = began + _RESEND_AFTER_S
        for number in range(count):
            due = began + number * interval_s
            now = time.monotonic()
            if now >= resend_at:
                self._resend(now)
                resend_at = now + _RESEND_AFTER_S
            if due - now > 0:
                # Short naps would cost more than the messages of the next few milliseconds being together.
                time.sleep(max(due - now, _TICK_S))
            self._publish_next(due)

    def wait_until_stored(self) -> int:
        """Wait for the stored-acks of all that was published; how many batches got none."""
        deadline = time.monotonic() + _PATIENCE_S
        while self.unstored and time.monotonic() < deadline:
            time.sleep(0.02)
        return self.unstored

    def take_latencies(self) -> NDArray[np.float64]:
        """Seconds from due to stored, of what was stored since the last call."""
        with self._lock:
            taken, self._latencies = self._latencies, []
        return np.array(taken)

    def sent(self) -> list[Sent]:
        """What each car has published."""
        return [Sent(car.vehicle_id, car.seq, car.seq * self._samples, car.first_at, self._step) for car in self._order]

    def _publish_next(self, due: float) -> None:
        car = self._order[self._published % len(self._order)]
        self._published += 1
        car.seq += 1
        with self._lock:
            car.waiting.append((car.seq, due))
        self._publish(car, car.seq)

    def _publish(self, car: _Car, seq: int) -> None:
        """The same bytes for the same seq, whenever it is sent."""
        envelope = car.envelopes[seq % _BLOCKS]
        envelope.seq = seq
        envelope.t0 = car.first_at + (seq - 1) * self._samples * self._step
        envelope.sent_at = envelope.t0 + self._samples * self._step
        message = Publication(car.topic, msgspec.msgpack.encode(envelope), car.vehicle_id, envelope.boot, seq)
        self._client.publish(message.topic, message.payload, MESSAGEPACK, message.user)

    def _resend(self, now: float) -> None:
        with self._lock:
            late = [(car, seq) for car in self._order for seq, due in car.waiting if now - due > _RESEND_AFTER_S]
        for car, seq in late:
            self._publish(car, seq)

    def _hear(self, name: str, payload: bytes) -> None:
        heard_at = time.monotonic()
        address, ack = parse_topic(name), decode_ack(payload)
        if isinstance(address, Rejection) or isinstance(ack, Rejection):
            return
        car = self._cars.get(address[0])
        if car is None:
            # Others may publish beside this fleet.
            return
        with self._lock:
            if ack.missing:
                stored = [(seq, due) for seq, due in car.waiting if ack.covers(seq)]
                car.waiting = deque(each for each in car.waiting if not ack.covers(each[0]))
            else:
                stored = []
                while car.waiting and car.waiting[0][0] <= ack.through:
                    stored.append(car.waiting.popleft())
            self._latencies += [heard_at - due for _, due in stored]


def _envelopes(ids: Sequence[str], samples: int, start: datetime, step: timedelta) -> dict[str, list[_Envelope]]:
    """Some batches of each car, decoded as far as their columns."""
    made: dict[str, list[_Envelope]] = {vehicle_id: [] for vehicle_id in ids}
    step_ms = step // timedelta(milliseconds=1)
    for batch in make_batches(ids, samples, _BLOCKS * len(ids), start, seed=3):
        envelope = msgspec.msgpack.decode(publication(batch).payload, type=_Envelope)
        envelope.dt_ms = [index * step_ms for index in range(samples)]
        made[batch.vehicle_id].append(envelope)
    return made
