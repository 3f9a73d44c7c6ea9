"""The adapter to the booking desk: one attempt each, classified; when to try again is the caller's to decide.

Redirects are never followed, at most 64 kB of an answer are read, and an attempt ends by itself.
"""

import asyncio
from dataclasses import dataclass
from datetime import timedelta
from email.utils import parsedate_to_datetime
from typing import Final
from urllib.parse import quote

import httpx
import msgspec

from tickets.answer import (
    Accepted,
    BookedAppointment,
    Halted,
    PushResult,
    RefusalReason,
    Refused,
    TryAgain,
)
from tickets.payload import BookingPayload, decode

MAX_ANSWER_BYTES: Final = 64_000
KEY_IN_PROGRESS_AFTER: Final = timedelta(seconds=5)
"""How long the booking system may need for a request that it says it is still working on."""
SHUT_STATUSES: Final = frozenset({401, 403, 410})
PASSING_STATUSES: Final = frozenset({408, 425, 429})
"""Client errors that time may heal."""
LONGEST_DETAIL: Final = 300


@dataclass(frozen=True, slots=True)
class Patience:
    """How long one request may take, in seconds."""

    connect_s: float = 3
    read_s: float = 15
    """Until the next byte."""
    total_s: float = 20


class _Problem(msgspec.Struct, frozen=True):
    code: str = ""
    message: str = ""


class _ProblemBody(msgspec.Struct, frozen=True):
    error: _Problem


@dataclass(frozen=True, slots=True)
class _Answer:
    status: int
    headers: httpx.Headers
    body: bytes
    """Empty if there was more than we read."""


class BookingDesk:
    """The booking desk at an address; calls block, and cannot be made from within a running event loop."""

    def __init__(self, base_url: str, patience: Patience = Patience()) -> None:
        self._patience = patience
        self._appointments = f"{base_url.rstrip('/')}/api/v1/appointments"
        self._tls = httpx.create_ssl_context(trust_env=False)

    def create(self, key: str, body: bytes) -> PushResult:
        """Book the visit of an encoded payload under an idempotency key."""
        return self._push("POST", self._appointments, key, body)

    def update(self, key: str, body: bytes) -> PushResult:
        """Replace what the desk holds of the visit of an encoded payload."""
        return self._push("PUT", self._by_ref(decode(body).external_ref), key, body)

    def find_by_ref(self, external_ref: str) -> PushResult | None:
        """What the desk holds of a visit, of whatever revision; None: it knows of none."""
        answer = self._ask("GET", self._by_ref(external_ref))
        if isinstance(answer, TryAgain):
            return answer
        if answer.status == httpx.codes.NOT_FOUND:
            return None
        if answer.status != httpx.codes.OK:
            return _failure(answer)
        found = _appointment(answer.body)
        if found is None or found.external_ref != external_ref:
            return TryAgain("the answer is not the appointment asked for", answer.status)
        return Accepted(found, answer.status)

    def _by_ref(self, external_ref: str) -> str:
        return f"{self._appointments}/by-ref/{quote(external_ref, safe='')}"

    def _push(self, method: str, url: str, key: str, body: bytes) -> PushResult:
        payload = decode(body)
        answer = self._ask(method, url, key, body)
        if isinstance(answer, TryAgain):
            return answer
        taken = httpx.codes.is_success(answer.status)
        found = _appointment(answer.body) if taken else None
        if found and holds(payload, found):
            return Accepted(found, answer.status)
        if taken or answer.status == httpx.codes.CONFLICT:
            return self._look(payload, answer)
        return _failure(answer)

    def _look(self, payload: BookingPayload, answer: _Answer) -> PushResult:
        """What the desk really holds, after an answer that leaves it open."""
        problem = _problem(answer)
        if problem.code == "key_in_progress":
            return TryAgain(_detail(answer), answer.status, KEY_IN_PROGRESS_AFTER)
        found = self.find_by_ref(payload.external_ref)
        if found is not None and not isinstance(found, Accepted):
            return found
        if found and holds(payload, found.appointment):
            return found
        if answer.status != httpx.codes.CONFLICT:
            return TryAgain("it said yes, but does not hold the visit", answer.status)
        reason = RefusalReason.BEGUN if problem.code == "begun" else RefusalReason.CONFLICT
        return Refused(reason, _detail(answer), answer.status)

    def _ask(self, method: str, url: str, key: str | None = None, body: bytes | None = None) -> _Answer | TryAgain:
        try:
            return asyncio.run(self._exchange(method, url, key, body))
        except TimeoutError:
            return TryAgain(f"no whole answer within {self._patience.total_s} s")
        except httpx.HTTPError as error:
            return TryAgain(f"{type(error).__name__}: {error}"[:LONGEST_DETAIL])

    async def _exchange(self, method: str, url: str, key: str | None, body: bytes | None) -> _Answer:
        headers = {"Accept": "application/json", "Accept-Encoding": "identity"}
        if key is not None:
            headers |= {"Idempotency-Key": key, "Content-Type": "application/json"}
        patience = self._patience
        # Only an event loop can end an answer that comes byte by byte: each read is quick, the whole is not.
        async with (
            asyncio.timeout(patience.total_s),
            httpx.AsyncClient(
                verify=self._tls,
                timeout=httpx.Timeout(patience.read_s, connect=patience.connect_s),
                follow_redirects=False,
                trust_env=False,
            ) as client,
            client.stream(method, url, headers=headers, content=body) as response,
        ):
            return _Answer(response.status_code, response.headers, await _read(response))


def holds(payload: BookingPayload, appointment: BookedAppointment) -> bool:
    """Whether an appointment is what a payload asks for, or what a later revision of it asked for."""
    if appointment.external_ref != payload.external_ref or appointment.status != "booked":
        return False
    if appointment.revision != payload.revision:
        return appointment.revision > payload.revision
    return {line.id for line in appointment.tickets} == {ticket.id for ticket in payload.tickets}


async def _read(response: httpx.Response) -> bytes:
    received = bytearray()
    async for chunk in response.aiter_raw():
        received += chunk
        if len(received) > MAX_ANSWER_BYTES:
            return b""
    return bytes(received)


def _appointment(body: bytes) -> BookedAppointment | None:
    try:
        return msgspec.json.decode(body, type=BookedAppointment)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None


def _problem(answer: _Answer) -> _Problem:
    try:
        return msgspec.json.decode(answer.body, type=_ProblemBody).error
    except (msgspec.DecodeError, UnicodeDecodeError):
        return _Problem()


def _detail(answer: _Answer) -> str:
    return f"HTTP {answer.status} {_problem(answer).message}".strip()[:LONGEST_DETAIL]


def _failure(answer: _Answer) -> PushResult:
    """What a status without success means; an address that redirects may be mended, so it counts as passing."""
    detail = _detail(answer)
    if answer.status in SHUT_STATUSES:
        return Halted(detail, answer.status)
    if httpx.codes.is_client_error(answer.status) and answer.status not in PASSING_STATUSES:
        return Refused(RefusalReason.INVALID, detail, answer.status)
    return TryAgain(detail, answer.status, _retry_after(answer.headers))


def _retry_after(headers: httpx.Headers) -> timedelta | None:
    """The Retry-After header: seconds, or a date, which is measured against the answer's own date."""
    text = headers.get("Retry-After", "").strip()
    if text.isdecimal() and text.isascii():
        return timedelta(seconds=int(text[:9]))
    try:
        left = parsedate_to_datetime(text) - parsedate_to_datetime(headers.get("Date", ""))
    except (TypeError, ValueError):
        return None
    return max(left, timedelta())
