"""What the detectors, the dispatcher and the booking desk have made of the faulty cars of the small fleet."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final
from uuid import UUID, uuid5

import numpy as np
import psycopg

from storage import alerts, findings, outbox, quarantine, tickets, visits
from storage.quarantine import QuarantinedMessage
from tests.support.fleet_samples import FAULTY, NOW, START
from tickets.alert import Alert, AlertStatus
from tickets.ticket import Channel, ServiceTicket, TicketState, TicketTransition
from tickets.visit import Appointment, BookingKind, BookingMessage, BookingState, Visit, VisitState
from vehicle.failure import FailureMode
from vehicle.finding import Evidence, Finding, RemainingUsefulLife, Severity, Trace
from vehicle.moment import instant
from vehicle.rejection import Rejection, RejectionReason

_NAMES: Final = UUID(int=7)


@dataclass(frozen=True, slots=True)
class Case:
    """One fault as its detector tells it."""

    severity: Severity
    confidence: float
    summary: str
    clears_when: str
    unit: str
    healthy: float
    per_day: float
    limit: float
    limit_label: str
    days_left: float
    locations: tuple[str, ...] = ()
    peers: int = 0
    channel: Channel | None = None
    """None: nobody has confirmed it yet."""
    action: str = ""
    parts: tuple[str, ...] = ()


CASES: Final = {
    FailureMode.LV_BATTERY_AGEING: Case(
        Severity.CRITICAL, 0.93, "Rest voltage fell from 12.62 V to 11.88 V in 16 days while peers stayed at 12.6 V.",
        "Rest voltage above 12.40 V on three mornings in a row.", "V", 12.62, -0.045, 12.2, "weak when at rest", 9,
        channel=Channel.MOBILE, action="Replace the 12 V battery at the owner's place.",
        parts=("12 V battery AGM 50 Ah",),
    ),
    FailureMode.TYRE_SLOW_LEAK: Case(
        Severity.WARNING, 0.88, "Rear left loses 4.6 kPa a day at equal temperature; the other wheels lose nothing.",
        "Rear left within 10 kPa of the other wheels for a day.", "kPa", 290, -4.6, 232, "80 % of recommended", 4,
        locations=("rl",), peers=3, channel=Channel.MOBILE, action="Find and repair the puncture, rear left.",
        parts=("repair kit",),
    ),
    FailureMode.WEAK_CELL_GROUP: Case(
        Severity.WARNING, 0.64, "Cell groups 2 and 81 lie 53 mV below the median of 96 at rest, 3.3 mV more each day.",
        "Both within 15 mV of the median over three days.", "mV", 0, -3.3, -30, "peers' limit", 41,
        locations=("V_2", "V_81"), peers=94,
    ),
    FailureMode.COOLANT_PUMP_WEAK: Case(
        Severity.WARNING, 0.57, "Coolant runs 31 degC above ambient on the same drives as before, 1.9 degC more a day.",
        "Coolant below 50 degC on five drives in a row.", "degC", 41, 1.9, 60, "hot for this load", 17,
    ),
    FailureMode.CHARGE_INLET_OVERHEATING: Case(
        Severity.DANGER, 0.97, "The inlet reached 76 degC at 16 A; cars of this model stay below 45 degC.",
        "Inlet below 50 degC on three full charges.", "degC", 38, 2.3, 70, "stop charging", 1.5,
        channel=Channel.SERVICE_CENTRE, action="Replace the charge inlet. Owner told not to charge until then.",
        parts=("charge inlet", "inlet harness"),
    ),
    FailureMode.HV_ISOLATION_LOSS: Case(
        Severity.DANGER, 0.91, "Isolation fell from 4.2 Mohm to 0.7 Mohm in 16 days and is falling on.",
        "Isolation above 1000 kohm for two days.", "kohm", 4200, -215, 1000, "early warning", 2.5,
        channel=Channel.TOW, action="Find and repair the isolation fault. Do not drive.",
        parts=("high-voltage harness seal",),
    ),
}  # fmt: skip


def store_problems(connection: psycopg.Connection[Any]) -> dict[FailureMode, UUID]:
    """Store findings, alerts, tickets, visits and appointments, and return the alert of each fault."""
    stored = {mode: _store_problem(connection, vehicle_id, mode, CASES[mode]) for vehicle_id, mode in FAULTY.items()}
    _store_quarantine(connection)
    return stored


def _store_problem(connection: psycopg.Connection[Any], vehicle_id: str, mode: FailureMode, case: Case) -> UUID:
    latest = None
    for day in range(20, 25):
        latest = findings.record(connection, _finding(vehicle_id, mode, case, day)) or latest
    alert = Alert(
        alert_id=uuid5(_NAMES, f"alert {mode}"),
        vehicle_id=vehicle_id,
        component=mode.component,
        failure_mode=mode,
        status=AlertStatus.CONFIRMED if case.channel else AlertStatus.OPEN,
        severity=case.severity,
        score=1.8,
        confidence=case.confidence,
        opened_at=START + timedelta(days=20),
        last_seen_at=START + timedelta(days=24),
        finding_count=5,
        latest_finding_id=latest,
        locations=case.locations,
        remaining_useful_life=_life(case),
    )
    alerts.save(connection, alert)
    if case.channel:
        _store_order(connection, alert, case, case.channel)
    return alert.alert_id


def _life(case: Case) -> RemainingUsefulLife:
    return RemainingUsefulLife(case.days_left * 0.6, case.days_left, case.days_left * 1.7)


def _finding(vehicle_id: str, mode: FailureMode, case: Case, day: int) -> Finding:
    end = START + timedelta(days=day)
    evidence = Evidence(case.summary, case.clears_when, _traces(case, day), case.limit, case.limit_label)
    return Finding(
        vehicle_id=vehicle_id,
        component=mode.component,
        failure_mode=mode,
        detector=f"{mode}_trend",
        score=0.9 + 0.225 * (day - 20),
        severity=case.severity,
        confidence=case.confidence,
        observed_at=end,
        window_start=end - timedelta(days=7),
        window_end=end,
        evidence=evidence,
        locations=case.locations,
        remaining_useful_life=_life(case),
    )


def _traces(case: Case, day: int) -> tuple[Trace, ...]:
    rng = np.random.default_rng(day)
    days = np.arange(0.25, day, 0.25)
    times = instant(START) + (days * 86_400e6).astype("timedelta64[us]")
    spread = 0.03 * abs(case.healthy - case.limit)

    def line(label: str, per_day: float) -> Trace:
        values = case.healthy + per_day * np.clip(days - 8, 0, None)
        return Trace(label, case.unit, times, values + rng.normal(0, spread, len(days)))

    affected = [line(location, case.per_day) for location in case.locations or ("measured",)]
    peers = [line(f"peer {n + 1}", 0.0) for n in range(case.peers)]
    return (*affected, *peers)


def _store_order(connection: psycopg.Connection[Any], alert: Alert, case: Case, channel: Channel) -> None:
    made = alert.opened_at + timedelta(hours=1)
    due = alert.last_seen_at + timedelta(days=case.days_left * 0.6)
    visit_id = uuid5(_NAMES, f"visit {alert.alert_id}")
    booked = channel is not Channel.TOW
    state = VisitState.BOOKED if booked else VisitState.PLANNED
    visits.save(connection, Visit(visit_id, alert.vehicle_id, state, channel, due, made))
    ticket = ServiceTicket(
        ticket_id=uuid5(_NAMES, f"ticket {alert.alert_id}"),
        alert_id=alert.alert_id,
        visit_id=visit_id,
        vehicle_id=alert.vehicle_id,
        component=alert.component,
        failure_mode=alert.failure_mode,
        severity=alert.severity,
        title=case.action.partition(".")[0],
        action=case.action,
        channel=channel,
        parts=case.parts,
        due_at=due,
        state=TicketState.OPEN,
        created_at=made,
    )
    tickets.save(connection, ticket)
    tickets.move(connection, TicketTransition(ticket.ticket_id, made, None, TicketState.OPEN, "alert confirmed"))
    message = BookingMessage(uuid5(_NAMES, f"message {visit_id}"), visit_id, BookingKind.CREATE, b"{}", made, made)
    outbox.add(connection, message)
    if booked:
        _store_appointment(connection, ticket, message)


def _store_appointment(connection: psycopg.Connection[Any], ticket: ServiceTicket, message: BookingMessage) -> None:
    starts = NOW.replace(hour=9, minute=0) + timedelta(days=1 if ticket.severity is Severity.DANGER else 3)
    booked = ticket.created_at + timedelta(minutes=2)
    outbox.mark_delivered(connection, message.message_id, 201)
    place = "Service centre North"
    visits.save_appointment(
        connection,
        Appointment(ticket.visit_id, "APT-17", place, "K. Berg", starts, starts + timedelta(hours=2), booked),
    )
    step = TicketTransition(ticket.ticket_id, booked, TicketState.OPEN, TicketState.BOOKED, "appointment APT-17")
    tickets.move(connection, step)
    assert message.state is BookingState.PENDING


def _store_quarantine(connection: psycopg.Connection[Any]) -> None:
    def message(reason: RejectionReason, detail: str, payload: bytes) -> QuarantinedMessage:
        return QuarantinedMessage(
            NOW, "vsc/v1/city-03/telemetry", Rejection(reason, detail), payload, "application/json", "city-03"
        )

    unknown = message(RejectionReason.UNKNOWN_VEHICLE, "the vehicle is not in the registry", b'{"v":1}')
    future = message(RejectionReason.CLOCK_FUTURE, "the sample lies 3 h ahead of the clock", b'{"v":1,"seq":4}')
    broken = message(RejectionReason.UNREADABLE, "the payload is not JSON", b"\x00\xff<script>alert(1)</script>")
    quarantine.record(connection, [unknown, unknown, unknown, future, broken])
