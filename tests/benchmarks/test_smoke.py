"""Both measurements on a tiny scale, so that they do not rot; their figures mean nothing here."""

from datetime import UTC, datetime, timedelta

import pytest

from benchmarks import rounds, soak
from benchmarks.scorecard import rows_of
from vsc.runtime.locate import Binaries
from vsc.runtime.progress import silent

pytestmark = pytest.mark.integration


def test_ingest_is_measured_and_loses_nothing(binaries: Binaries) -> None:
    plan = rounds.Plan(rounds=1, messages=100, latency_s=0, profiles=("single",))
    figures = rounds.measure(binaries, plan, datetime.now(UTC), silent).figures()
    assert (figures["lost"], figures["duplicated"]) == (0, 0)
    for name in ("copy_rows_s", "paho_msgs_s", "single_msgs_s", "batch_rows_s", "rss_mb_max"):
        assert figures[name] > 0, name
    assert figures["per_round"]["single_per_paho"] == [figures["single_msgs_s"] / figures["paho_msgs_s"]]
    assert sum(stage["cpu_pct"] for stage in figures["profile_single"]["stages"]) == pytest.approx(100)
    assert {row["figure"] for row in rows_of(figures)} >= {"single_per_paho", "batch_per_copy"}


def test_a_soak_drops_old_chunks_and_accounts_for_every_row(
    binaries: Binaries, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("benchmarks.retention.CHUNK", timedelta(seconds=0.8))
    told: list[soak.Reading] = []
    plan = soak.Plan(timedelta(seconds=5), load=0.5, limit_rows_s=4000, every=timedelta(seconds=1))
    result = soak.soak(binaries, plan, datetime.now(UTC), told.append)
    assert (result.rows, result.lost, result.audit.duplicated) == (10_000, 0, 0)
    assert told == result.readings
    assert {verdict.figure for verdict in result.verdicts} >= {"p99_s", "ingest_rss_mb", "ingest_handles"}
    if binaries.timescaledb:
        assert 0 < result.dropped_rows < result.rows
