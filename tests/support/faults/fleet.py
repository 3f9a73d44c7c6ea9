"""The fleet: real agents with outboxes on disk, and what they have been told is stored."""

import sqlite3
import time
from collections.abc import Iterable
from datetime import timedelta
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

import numpy as np

from agent.client import Agent
from agent.outbox import Outbox
from storage.ledger import BatchKey
from tests.support.faults.load import Batch
from tests.support.faults.sent import Sent

AGENTS: Final = 4
"""Gateways among which the cars are divided: fifty connections would measure the test's own threads."""


class Fleet:
    """Several agents that share a fleet, from `with` to its end."""

    def __init__(
        self, broker: tuple[str, int], folder: Path, sent: Sent, *, agents: int = AGENTS, **settings: Any
    ) -> None:
        """Make the agents.

        Args:
            broker: Where they publish.
            folder: For the outboxes.
            sent: Where everything submitted is noted.
            agents: How many share the cars.
            settings: Changes to the impatience that suits a test.
        """
        chosen: dict[str, Any] = {
            # Less than a process takes to start would flood the broker with what it has already.
            "resend_after": timedelta(seconds=5),
            "longest_delay": timedelta(seconds=0.3),
            "window": 250,
        } | settings
        self._sent = sent
        self.files = [folder / f"outbox-{number}.db" for number in range(agents)]
        self._outboxes = [Outbox(file, synchronous="NORMAL") for file in self.files]
        self.agents = [
            Agent(outbox, *broker, client_id=f"gateway-{number}", rng=np.random.default_rng(number), **chosen)
            for number, outbox in enumerate(self._outboxes)
        ]

    def __enter__(self) -> Self:
        """Start the agents."""
        for agent in self.agents:
            agent.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop the agents; what they have kept stays on disk."""
        for agent in self.agents:
            agent.stop()
        for outbox in self._outboxes:
            outbox.close()

    def submit(self, batches: Iterable[Batch]) -> None:
        """Hand batches to the agents, each car's to the same one, and note them."""
        batches = list(batches)
        self._sent.add(batches)
        shares: dict[int, list[Batch]] = {}
        for batch in batches:
            shares.setdefault(sum(batch.vehicle_id.encode()) % len(self.agents), []).append(batch)
        for number, share in shares.items():
            self.agents[number].submit(share)

    @property
    def pending(self) -> int:
        """Messages that wait for their acknowledgement."""
        return sum(agent.pending for agent in self.agents)

    @property
    def resent(self) -> int:
        """Messages published again."""
        return sum(agent.statistics.resent for agent in self.agents)

    def wait_for_pending(self, at_most: int, timeout: timedelta) -> bool:
        """Wait until no more than so many messages wait; whether that came about in time."""
        deadline = time.monotonic() + timeout.total_seconds()
        while self.pending > at_most:
            if time.monotonic() > deadline:
                return False
            # Also raises if an agent can do no more.
            self.agents[0].wait_for_room(0, timedelta(seconds=0.02))
        return True

    def drain(self, timeout: timedelta) -> bool:
        """Wait until everything is acknowledged; whether that came about in time."""
        return self.wait_for_pending(0, timeout)

    def acked(self) -> set[BatchKey]:
        """The ids that were acknowledged: all that are no longer kept and were not given up."""
        return set().union(*(acked_of(file) for file in self.files))


def acked_of(outbox: Path) -> set[BatchKey]:
    """The ids that the owner of an outbox was told are safe."""
    with sqlite3.connect(f"file:{outbox}?mode=ro", uri=True) as file:
        numbered = file.execute("SELECT vehicle_id, boot, last_seq FROM sequence").fetchall()
        kept = set(file.execute("SELECT vehicle_id, boot, seq FROM message"))
        dropped = file.execute("SELECT vehicle_id, boot, first, last FROM dropped").fetchall()
    file.close()
    kept |= {(vehicle, boot, seq) for vehicle, boot, first, last in dropped for seq in range(first, last + 1)}
    ids = (BatchKey(vehicle, boot, seq) for vehicle, boot, last in numbered for seq in range(1, last + 1))
    return {key for key in ids if key not in kept}
