"""Pushes visits into the booking system: a transactional outbox, sent until it is answered, in order per visit.

Killed between sending and noting the answer, the message is sent again under its old key, and the booking system
repeats its answer. The schedule of attempts goes by the machine's time: it is about the network, not about the cars.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final

import numpy as np
import psycopg
import structlog

from config.clock import Clock, WallClock
from flows.order import begin_visit
from storage import outbox, tickets, visits
from storage.connection import connect
from tickets.answer import Accepted, BookedAppointment, Halted, PushResult, RefusalReason, Refused, TryAgain
from tickets.backoff import LONGEST_ASKED, next_attempt_at
from tickets.booking import BookingDesk, holds
from tickets.payload import decode
from tickets.states import move
from tickets.ticket import TicketState
from tickets.visit import Appointment, BookingKind, BookingMessage, Visit, VisitState

LEASE: Final = timedelta(seconds=90)
"""Longer than the longest attempt: three requests of 20 s and the noting."""
FAILURES_IN_A_ROW: Final = 5
"""After so many the booking system is left alone for `REST`."""
REST: Final = timedelta(seconds=30)
HALT: Final = timedelta(minutes=5)
"""How long nothing is sent after the booking system has shut us out."""
KEYS_KEPT: Final = timedelta(hours=20)
"""After this time the booking system may have forgotten our keys (many keep them for a day): look before sending."""
HOLDING_STATUSES: Final = frozenset({429, 503})
"""Answers whose Retry-After speaks for the whole booking system."""

log = structlog.get_logger()


@dataclass(slots=True)
class PushSummary:
    """What one run did."""

    delivered: int = 0
    tried_again: int = 0
    """Attempts that failed and will be repeated."""
    dead: int = 0
    """Messages that wait for a person."""
    halted: str = ""
    """Why the run ended before everything due was sent; empty if it did not."""


def push_visits(database_url: str, booking: BookingDesk, clock: Clock, wall: Clock | None = None) -> PushSummary:
    """Send what is due; several at once do no harm.

    Args:
        database_url: where the outbox is.
        booking: the booking system.
        clock: the stack's; appointments and the tickets' steps are dated by it.
        wall: the machine's, for the schedule of attempts.
    """
    wall = wall or WallClock()
    summary = PushSummary()
    failures = 0
    with connect(database_url, application="push", autocommit=True) as connection:
        while leased := outbox.lease_due(connection, wall.now(), LEASE, limit=1):
            message = leased[0]
            result = _attempt(booking, message, wall.now())
            with connection.transaction():
                _note(connection, message, result, summary, now=clock.now(), wall_now=wall.now())
            failures = failures + 1 if isinstance(result, TryAgain) else 0
            rest = _rest(result, failures)
            if rest:
                outbox.hold(connection, wall.now() + rest)
                summary.halted = result.detail if isinstance(result, TryAgain | Halted) else ""
                log.warning("booking_system_left_alone", seconds=rest.total_seconds(), detail=summary.halted)
                break
    return summary


def _attempt(booking: BookingDesk, message: BookingMessage, now: datetime) -> PushResult:
    if message.attempts > 1 and now - message.created_at > KEYS_KEPT:
        payload = decode(message.body)
        found = booking.find_by_ref(payload.external_ref)
        if isinstance(found, Accepted):
            if holds(payload, found.appointment):
                return found
        elif found is not None:
            return found
    if message.kind is BookingKind.CANCEL:
        return Refused(RefusalReason.INVALID, "visits are not cancelled through the outbox yet")
    send = booking.create if message.kind is BookingKind.CREATE else booking.update
    return send(str(message.message_id), message.body)


def _rest(result: PushResult, failures: int) -> timedelta | None:
    """How long to leave the booking system alone, if at all."""
    if isinstance(result, Halted):
        return HALT
    if isinstance(result, TryAgain) and result.after and result.status in HOLDING_STATUSES:
        return min(result.after, LONGEST_ASKED)
    return REST if failures >= FAILURES_IN_A_ROW else None


def _note(
    connection: psycopg.Connection[Any],
    message: BookingMessage,
    result: PushResult,
    summary: PushSummary,
    *,
    now: datetime,
    wall_now: datetime,
) -> None:
    """Write down what came of an attempt, all of it or nothing."""
    told = {"visit_id": str(message.visit_id), "message_id": str(message.message_id), "attempts": message.attempts}
    match result:
        case Accepted(appointment, status):
            outbox.mark_delivered(connection, message.message_id, status)
            _book(connection, message, appointment, now)
            summary.delivered += 1
            log.info("visit_booked", appointment=appointment.id, starts_at=appointment.start_at.isoformat(), **told)
        case Refused(reason, detail, status):
            outbox.mark_dead(connection, message.message_id, status, detail)
            if reason is RefusalReason.BEGUN:
                _begin(connection, message, now)
            summary.dead += 1
            log.error("visit_refused", reason=reason, detail=detail, **told)
        case TryAgain(detail, status, after):
            rng = np.random.default_rng([message.message_id.int, message.attempts])
            next_at = next_attempt_at(wall_now, message.attempts, rng, after)
            if next_at:
                outbox.mark_retry(connection, message.message_id, next_at, status, detail)
                summary.tried_again += 1
            else:
                outbox.mark_dead(connection, message.message_id, status, f"out of attempts: {detail}")
                summary.dead += 1
            log.warning("visit_not_pushed", detail=detail, next_at=next_at and next_at.isoformat(), **told)
        case Halted(detail, status):
            outbox.give_back(connection, message.message_id, status, detail)
            log.error("booking_system_shut", detail=detail, **told)


def _book(
    connection: psycopg.Connection[Any], message: BookingMessage, booked: BookedAppointment, now: datetime
) -> None:
    visit = _locked(connection, message)
    known = visits.find_appointment(connection, message.visit_id)
    # A dispatcher that outlived its lease may come late with an older answer.
    if visit is None or (known and known.revision > booked.revision):
        return
    appointment = Appointment(
        visit_id=visit.visit_id,
        external_ref=booked.id,
        place=booked.place,
        technician=", ".join(booked.resources),
        starts_at=booked.start_at,
        ends_at=booked.end_at,
        booked_at=now,
        revision=booked.revision,
    )
    visits.save_appointment(connection, appointment)
    if visit.state is VisitState.PLANNED:
        visits.save(connection, replace(visit, state=VisitState.BOOKED))
    held = {line.id for line in booked.tickets}
    for ticket in tickets.of_visit(connection, visit.visit_id):
        if ticket.state is TicketState.OPEN and str(ticket.ticket_id) in held:
            _, step = move(ticket, TicketState.BOOKED, now, f"appointment {booked.id}")
            tickets.move(connection, step)


def _begin(connection: psycopg.Connection[Any], message: BookingMessage, now: datetime) -> None:
    visit = _locked(connection, message)
    if visit and visit.state is VisitState.BOOKED:
        begin_visit(connection, visit, now)


def _locked(connection: psycopg.Connection[Any], message: BookingMessage) -> Visit | None:
    """The message's visit as it is now, held against planning; None: the car has been forgotten."""
    vehicle_id = decode(message.body).vehicle_id
    visits.lock_vehicle(connection, vehicle_id)
    return visits.find(connection, message.visit_id)
