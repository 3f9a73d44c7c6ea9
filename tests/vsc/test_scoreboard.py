"""The scoreboard: what counts as found, and what as a false ticket."""

from datetime import UTC, datetime, timedelta

from vsc.scoreboard import IssuedTicket, Problem, judge

START = datetime(2026, 1, 1, tzinfo=UTC)


def day(number: float) -> datetime:
    return START + timedelta(days=number)


def a_problem(vehicle: str = "car-1", failed: float | None = 20) -> Problem:
    return Problem(vehicle, "tyre", "tyre_slow_leak", day(10), None if failed is None else day(failed))


def a_ticket(
    vehicle: str = "car-1", created: float = 14, appointments: int = 1, mode: str = "tyre_slow_leak"
) -> IssuedTicket:
    return IssuedTicket(vehicle, "tyre", mode, day(created), appointments)


def test_a_fault_is_found_by_a_ticket_before_its_failure() -> None:
    verdict = judge([a_problem(), a_problem("car-2")], [a_ticket(created=14), a_ticket("car-2", created=16)])
    assert (verdict.faults_injected, verdict.faults_found_before_failure) == (2, 2)
    assert verdict.median_lead_days == 5
    assert (verdict.tickets, verdict.tickets_with_appointment, verdict.false_tickets) == (2, 2, 0)


def test_a_ticket_at_or_after_the_failure_is_too_late() -> None:
    for created in (20, 25):
        verdict = judge([a_problem()], [a_ticket(created=created)])
        assert (verdict.faults_found_before_failure, verdict.false_tickets) == (0, 0)
        assert verdict.median_lead_days is None


def test_a_ticket_for_what_is_not_wrong_is_false() -> None:
    wrong_car, wrong_mode, too_soon = a_ticket("car-9"), a_ticket(mode="other"), a_ticket(created=9)
    verdict = judge([a_problem()], [wrong_car, wrong_mode, too_soon])
    assert (verdict.false_tickets, verdict.faults_found_before_failure) == (3, 0)


def test_a_service_that_is_due_is_no_false_ticket() -> None:
    verdict = judge([], [IssuedTicket("car-1", "maintenance", "service_due", day(14), 1)])
    assert (verdict.tickets, verdict.false_tickets) == (1, 0)


def test_a_fault_that_does_not_fail_yet_counts_as_found_without_a_lead() -> None:
    verdict = judge([a_problem(failed=None)], [a_ticket()])
    assert (verdict.faults_found_before_failure, verdict.median_lead_days) == (1, None)


def test_a_ticket_in_no_or_two_appointments_is_not_well_booked() -> None:
    tickets = [a_ticket(appointments=0), a_ticket(appointments=2), a_ticket(appointments=1)]
    assert judge([a_problem()], tickets).tickets_with_appointment == 1


def test_an_empty_fleet_has_nothing_to_find() -> None:
    assert judge([], []).faults_injected == 0
