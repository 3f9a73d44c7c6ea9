"""``vsc bench soak``: hours at a steady share of the limit, and whether anything grows.

Every minute is one reading. Memory, file handles, threads and latency must stay flat (`benchmarks.trend` says what
that means); the database may grow. So that an hour fits on a disk, samples lie so close in event time that the run
spans at most twenty days, and old chunks are counted and dropped as retention would.
"""

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

import numpy as np

from benchmarks.audit import Audit, audit
from benchmarks.cars import first_sample_at, vehicle_ids
from benchmarks.drain import drain, make_backlog, make_ingest_session
from benchmarks.machine import machine_and_servers
from benchmarks.pacing import PacedFleet
from benchmarks.process import Measured, start_ingest
from benchmarks.retention import Retention
from benchmarks.rounds import CARS, SAMPLES
from benchmarks.site import Site
from benchmarks.trend import Verdict, judge
from vsc.runtime.locate import Binaries

_LONGEST_SPAN: Final = timedelta(days=20)
"""In event time: with its distance from the present, less than the late limit of 30 days."""
_OLDEST: Final = timedelta(days=21)
_LIMIT_MESSAGES: Final = 10_000
_LIMIT_SPAN: Final = timedelta(minutes=1)
_LIMIT_READINGS: Final = 12
_OVERLOAD: Final = 1.2
"""Of what a drained backlog shows: more than can be stored, and little enough for the broker to keep the rest."""
_MB: Final = 1e6
_FLOORS: Final = {
    "p50_s": 0.02, "p99_s": 0.1, "ingest_rss_mb": 5.0, "ingest_handles": 1.0, "ingest_threads": 1.0,
    "ingest_cpu_us_per_row": 0.5, "broker_rss_mb": 10.0, "unstored": 100.0,
}  # fmt: skip
"""What is judged, with the rise that means nothing."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What to do."""

    duration: timedelta
    load: float
    """Share of the limit."""
    limit_rows_s: float | None = None
    """None: it is measured first."""
    every: timedelta = timedelta(minutes=1)
    """Between two readings."""


@dataclass(frozen=True, slots=True)
class Reading:
    """One minute."""

    at_s: float
    """Since the beginning."""
    rows_stored: int
    """In this minute, by the stored-acks."""
    p50_s: float
    p99_s: float
    """Publish -> stored; the whole minute if nothing was stored in it."""
    ingest_rss_mb: float
    ingest_handles: int
    ingest_threads: int
    ingest_cpu_us_per_row: float
    broker_rss_mb: float
    unstored: int
    """Messages published and not yet stored: what the broker may have in its queue."""
    database_mb: float


@dataclass(slots=True)
class Soak:
    """A run and what came of it."""

    plan: Plan
    limit_rows_s: float
    rows_s: float
    """The load."""
    machine: dict[str, Any]
    readings: list[Reading] = field(default_factory=list)
    verdicts: list[Verdict] = field(default_factory=list)
    rows: int = 0
    unacked: int = 0
    dropped_rows: int = 0
    """Rows that were counted and dropped with their chunks."""
    audit: Audit = field(default_factory=Audit)

    @property
    def lost(self) -> int:
        """Rows sent and not stored, batches without stored-ack, and what is stored but was not sent."""
        return self.audit.lost + self.audit.foreign + self.audit.quarantined + self.unacked

    def figures(self) -> dict[str, Any]:
        """All of it for ``--json``."""
        return {**asdict(self), "lost": self.lost, "duplicated": self.audit.duplicated}


def soak(binaries: Binaries, plan: Plan, present: datetime, tell: Callable[[Reading], None]) -> Soak:
    """Run it on servers of our own; `tell` gets each reading as it is made."""
    ids = vehicle_ids(CARS)
    with Site(binaries, ids, present) as site:
        first = make_backlog(ids, 1, 1, first_sample_at(present), seed=1)
        make_ingest_session(site, first.messages[0])
        limit = plan.limit_rows_s or measure_limit(site, ids, first_sample_at(present))
        result = Soak(plan, limit, plan.load * limit, machine_and_servers(binaries))
        with site.fresh_database() as database_url:
            _run(site, database_url, result, present - _OLDEST, tell)
    at_s = [reading.at_s for reading in result.readings]
    for name, floor in _FLOORS.items():
        values = [getattr(reading, name) for reading in result.readings]
        result.verdicts.append(judge(name, at_s, values, floor))
    return result


def measure_limit(site: Site, ids: Sequence[str], start: datetime) -> float:
    """Rows a second that the whole path stores while cars publish more than that.

    Less than a drained backlog shows: publisher, checkpoints and autovacuum want their share too.
    """
    backlog = make_backlog(ids, SAMPLES, _LIMIT_MESSAGES, start, seed=1)
    drained = drain(site, backlog)
    overload = Plan(_LIMIT_SPAN, _OVERLOAD, drained.rows / drained.seconds, every=_LIMIT_SPAN / _LIMIT_READINGS)
    result = Soak(overload, drained.rows / drained.seconds, _OVERLOAD * drained.rows / drained.seconds, {})
    with site.fresh_database() as database_url:
        _run(site, database_url, result, start - _LONGEST_SPAN, lambda _: None)
    # The first reading holds the start, and the last may be short.
    steady = result.readings[1:-1]
    return sum(each.rows_stored for each in steady) / (steady[-1].at_s - result.readings[0].at_s)


def _run(site: Site, database_url: str, result: Soak, start: datetime, tell: Callable[[Reading], None]) -> None:
    ids, duration_s = vehicle_ids(CARS), result.plan.duration.total_seconds()
    step = _step(result.rows_s * duration_s / len(ids))
    retention = Retention(database_url, start, step * (result.rows_s / len(ids)))
    with start_ingest(database_url, site.broker, site.folder) as ingest:
        ingest.wait_until_connected(site.broker[1])
        with PacedFleet(site.broker, ids, SAMPLES, start, step) as fleet, ThreadPoolExecutor(1) as publisher:
            publishing = publisher.submit(fleet.run, result.rows_s, duration_s)
            meter = _Meter(site, ingest, fleet, retention)
            while not publishing.done():
                _sleep(result.plan.every, publishing.done)
                reading = meter.read()
                result.readings.append(reading)
                tell(reading)
                retention.drop_old()
            publishing.result()
            result.unacked = fleet.wait_until_stored()
            sent = fleet.sent()
    result.rows = sum(car.rows for car in sent)
    result.audit = retention.add_to(audit(database_url, retention.left_of(sent)), sent)
    result.dropped_rows = retention.dropped_rows


def _step(samples_a_car: float) -> timedelta:
    """The time between two samples of a car that must publish so many in a run; whole milliseconds."""
    closest = _LONGEST_SPAN / max(samples_a_car, 1)
    return timedelta(milliseconds=max(1, min(1000, closest // timedelta(milliseconds=1))))


def _sleep(interval: timedelta, over: Callable[[], bool]) -> None:
    deadline = time.monotonic() + interval.total_seconds()
    while time.monotonic() < deadline and not over():
        time.sleep(0.1)


class _Meter:
    """Reads what a minute brought."""

    def __init__(self, site: Site, ingest: Measured, fleet: PacedFleet, retention: Retention) -> None:
        self._broker = site.broker_process
        self._ingest = ingest
        self._fleet = fleet
        self._retention = retention
        self._began = self._read_at = time.monotonic()
        self._cpu_s = ingest.cpu_s()

    def read(self) -> Reading:
        """Everything since the last reading.

        Raises:
            ProcessError: if ingest has ended.
        """
        self._ingest.check()
        latencies, now = self._fleet.take_latencies(), time.monotonic()
        p50, p99 = np.quantile(latencies, (0.5, 0.99)).tolist() if len(latencies) else (float(now - self._read_at),) * 2
        rows, cpu_s = len(latencies) * SAMPLES, self._ingest.cpu_s()
        spent, self._cpu_s, self._read_at = cpu_s - self._cpu_s, cpu_s, now
        return Reading(
            at_s=round(now - self._began, 1),
            rows_stored=rows,
            p50_s=p50,
            p99_s=p99,
            ingest_rss_mb=self._ingest.rss_mb(),
            ingest_handles=self._ingest.handles(),
            ingest_threads=self._ingest.threads(),
            ingest_cpu_us_per_row=spent / max(rows, 1) * 1e6,
            broker_rss_mb=self._broker.memory_info().rss / _MB,
            unstored=self._fleet.unstored,
            database_mb=self._retention.database_bytes() / _MB,
        )
