import random
from datetime import timedelta
from uuid import UUID

import psycopg
import pytest

from reports.problems import Problem, read_problem, read_problems, urgency
from storage.prognoses import Prognosis
from tests.support.a_visit import NOW, an_alert
from tickets.alert import AlertStatus
from tickets.visit import Appointment
from vehicle.failure import FailureMode
from vehicle.finding import RemainingUsefulLife, Severity


def a_problem(days: float | None = None, **changes: object) -> Problem:
    life = RemainingUsefulLife(days * 0.5, days, days * 2) if days else None
    return Problem(an_alert(**changes), None, prognosis=Prognosis(NOW, life) if life else None)  # type: ignore[arg-type] # any


def test_the_worst_comes_first_then_what_fails_first_then_what_waits_longest() -> None:
    in_order = [
        a_problem(severity=Severity.DANGER),
        a_problem(3, severity=Severity.CRITICAL),
        a_problem(8, severity=Severity.CRITICAL),
        a_problem(opened_at=NOW - timedelta(days=9)),
        a_problem(opened_at=NOW - timedelta(days=2)),
    ]
    for seed in range(10):
        shuffled = random.Random(seed).sample(in_order, len(in_order))
        assert sorted(shuffled, key=urgency) == in_order


def test_failure_is_counted_from_when_it_was_dated() -> None:
    failure = a_problem(10, last_seen_at=NOW + timedelta(days=3)).failure
    assert failure is not None
    assert (failure.earliest, failure.latest) == (NOW + timedelta(days=5), NOW + timedelta(days=20))
    assert a_problem().failure is None


def test_an_appointment_begins_at_its_time() -> None:
    starts = NOW + timedelta(days=1)
    appointment = Appointment(UUID(int=1), "A-1", "North", "", starts, starts, NOW)
    problem = Problem(an_alert(), None, None, appointment)
    assert (problem.is_begun(NOW), problem.is_begun(starts)) == (False, True)
    assert not a_problem().is_begun(NOW)


def test_a_life_without_end_is_still_a_date() -> None:
    failure = a_problem(1e9).failure
    assert failure is not None
    assert failure.latest.year > NOW.year


@pytest.mark.integration
def test_a_problem_is_read_with_all_that_hangs_on_it(fleet_url: str) -> None:
    with psycopg.connect(fleet_url) as connection:
        problems = {problem.alert.failure_mode: problem for problem in read_problems(connection)}
        leak = problems[FailureMode.TYRE_SLOW_LEAK]
        assert leak.finding is not None
        assert leak.finding.evidence.threshold == 232
        assert leak.ticket is not None
        assert leak.appointment is not None
        assert leak.appointment.visit_id == leak.ticket.visit_id
        waiting = problems[FailureMode.WEAK_CELL_GROUP]
        assert (waiting.ticket, waiting.appointment) == (None, None)
        again = read_problem(connection, leak.alert.alert_id)
        assert again is not None
        assert (again.alert, again.ticket, again.appointment) == (leak.alert, leak.ticket, leak.appointment)
        assert read_problems(connection, (AlertStatus.DISMISSED,)) == []
        assert [p.alert.vehicle_id for p in read_problems(connection, vehicle_id="van-01")] == ["van-01"]
