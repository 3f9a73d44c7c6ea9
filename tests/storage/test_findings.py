"""Findings come back whole, and the same claim is stored once."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import psycopg
import pytest

from storage import findings
from storage.findings import StoredFinding
from vehicle.failure import Component, FailureMode
from vehicle.finding import Evidence, Finding, RemainingUsefulLife, Severity, Trace

pytestmark = pytest.mark.integration
NOW = datetime(2026, 9, 1, tzinfo=UTC)
TRACE = Trace(
    "V_81",
    "mV",
    np.array(["2026-08-01T00:00:00.000001", "2026-08-02"], dtype="datetime64[us]"),
    np.array([-33.1, np.nan]),
)
FINDING = Finding(
    vehicle_id="car",
    component=Component.TRACTION_BATTERY,
    failure_mode=FailureMode.WEAK_CELL_GROUP,
    detector="cell_peers",
    score=1.5,
    severity=Severity.CRITICAL,
    confidence=0.9,
    observed_at=NOW,
    window_start=NOW - timedelta(days=3),
    window_end=NOW,
    evidence=Evidence("V_81 lies 33 mV below its peers", "it returns to them", (TRACE,), -20.0, "limit"),
    locations=("V_2", "V_81"),
    remaining_useful_life=RemainingUsefulLife(1, 2.5, 9),
)


def test_a_finding_comes_back_whole(connection: psycopg.Connection[Any]) -> None:
    finding_id = findings.record(connection, FINDING)
    assert finding_id is not None
    found = findings.find(connection, finding_id)
    assert found is not None
    assert replace(found, evidence=FINDING.evidence) == FINDING
    assert replace(found.evidence, traces=()) == replace(FINDING.evidence, traces=())
    (trace,) = found.evidence.traces
    assert (trace.label, trace.unit) == ("V_81", "mV")
    np.testing.assert_array_equal(trace.times, TRACE.times)
    np.testing.assert_array_equal(trace.values, TRACE.values)


def test_a_bare_finding_comes_back(connection: psycopg.Connection[Any]) -> None:
    bare = replace(FINDING, evidence=Evidence("a", "b"), locations=(), remaining_useful_life=None)
    assert findings.record(connection, bare) is not None
    assert [stored.finding for stored in findings.of_vehicle(connection, "car")] == [bare]
    assert findings.find(connection, 0) is None


def test_the_same_claim_is_stored_once(connection: psycopg.Connection[Any]) -> None:
    assert findings.record(connection, FINDING) is not None
    assert findings.record(connection, replace(FINDING, score=2)) is None
    others = [
        replace(FINDING, cleared=True),
        replace(FINDING, locations=("V_3",)),
        replace(FINDING, observed_at=NOW + timedelta(seconds=1)),
    ]
    assert None not in [findings.record(connection, other) for other in others]
    assert len(findings.of_vehicle(connection, "car")) == 4


def test_a_claim_made_again_says_what_is_still_missing(connection: psycopg.Connection[Any]) -> None:
    lacking = replace(FINDING, evidence=replace(FINDING.evidence, missing="3 batches missing."))
    finding_id = findings.record(connection, lacking)
    assert finding_id is not None
    for missing in ("1 batch missing.", ""):
        again = replace(FINDING, score=2, evidence=replace(FINDING.evidence, missing=missing))
        assert findings.record(connection, again) is None
        stored = findings.find(connection, finding_id)
        assert stored is not None
        assert (stored.evidence.missing, stored.evidence.summary, stored.score) == (
            missing,
            FINDING.evidence.summary,
            FINDING.score,
        )


def test_a_finding_of_before_anything_was_said_of_it_lacks_nothing(connection: psycopg.Connection[Any]) -> None:
    finding_id = findings.record(connection, FINDING)
    connection.execute("UPDATE findings SET evidence = evidence - 'missing'")
    assert finding_id is not None
    stored = findings.find(connection, finding_id)
    assert stored is not None
    assert stored.evidence.missing == ""


def test_the_findings_of_a_problem(connection: psycopg.Connection[Any]) -> None:
    bare = replace(FINDING, evidence=Evidence("a", "b"))
    later = replace(bare, observed_at=NOW + timedelta(days=1))
    later_id = findings.record(connection, later)
    findings.record(connection, bare)
    findings.record(connection, replace(later, failure_mode="another"))
    found = findings.of_problem(connection, "car", FINDING.component, FINDING.failure_mode, NOW + timedelta(hours=1))
    assert found == [StoredFinding(later_id or 0, later)]
