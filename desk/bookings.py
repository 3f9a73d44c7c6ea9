"""What the desk does: find slots, book, amend, cancel; each change is one repeatable transaction."""

import hashlib
import sqlite3
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from itertools import islice

from config.clock import Clock
from desk import store
from desk.allocation import HORIZON, served_by, slot_for
from desk.messages import Appointment, AppointmentPage, BookingRequest, SlotAnswer, TicketLine
from desk.places import Channel, Place
from desk.refusal import Refusal
from desk.slots import Slot, open_slots, resources_of
from desk.store import Answer, Booking, Store

FULL_RETRY_AFTER = timedelta(minutes=30)
"""When to ask again after the whole horizon was full."""
PAGE_SIZE = 1000
MOST_SLOTS = 500
"""Slots in one answer."""


class Desk:
    """The booking desk over its storage, its places and the clock it keeps its day by."""

    def __init__(self, kept: Store, places: Mapping[str, Place], clock: Clock) -> None:
        self._store = kept
        self._clock = clock
        self._resources = resources_of(places)
        self.places = places

    def now(self) -> datetime:
        """The desk's present."""
        return self._clock.now()

    def free_slots(self, channel: Channel, duration: timedelta, window: tuple[datetime, datetime]) -> list[SlotAnswer]:
        """Free slots that start within a window, after now and within the horizon, the first `MOST_SLOTS`."""
        now = self.now()
        starts = (max(window[0], now), min(window[1], now + HORIZON))
        with self._store.snapshot() as connection:
            taken = store.taken_from(connection, now)
        found = open_slots(self.places, served_by(self.places, channel), duration, starts, made_at=now, taken=taken)
        return [
            SlotAnswer(
                place_id=slot.place_id,
                place=self.places[slot.place_id].name,
                start_at=slot.start_at,
                end_at=slot.end_at,
            )
            for slot in islice(found, MOST_SLOTS)
        ]

    def book(self, key: str, request: BookingRequest) -> tuple[Answer, bool]:
        """Make an appointment; the flag says that the answer is one given before.

        Raises:
            Refusal: when there is no slot, or the reference already has an appointment.
        """

        def make(connection: sqlite3.Connection) -> Answer:
            existing = store.latest(connection, request.external_ref)
            if existing and existing.status == "booked":
                raise self._conflict("already_booked", "the reference already has an appointment", existing)
            now = self.now()
            return self._answer(201, store.add(connection, request, self._slot(connection, request, now), now))

        return self._once(key, f"book {request.model_dump_json()}", make)

    def amend(self, key: str, request: BookingRequest) -> tuple[Answer, bool]:
        """Change an appointment that has not begun; it keeps its slot if that still serves.

        Raises:
            Refusal: when it is unknown, cancelled, begun, or as new as the request.
        """

        def make(connection: sqlite3.Connection) -> Answer:
            existing = self._existing(connection, request.external_ref)
            if existing.request == request:
                return self._answer(200, existing)
            self._check_open(existing)
            if request.revision <= existing.request.revision:
                message = f"revision {existing.request.revision} is booked already"
                raise self._conflict("stale_revision", message, existing, "revision")
            now = self.now()
            slot = self._slot(connection, request, now, existing)
            return self._answer(200, store.change(connection, existing.number, request, slot, now))

        return self._once(key, f"amend {request.model_dump_json()}", make)

    def cancel(self, external_ref: str) -> Appointment:
        """Cancel the appointment of a reference; cancelling again changes nothing.

        Raises:
            Refusal: when there is none, or it has begun.
        """
        with self._store.transaction() as connection:
            existing = self._existing(connection, external_ref)
            if existing.status == "booked":
                self._check_open(existing)
                existing = store.cancel(connection, existing.number, self.now())
            return self.appointment(existing)

    def find(self, external_ref: str) -> Appointment:
        """The appointment of a reference: the active one, or else the latest cancelled one.

        Raises:
            Refusal: when there never was one.
        """
        with self._store.snapshot() as connection:
            return self.appointment(self._existing(connection, external_ref))

    def page(self, vehicle_id: str | None, after: int) -> AppointmentPage:
        """Appointments of a vehicle or of all, made after the one with a number, the first `PAGE_SIZE`."""
        with self._store.snapshot() as connection:
            found = store.made_after(connection, after, vehicle_id, PAGE_SIZE)
        return AppointmentPage(
            appointments=[self.appointment(booking) for booking in found],
            next=found[-1].number if len(found) == PAGE_SIZE else None,
        )

    def agenda(self, limit: int) -> tuple[list[Appointment], list[Appointment]]:
        """What is under way or to come, earliest first, and what is over, latest first."""
        now = self.now()
        with self._store.snapshot() as connection:
            coming = store.starting_from(connection, now, limit)
            over = store.ended_before(connection, now, limit)
        return [self.appointment(found) for found in coming], [self.appointment(found) for found in over]

    def appointment(self, booking: Booking) -> Appointment:
        """A stored appointment as the world sees it."""
        request = booking.request
        resources = (self._resources[resource_id] for resource_id in booking.resource_ids)
        return Appointment(
            id=f"A-{booking.number:06d}",
            external_ref=request.external_ref,
            revision=request.revision,
            status=booking.status,
            vehicle_id=request.vehicle_id,
            channel=request.channel,
            place_id=booking.place_id,
            place=self.places[booking.place_id].name,
            resources=[
                resource.name if place.id == booking.place_id else f"{place.name}, {resource.name}"
                for place, resource in resources
            ],
            start_at=booking.start_at,
            end_at=booking.end_at,
            due_at=request.due_at,
            meets_due=booking.start_at <= request.due_at,
            tickets=[TicketLine(id=ticket.id, title=ticket.title) for ticket in request.tickets],
            created_at=booking.created_at,
            changed_at=booking.changed_at,
        )

    def _once(self, key: str, said: str, make: Callable[[sqlite3.Connection], Answer]) -> tuple[Answer, bool]:
        fingerprint = hashlib.sha256(said.encode()).hexdigest()
        with self._store.transaction() as connection:
            kept = store.kept_answer(connection, key)
            if kept is None:
                answer = make(connection)
                store.keep_answer(connection, key, fingerprint, answer, self.now())
                return answer, False
        if kept[0] != fingerprint:
            message = "this key came with another request before"
            raise Refusal(422, "key_reused", message, field="Idempotency-Key")
        return kept[1], True

    def _slot(
        self,
        connection: sqlite3.Connection,
        request: BookingRequest,
        now: datetime,
        current: Booking | None = None,
    ) -> Slot:
        taken = store.taken_from(connection, now, current.number if current else None)
        slot = slot_for(self.places, request, now, taken, current)
        if slot:
            return slot
        if not served_by(self.places, request.channel, request.place_id):
            raise Refusal(422, "invalid", f"no such place for {request.channel}", field="place_id")
        if request.start_at:
            raise Refusal(409, "slot_taken", "there is no free slot at that start", field="start_at")
        message = f"no free slot within {HORIZON.days} days"
        raise Refusal(503, "full", message, retry_after=FULL_RETRY_AFTER)

    def _existing(self, connection: sqlite3.Connection, external_ref: str) -> Booking:
        existing = store.latest(connection, external_ref)
        if existing is None:
            raise Refusal(404, "unknown", "there is no appointment of that reference", field="external_ref")
        return existing

    def _check_open(self, existing: Booking) -> None:
        if existing.status != "booked":
            raise self._conflict("cancelled", "the appointment is cancelled", existing)
        if existing.start_at <= self.now():
            raise self._conflict("begun", "the appointment has begun", existing)

    def _conflict(self, code: str, message: str, existing: Booking, field: str | None = None) -> Refusal:
        return Refusal(409, code, message, field=field, appointment=self.appointment(existing))

    def _answer(self, status: int, booking: Booking) -> Answer:
        return Answer(status, self.appointment(booking).model_dump_json())
