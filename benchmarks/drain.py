"""The whole path from a backlog at the broker to stored-acks at the cars, with the real ingest process.

Ingest's persistent session holds the backlog. The broker is held (SIGSTOP) while ingest starts, connects to the
database and opens its connection to the broker; the clock starts when the broker is let go, so everything from
CONNACK and the first delivery on is in it, and nothing of Python's start. The clock stops when the stored-ack of
the last batch has arrived at the cars' side, which is later than the commit of the last row.
"""

import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from benchmarks.audit import Audit, Sent, audit
from benchmarks.baselines import copied_rows
from benchmarks.cars import SAMPLE_STEP, Publication, make_batches, publication
from benchmarks.process import Measured, start_ingest
from benchmarks.publisher import publish_backlog
from benchmarks.site import Site
from benchmarks.stored_acks import StoredAcks

_LOOK_EVERY_S: Final = 0.05
_PATIENCE_S: Final = 20.0
"""Without any stored-ack for so long, what is left is lost."""


@dataclass(frozen=True, slots=True)
class Backlog:
    """Messages of all cars, and what they hold."""

    messages: Sequence[Publication]
    samples: int
    """In each message."""
    sent: Sequence[Sent]

    @property
    def rows(self) -> int:
        """All samples."""
        return len(self.messages) * self.samples


@dataclass(frozen=True, slots=True)
class Drain:
    """How ingest did."""

    seconds: float
    cpu_s: float
    messages: int
    rows: int
    unacked: int
    """Batches without stored-ack."""
    rss_mb_quarter: float
    """When a quarter was stored."""
    rss_mb_end: float
    rss_mb_max: float
    audit: Audit


def make_backlog(ids: Sequence[str], samples: int, messages: int, start: datetime, seed: int) -> Backlog:
    """A backlog of all cars in turn; see `make_batches`."""
    made = [publication(batch) for batch in make_batches(ids, samples, messages, start, seed)]
    batches = {vehicle_id: messages // len(ids) + (index < messages % len(ids)) for index, vehicle_id in enumerate(ids)}
    sent = [Sent(vehicle_id, count, count * samples, start, SAMPLE_STEP) for vehicle_id, count in batches.items()]
    return Backlog(made, samples, sent)


def make_ingest_session(site: Site, probe: Publication) -> None:
    """Have the broker keep for ingest what cars publish: run it until it has stored one message."""
    with (
        site.fresh_database() as database_url,
        StoredAcks(site.broker) as acks,
        start_ingest(database_url, site.broker, site.folder) as ingest,
    ):
        ingest.wait_until_connected(site.broker[1])
        publish_backlog(site.broker, [probe])
        _Watch(ingest, acks, 1).wait()


def drain(site: Site, backlog: Backlog, profile: Path | None = None) -> Drain:
    """Publish a backlog to ingest's session, which must be there and empty, and let ingest store it."""
    return _drain(site, backlog, profile)[0]


def drain_and_copy(site: Site, backlog: Backlog) -> tuple[Drain, bytes]:
    """The same, and the stored rows in COPY's binary format."""
    return _drain(site, backlog, None, copy=True)


def _drain(site: Site, backlog: Backlog, profile: Path | None, *, copy: bool = False) -> tuple[Drain, bytes]:
    publish_backlog(site.broker, backlog.messages)
    with site.fresh_database() as database_url, StoredAcks(site.broker) as acks:
        with ExitStack() as running:
            with site.broker_held():
                ingest = running.enter_context(start_ingest(database_url, site.broker, site.folder, profile))
                ingest.wait_until_connected(site.broker[1])
                if profile is not None:
                    ingest.begin_profile()
                before_s, began = ingest.cpu_s(), time.monotonic()
            watch = _Watch(ingest, acks, len(backlog.messages))
            watch.wait()
            cpu_s, peak = ingest.cpu_s() - before_s, ingest.peak_rss_mb()
        result = Drain(
            seconds=acks.last_at - began,
            cpu_s=cpu_s,
            messages=len(backlog.messages),
            rows=backlog.rows,
            unacked=len(backlog.messages) - acks.stored,
            rss_mb_quarter=watch.rss_mb_at(0.25),
            rss_mb_end=watch.rss_mb_at(1.0),
            rss_mb_max=peak,
            audit=audit(database_url, backlog.sent),
        )
        return result, copied_rows(database_url) if copy else b""


class _Watch:
    """Looks at ingest's memory and at the stored-acks until all have come, or none comes any more."""

    def __init__(self, ingest: Measured, acks: StoredAcks, batches: int) -> None:
        self._ingest = ingest
        self._acks = acks
        self._batches = batches
        self._began = time.monotonic()
        self._rss_mb: list[tuple[int, float]] = []

    def wait(self) -> None:
        """Return when every batch has its stored-ack, or when none has come for a while.

        Raises:
            ProcessError: if ingest has ended.
        """
        while self._look() < self._batches:
            if time.monotonic() - max(self._acks.last_at, self._began) > _PATIENCE_S:
                return
            time.sleep(_LOOK_EVERY_S)

    def rss_mb_at(self, share: float) -> float:
        """The memory held when `share` of the batches was stored; the last reading if that never came about."""
        wanted = share * self._batches
        return next((rss for stored, rss in self._rss_mb if stored >= wanted), self._rss_mb[-1][1])

    def _look(self) -> int:
        self._ingest.check()
        stored = self._acks.stored
        self._rss_mb.append((stored, self._ingest.rss_mb()))
        return stored
