from datetime import timedelta
from uuid import UUID

from reports.figures import fleet_figures, may_fail_before, warning_time
from reports.problems import Problem
from storage.prognoses import Prognosis
from tests.support.a_visit import NOW, an_alert
from tickets.visit import Appointment
from vehicle.failure import Component, FailureMode, Occasion, ServiceItem
from vehicle.finding import RemainingUsefulLife, Severity


def a_problem(
    mode: Occasion = FailureMode.TYRE_SLOW_LEAK,
    *,
    days: float | None = None,
    booked_in: float | None = None,
    **changes: object,
) -> Problem:
    life = RemainingUsefulLife(days / 2, days, days * 2) if days else None
    alert = an_alert(mode, **changes)
    prognosis = Prognosis(NOW, life) if life else None
    if booked_in is None:
        return Problem(alert, None, prognosis=prognosis)
    starts = NOW + timedelta(days=booked_in)
    return Problem(alert, None, None, Appointment(UUID(int=1), "A-1", "North", "", starts, starts, NOW), prognosis)


def test_the_fleet_in_figures() -> None:
    problems = [
        a_problem(days=10, booked_in=2),
        a_problem(days=10, booked_in=7, vehicle_id="veh-0002"),
        a_problem(booked_in=-2, vehicle_id="veh-0003"),
        a_problem(FailureMode.HV_ISOLATION_LOSS, days=4, severity=Severity.DANGER),
    ]
    contacts = {"veh-0001": NOW, "veh-0002": NOW - timedelta(hours=25)}
    figures = fleet_figures(problems, {"veh-0001", "veh-0002", "veh-0003"}, contacts, NOW)
    assert (figures.watched, figures.silent) == (3, ("veh-0002", "veh-0003"))
    assert (figures.troubled, figures.open_problems, figures.danger) == (3, 4, 1)
    assert (figures.booked, figures.begun, figures.late) == (3, 1, 1)
    assert figures.by_component == (
        (Component.TYRE, ((Severity.WARNING, 3),)),
        (Component.HIGH_VOLTAGE_SYSTEM, ((Severity.DANGER, 1),)),
    )
    assert figures.median_warning == timedelta(days=11)


def test_a_service_that_is_due_is_counted_apart() -> None:
    service = a_problem(ServiceItem.SERVICE_DUE, booked_in=3, vehicle_id="veh-0002")
    figures = fleet_figures([a_problem(days=10), service], {"veh-0001", "veh-0002"}, {}, NOW)
    assert (figures.troubled, figures.open_problems, figures.booked, figures.services_due) == (1, 1, 0, 1)
    assert [component for component, _ in figures.by_component] == [Component.TYRE]


def test_an_empty_fleet_has_figures() -> None:
    figures = fleet_figures([], set(), {}, NOW)
    assert (figures.watched, figures.open_problems, figures.median_warning) == (0, 0, None)


def test_an_appointment_after_the_earliest_failure_is_told() -> None:
    assert may_fail_before(a_problem(days=10, booked_in=6))
    assert not may_fail_before(a_problem(days=10, booked_in=4))
    assert not may_fail_before(a_problem(booked_in=90))
    assert not may_fail_before(a_problem(days=1))


def test_the_warning_counts_from_the_opening_of_the_alert() -> None:
    assert warning_time(a_problem(days=10)) == timedelta(days=11)
    assert warning_time(a_problem()) is None
