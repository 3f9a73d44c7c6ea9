from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.a_visit import CATALOGUE, NOW, a_ticket, a_visit, an_alert
from tickets.alert import Alert
from tickets.catalogue import effort
from tickets.planning import Plan, PlanReason, plan_visit
from tickets.ticket import Channel, ServiceTicket, TicketState
from tickets.triage import Order, decide
from tickets.visit import Appointment, Visit, VisitState
from vehicle.failure import FailureMode
from vehicle.finding import RemainingUsefulLife, Severity

DAY = timedelta(days=1)
TYRE = an_alert()
CELLS = an_alert(FailureMode.WEAK_CELL_GROUP, severity=Severity.CRITICAL, locations=("V_2",))


def planned(
    alerts: Sequence[Alert],
    tickets: Sequence[ServiceTicket] = (),
    visit: Visit | None = None,
    appointment: Appointment | None = None,
) -> Plan | None:
    orders = [(alert, order) for alert in alerts if isinstance(order := decide(alert, CATALOGUE), Order)]
    ids = [UUID(int=1000 + number) for number in range(len(orders) + 1)]
    return plan_visit(orders, tickets, visit, appointment, new_ids=ids, now=NOW)


def made(*alerts: Alert) -> Plan:
    plan = planned(alerts)
    assert plan
    return plan


def booked(plan: Plan, starts_at: timedelta) -> tuple[list[ServiceTicket], Visit, Appointment]:
    tickets = [replace(ticket, state=TicketState.BOOKED) for ticket in plan.tickets]
    visit = replace(plan.visit, state=VisitState.BOOKED)
    start = NOW + starts_at
    appointment = Appointment(visit.visit_id, "A-1", "here", "", start, start + timedelta(hours=1), NOW)
    return tickets, visit, appointment


def test_all_tickets_of_a_car_share_one_new_visit() -> None:
    plan = made(TYRE, CELLS)
    assert plan.reason is PlanReason.NEW_VISIT
    assert {ticket.visit_id for ticket in plan.tickets} == {plan.visit.visit_id}
    assert plan.visit.channel is Channel.SERVICE_CENTRE
    assert plan.visit.due_at == NOW + 5 * DAY
    assert [before for before, _ in plan.changed] == [None, None]


@given(st.lists(st.tuples(st.sampled_from(FailureMode), st.sampled_from(Severity)), unique_by=lambda pair: pair[0]))
def test_a_visit_asks_for_the_highest_channel_and_the_earliest_date(
    problems: list[tuple[FailureMode, Severity]],
) -> None:
    plan = planned([an_alert(mode, severity=severity) for mode, severity in problems])
    if plan is None:
        assert all(severity is Severity.INFO for _, severity in problems)
        return
    assert effort(plan.visit.channel) == max(effort(ticket.channel) for ticket in plan.tickets)
    assert plan.visit.due_at == min(ticket.due_at for ticket in plan.tickets)


def test_the_same_alerts_again_change_nothing() -> None:
    plan = made(TYRE, CELLS)
    again = planned([TYRE, CELLS], plan.tickets, plan.visit)
    assert again is not None
    assert (again.changed, again.reason, again.visit) == ((), None, plan.visit)


def test_a_new_ticket_joins_the_visit_before_its_appointment() -> None:
    tickets, visit, appointment = booked(made(TYRE), DAY)
    plan = planned([TYRE, CELLS], tickets, visit, appointment)
    assert plan is not None
    assert plan.reason is PlanReason.TICKET_ADDED
    assert plan.visit.visit_id == visit.visit_id
    assert (plan.visit.state, plan.visit.channel) == (VisitState.BOOKED, Channel.SERVICE_CENTRE)
    assert len(plan.tickets) == 2


def test_a_new_ticket_makes_a_new_visit_once_the_appointment_has_begun() -> None:
    first = replace(made(TYRE).tickets[0], state=TicketState.IN_PROGRESS, visit_id=UUID(int=7))
    plan = planned([TYRE, CELLS], [first])
    assert plan is not None
    assert plan.reason is PlanReason.NEW_VISIT
    assert [ticket.failure_mode for ticket in plan.tickets] == ["weak_cell_group"]


def test_a_ticket_that_missed_its_appointment_gets_another_visit() -> None:
    missed = a_ticket(alert_id=TYRE.alert_id, visit_id=UUID(int=7))
    plan = planned([TYRE], [missed])
    assert plan is not None
    assert plan.reason is PlanReason.NEW_VISIT
    assert plan.tickets[0].ticket_id == missed.ticket_id
    assert plan.tickets[0].visit_id == plan.visit.visit_id != missed.visit_id


@pytest.mark.parametrize("state", [TicketState.IN_PROGRESS, TicketState.DONE, TicketState.CANCELLED])
def test_an_alert_never_gets_a_second_ticket(state: TicketState) -> None:
    assert planned([TYRE], [replace(made(TYRE).tickets[0], state=state)]) is None


def test_a_worse_alert_raises_the_channel() -> None:
    cells = replace(CELLS, severity=Severity.WARNING)
    tickets, visit, appointment = booked(made(cells), DAY)
    plan = planned([replace(cells, severity=Severity.DANGER)], tickets, visit, appointment)
    assert plan is not None
    assert (plan.reason, plan.visit.channel) == (PlanReason.CHANNEL_RAISED, Channel.TOW)
    assert plan.changed[0][1].state is TicketState.BOOKED


def test_another_location_is_told() -> None:
    tickets, visit, appointment = booked(made(CELLS), DAY)
    plan = planned([replace(CELLS, locations=("V_2", "V_81"))], tickets, visit, appointment)
    assert plan is not None
    assert plan.reason is PlanReason.TICKET_CHANGED


@pytest.mark.parametrize(
    ("low_days", "starts", "reason"),
    [(1, 3 * DAY, PlanReason.DUE_EARLIER), (1, DAY / 2, None), (6.5, 6.8 * DAY, None)],
    ids=["due before the appointment", "appointment is early enough", "drifted by half a day"],
)
def test_an_earlier_date_is_told_when_the_appointment_would_be_too_late(
    low_days: float, starts: timedelta, reason: PlanReason | None
) -> None:
    tickets, visit, appointment = booked(made(TYRE), starts)
    sooner = replace(TYRE, remaining_useful_life=RemainingUsefulLife(low_days, 10, 20))
    plan = planned([sooner], tickets, visit, appointment)
    assert plan is not None
    assert plan.reason is reason


def test_a_ticket_is_never_made_less_urgent() -> None:
    danger = an_alert(FailureMode.HV_ISOLATION_LOSS, severity=Severity.DANGER)
    tickets, visit, appointment = booked(made(danger), DAY)
    later = replace(danger, severity=Severity.WARNING, last_seen_at=NOW + 9 * DAY)
    plan = planned([later], tickets, visit, appointment)
    assert plan is not None
    assert (plan.changed, plan.reason) == ((), None)


def test_nothing_ordered_is_nothing_planned() -> None:
    assert planned([]) is None
    assert planned([an_alert(confidence=0.1)], visit=a_visit()) is None
