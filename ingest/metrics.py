"""What ingest tells Prometheus: a few additions a flush, everything else is read when somebody asks.

No label names a vehicle: there are the shard, the reason of a rejection, the session, the part that is away, and what
became of foreign messages. `docs/operations.md` says what each figure means and what to alarm on.
"""

import dataclasses
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Final

import numpy as np
from prometheus_client import CollectorRegistry, ProcessCollector
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, InfoMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from ingest.condition import Condition
from ingest.foreign import ForeignStatistics
from ingest.gaps import Gaps
from ingest.histogram import Histogram
from ingest.incoming import Incoming
from ingest.session import Backlog, Session, SessionStatistics
from ingest.shard import Shard
from ingest.writer import Outcome
from vehicle.batch import EventBatch, TelemetryBatch
from vehicle.rejection import RejectionReason

PREFIX: Final = "vsc_ingest_"
_COMMIT_BOUNDS_S: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
_FLUSH_BOUNDS: Final = (1, 2, 5, 10, 25, 50, 100, 250)
_LAG_BOUNDS_S: Final = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900, 3600, 6 * 3600, 86_400, 7 * 86_400)
_SKEW_BOUNDS_S: Final = (-3600, -600, -60, -10, -1, -0.1, 0, 0.1, 1, 10, 60, 600, 3600)

_SESSION_COUNTERS: Final[Sequence[tuple[str, str, Callable[[SessionStatistics], int]]]] = (
    ("received_messages", "Messages that the broker delivered, repetitions included.", lambda seen: seen.received),
    ("lost_sessions", "Connections at which the broker had no session of ours.", lambda seen: seen.lost_sessions),
    ("stale_acks", "Messages stored after their connection had ended.", lambda seen: seen.stale_acks),
    ("overflows", "Connections ended because the broker sent more than it may.", lambda seen: seen.overflows),
    ("pauses", "How often reading ceased because too many bytes waited.", lambda seen: seen.pauses),
    ("dropped_messages", "Messages of QoS 0 that came while too many waited.", lambda seen: seen.dropped),
)
_SESSION_GAUGES: Final[Sequence[tuple[str, str, Callable[[Backlog], int]]]] = (
    ("waiting_messages", "Messages received that wait for the next flush.", lambda now: now.messages),
    ("waiting_bytes", "Payload bytes of these.", lambda now: now.bytes),
    ("unacknowledged_messages", "Messages that the broker waits to see acknowledged.", lambda now: now.unacknowledged),
)


class Metrics(Collector):
    """The figures of one ingest process."""

    def __init__(
        self,
        shard: Shard,
        sessions: Mapping[str, Session],
        total: Outcome,
        *,
        conditions: Mapping[str, Condition],
        foreign: ForeignStatistics | None,
        gaps: Gaps,
    ) -> None:
        """Watch what others count.

        Args:
            shard: Whose figures these are.
            sessions: By name.
            total: To which the service adds each outcome.
            conditions: What ingest needs, by name.
            foreign: None: foreign cars are not served.
            gaps: What is known to be missing.
        """
        self._shard = shard
        self._sessions = sessions
        self._total = total
        self._conditions = conditions
        self._foreign = foreign
        self._gaps = gaps
        self._messages = 0
        self._bytes = 0
        self._committed_at = time.monotonic()
        self._commit = Histogram(PREFIX + "commit_seconds", "From taking a flush to its commit.", _COMMIT_BOUNDS_S)
        self._flush = Histogram(PREFIX + "flush_messages", "Messages stored in one flush.", _FLUSH_BOUNDS)
        self._lag = Histogram(
            PREFIX + "lag_seconds", "From sending to commit, of each batch, by the stack's clock.", _LAG_BOUNDS_S
        )
        self._skew = Histogram(
            PREFIX + "clock_skew_seconds",
            "Receiver's minus sender's clock, of each batch; negative: the sender's clock is ahead.",
            _SKEW_BOUNDS_S,
        )
        self.registry = CollectorRegistry()
        self.registry.register(self)
        ProcessCollector(registry=self.registry)

    def committed(self, flush: Sequence[Incoming], now: datetime, commit_s: float) -> None:
        """Take note of a flush that was committed at `now`, `commit_s` seconds after it was taken."""
        self._committed_at = time.monotonic()
        self._messages += len(flush)
        self._bytes += sum([len(incoming.message.payload) for incoming in flush])
        self._commit.add(np.array([commit_s]))
        self._flush.add(np.array([len(flush)], np.float64))
        contents = [i.content for i in flush if isinstance(i.content, TelemetryBatch | EventBatch)]
        sent_s = [content.sent_at.timestamp() for content in contents if not content.time_received]
        if sent_s:
            age_s = now.timestamp() - np.array(sent_s)
            self._lag.add(np.maximum(age_s, 0))
            self._skew.add(age_s - commit_s)

    def collect(self) -> Iterator[Metric]:
        """Every figure, when it is asked for."""
        yield InfoMetricFamily(
            "vsc_ingest", "Which part of the fleet this process stores.", {"shard": self._shard.name}
        )
        yield from self._session_figures()
        yield from self._counters()
        refused = CounterMetricFamily(
            PREFIX + "quarantined", "Messages kept in quarantine instead, or for a part of them.", labels=["reason"]
        )
        for reason in RejectionReason:
            refused.add_metric([reason.value], self._total.refused[reason])
        yield refused
        yield from self._gauges()
        for histogram in (self._commit, self._flush, self._lag, self._skew):
            yield histogram.family()

    def _counters(self) -> Iterator[Metric]:
        total = self._total
        for name, text, value in (
            ("committed_messages", "Messages whose flush was committed.", self._messages),
            ("committed_bytes", "Payload bytes of these.", self._bytes),
            ("batches", "New batches of which something was stored in the tables.", total.batches),
            ("samples", "Samples stored.", total.samples),
            ("events", "Events stored.", total.events),
            ("duplicates", "Batches that were stored already.", total.duplicates),
            ("withheld", "Messages left to their vehicles, because quarantine is full.", total.withheld),
            ("discarded", "Messages lost: quarantine is full, and nobody sends them again.", total.discarded),
        ):
            yield CounterMetricFamily(PREFIX + name, text, value)
        if self._foreign is not None:
            figures = dataclasses.asdict(self._foreign)
            text = "Rows that fields of foreign cars have been merged into."
            yield CounterMetricFamily(PREFIX + "foreign_rows", text, figures.pop("rows"))
            text = "Messages of foreign cars by what became of them."
            foreign = CounterMetricFamily(PREFIX + "foreign_messages", text, labels=["became"])
            for became, count in figures.items():
                foreign.add_metric([became], count)
            yield foreign

    def _session_figures(self) -> Iterator[Metric]:
        counted = {name: session.statistics for name, session in self._sessions.items()}
        for name, text, count in _SESSION_COUNTERS:
            counter = CounterMetricFamily(PREFIX + name, text, labels=["session"])
            for session, seen in counted.items():
                counter.add_metric([session], count(seen))
            yield counter
        backlogs = {name: session.backlog() for name, session in self._sessions.items()}
        for name, text, measure in _SESSION_GAUGES:
            gauge = GaugeMetricFamily(PREFIX + name, text, labels=["session"])
            for session, backlog in backlogs.items():
                gauge.add_metric([session], measure(backlog))
            yield gauge

    def _gauges(self) -> Iterator[Metric]:
        age_s = time.monotonic() - self._committed_at
        yield GaugeMetricFamily(PREFIX + "last_commit_age_seconds", "Since the last commit, or the start.", age_s)
        missing = self._gaps.open
        text = "Ranges of batches that are late, of cars heard lately."
        yield GaugeMetricFamily(PREFIX + "gaps", text, missing.ranges)
        yield GaugeMetricFamily(PREFIX + "missing_batches", "Batches in these.", missing.batches)
        works = GaugeMetricFamily(PREFIX + "works", "Whether what ingest needs is there.", labels=["part"])
        away = GaugeMetricFamily(PREFIX + "away_seconds", "For how long it is not; 0 while it is.", labels=["part"])
        for part, condition in self._conditions.items():
            works.add_metric([part], condition.standing.works)
            away.add_metric([part], condition.away_s())
        yield works
        yield away
