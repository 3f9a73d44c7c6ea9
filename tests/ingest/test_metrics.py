from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest
from prometheus_client import generate_latest
from prometheus_client.parser import text_string_to_metric_families

from config.clock import WallClock
from config.settings import CHECKOUT
from ingest.condition import Condition
from ingest.foreign import ForeignStatistics
from ingest.gaps import Gaps, OpenGaps
from ingest.incoming import Incoming, read
from ingest.metrics import PREFIX, Metrics
from ingest.session import Session
from ingest.shard import Shard
from ingest.writer import Outcome
from tests.support.some_batches import NOW, a_batch, a_message
from vehicle.rejection import RejectionReason


class Told:
    """Metrics, and all that they watch."""

    def __init__(self) -> None:
        self.session = Session("127.0.0.1", 9, client_id="x", rng=np.random.default_rng(0))
        self.total = Outcome()
        self.away = Condition(WallClock(), works=True)
        self.foreign = ForeignStatistics()
        self.gaps = Gaps(Shard(), WallClock())
        self.metrics = Metrics(
            Shard(1, 4),
            {"native": self.session},
            self.total,
            conditions={"database": self.away},
            foreign=self.foreign,
            gaps=self.gaps,
        )

    def value(self, name: str, **labels: str) -> float | None:
        """What a scrape gives."""
        return self.metrics.registry.get_sample_value(PREFIX + name, labels)


@pytest.fixture
def told() -> Told:
    return Told()


def sent(*ages_s: float, **changes: Any) -> list[Incoming]:
    """Batches sent so many seconds before NOW."""
    return [
        read(a_message(a_batch(seq=seq, sent_at=NOW - timedelta(seconds=age_s)), **changes))
        for seq, age_s in enumerate(ages_s, start=1)
    ]


def test_what_the_service_adds_up_is_told(told: Told) -> None:
    reasons = {RejectionReason.TOO_LATE: 3}
    told.total += Outcome(batches=2, samples=40, events=1, duplicates=5, withheld=7, discarded=8)
    told.total.refused.update(reasons)
    told.session.statistics.received = 9
    told.session.statistics.lost_sessions = 1
    told.foreign.merged = 11
    told.gaps.open = OpenGaps(2, 30)
    assert [told.value(f"{name}_total") for name in ("batches", "samples", "events", "duplicates")] == [2, 40, 1, 5]
    assert (told.value("withheld_total"), told.value("discarded_total")) == (7, 8)
    assert {reason: told.value("quarantined_total", reason=reason.value) for reason in RejectionReason} == {
        reason: reasons.get(reason, 0) for reason in RejectionReason
    }
    assert told.value("received_messages_total", session="native") == 9
    assert told.value("lost_sessions_total", session="native") == 1
    assert told.value("foreign_messages_total", became="merged") == 11
    assert (told.value("gaps"), told.value("missing_batches")) == (2, 30)
    assert told.value("info", shard="1/4") == 1


def test_a_commit_is_measured(told: Told) -> None:
    flush = sent(0.3, 40, 4000)
    told.metrics.committed(flush, NOW, commit_s=0.2)
    assert told.value("committed_messages_total") == 3
    assert told.value("committed_bytes_total") == sum(len(incoming.message.payload) for incoming in flush)
    assert [told.value("lag_seconds_bucket", le=le) for le in ("0.25", "0.5", "60.0", "3600.0", "+Inf")] == [
        0, 1, 2, 2, 3,
    ]  # fmt: skip
    assert told.value("lag_seconds_sum") == pytest.approx(4040.3)
    assert [told.value("commit_seconds_bucket", le=le) for le in ("0.1", "0.25")] == [0, 1]
    assert [told.value("flush_messages_bucket", le=le) for le in ("2.0", "5.0")] == [0, 1]
    age_s = told.value("last_commit_age_seconds")
    assert age_s is not None
    assert 0 <= age_s < 5


def test_a_clock_that_is_ahead_is_seen_as_skew_and_not_as_lag(told: Told) -> None:
    told.metrics.committed(sent(-30), NOW, commit_s=0.1)
    assert told.value("lag_seconds_sum") == 0
    assert [told.value("clock_skew_seconds_bucket", le=le) for le in ("-60.0", "-10.0")] == [0, 1]


@pytest.mark.parametrize("year", [1, 9999])
def test_no_clock_is_too_wrong_to_be_measured(told: Told, year: int) -> None:
    batch = a_batch(sent_at=datetime(year, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC))
    told.metrics.committed([read(a_message(batch))], NOW, commit_s=0.1)
    assert told.value("lag_seconds_bucket", le="+Inf") == 1


def test_what_cannot_be_read_has_no_lag(told: Told) -> None:
    told.metrics.committed(sent(1, payload=b"{"), NOW, commit_s=0.1)
    assert (told.value("committed_messages_total"), told.value("lag_seconds_bucket", le="+Inf")) == (1, 0)


def test_what_is_away_is_told_with_the_time(told: Told) -> None:
    assert (told.value("works", part="database"), told.value("away_seconds", part="database")) == (1, 0)
    told.away.tell(works=False)
    away_s = told.value("away_seconds", part="database")
    assert told.value("works", part="database") == 0
    assert away_s is not None
    assert 0 < away_s < 5


def test_prometheus_can_read_it_and_no_label_is_unbounded(told: Told) -> None:
    told.metrics.committed(sent(1), NOW, commit_s=0.1)
    families = list(text_string_to_metric_families(generate_latest(told.metrics.registry).decode()))
    ours = [family for family in families if family.name.startswith(PREFIX)]
    labels = {label for family in ours for sample in family.samples for label in sample.labels}
    assert labels == {"le", "reason", "session", "part", "became", "shard"}
    assert all(family.documentation for family in ours)
    assert all("car-1" not in str(family) for family in families)


def test_every_figure_is_explained_to_operators(told: Told) -> None:
    page = (CHECKOUT / "docs" / "operations.md").read_text()
    names = {
        family.name + {"counter": "_total", "info": "_info"}.get(family.type, "")
        for family in told.metrics.registry.collect()
        if family.name.startswith("vsc_")
    }
    assert {name for name in names if f"`{name}`" not in page} == set()
    assert len(names) > 25
