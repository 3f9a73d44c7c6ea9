"""All that makes an ingest process visible from outside, in one place: conditions, metrics and the HTTP server."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from config.clock import WallClock
from ingest.condition import Condition
from ingest.foreign import ForeignCars
from ingest.gaps import Gaps
from ingest.incoming import Incoming
from ingest.metrics import Metrics
from ingest.observation import Observation
from ingest.session import Session
from ingest.shard import Shard
from ingest.writer import Outcome


class Oversight:
    """What the service tells of itself; only told things change, nothing here acts on ingest."""

    def __init__(
        self,
        shard: Shard,
        native: Session,
        foreign: ForeignCars | None,
        *,
        total: Outcome,
        gaps: Gaps,
        silent_for: Callable[[], timedelta],
    ) -> None:
        """Watch the sessions, `total`, to which every outcome is added, and how long ago the loop turned."""
        self.database = Condition(WallClock(), works=True)
        self.quarantine = Condition(WallClock(), works=True)
        """Whether there is room in it."""
        sessions = {"native": native}
        conditions = {"broker": native.reachable, "database": self.database, "quarantine": self.quarantine}
        if foreign is not None:
            sessions["foreign"] = foreign.session
            conditions["foreign broker"] = foreign.session.reachable
        statistics = None if foreign is None else foreign.statistics
        self._metrics = Metrics(shard, sessions, total, conditions=conditions, foreign=statistics, gaps=gaps)
        self._observation = Observation(self._metrics.registry, conditions, silent_for, shard.name)

    def start(self, port: int | None) -> None:
        """Serve metrics and probes at a port of the loopback interface; None: nowhere, 0: at any."""
        if port is not None:
            self._observation.start(port)

    def stop(self) -> None:
        """Serve no more."""
        self._observation.stop()

    def committed(self, flush: Sequence[Incoming], now: datetime, commit: timedelta) -> None:
        """Take note of a flush that was committed at `now`, `commit` after it was taken."""
        self._metrics.committed(flush, now, commit.total_seconds())
