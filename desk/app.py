"""The desk's HTTP interface, version 1."""

from datetime import timedelta
from typing import Annotated, Any

from fastapi import APIRouter, FastAPI, Header, Path, Query, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from config.clock import Clock
from desk.bookings import Desk
from desk.guard import Guard
from desk.messages import (
    Appointment,
    AppointmentPage,
    BookingRequest,
    FieldProblem,
    Instant,
    PlaceAnswer,
    Problem,
    ProblemAnswer,
    SlotAnswer,
)
from desk.pages import add_pages
from desk.places import Channel, load_places
from desk.refusal import Refusal, refusal
from desk.slots import LONGEST_JOB
from desk.store import Answer, Store

LONGEST_WINDOW = timedelta(days=31)

IdempotencyKey = Annotated[
    str,
    Header(
        alias="Idempotency-Key",
        pattern=r"^[\x21-\x7e]{1,255}$",
        description="One per intended change; a repeated request gets the first one's answer again.",
    ),
]
ExternalRef = Annotated[str, Path(min_length=1, max_length=100, description="The caller's own id of the visit.")]
CODES = {400: "bad_request", 404: "unknown", 405: "method_not_allowed", 413: "too_large"}
REFUSALS: dict[int | str, dict[str, Any]] = {
    404: {"model": ProblemAnswer, "description": "There is no such appointment"},
    409: {"model": ProblemAnswer, "description": "It conflicts with the booking that the answer shows"},
    413: {"model": ProblemAnswer, "description": "The body is too large"},
    422: {"model": ProblemAnswer, "description": "The request is wrong; the answer names the fields"},
    503: {"model": ProblemAnswer, "description": "Fully booked; ask again after Retry-After"},
}


def create_app(store: Store, clock: Clock) -> FastAPI:
    """The desk as an ASGI application over its storage, keeping its day by `clock`."""
    app = FastAPI(
        title="Booking desk",
        version="1",
        description="Books service appointments: places, free slots, appointments with tickets and parts.",
        docs_url=None,
        redoc_url=None,
        # Otherwise the environment could make FastAPI export what it serves.
        telemetry={"tracing": False, "metrics": False, "logs": False, "auto_configure": False},
    )
    desk = Desk(store, load_places(), clock)
    router = APIRouter(prefix="/api/v1", responses=_refusals(422))
    _add_reading(router, desk)
    _add_booking(router, desk)
    app.include_router(router)
    add_pages(app, desk)
    app.add_middleware(Guard)
    app.add_exception_handler(Refusal, _refused)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _other)
    return app


def _add_reading(router: APIRouter, desk: Desk) -> None:
    @router.get("/places", summary="Places that can be booked, with hours and resources")
    def places() -> list[PlaceAnswer]:
        return [PlaceAnswer.of(place) for place in desk.places.values()]

    @router.get("/slots", summary="Free slots of a channel, earliest first")
    def slots(
        channel: Channel,
        duration_min: Annotated[int, Query(ge=1, le=LONGEST_JOB // timedelta(minutes=1))],
        from_at: Annotated[Instant, Query(alias="from")],
        until: Annotated[Instant, Query(description="At most 31 days after from.")],
    ) -> list[SlotAnswer]:
        if not timedelta() < until - from_at <= LONGEST_WINDOW:
            message = f"must lie within {LONGEST_WINDOW.days} days after from"
            raise Refusal(422, "invalid", message, field="until")
        return desk.free_slots(channel, timedelta(minutes=duration_min), (from_at, until))

    @router.get("/appointments", summary="Appointments in the order they were made, of one vehicle or of all")
    def appointments(
        vehicle_id: Annotated[str | None, Query(min_length=1, max_length=100)] = None,
        after: Annotated[
            int, Query(ge=0, le=2**53, description="The next of the answer before; 0: from the start.")
        ] = 0,
    ) -> AppointmentPage:
        return desk.page(vehicle_id, after)

    @router.get(
        "/appointments/by-ref/{external_ref}",
        summary="The appointment of a visit: the active one, or else the latest cancelled one",
        responses=_refusals(404),
    )
    def by_ref(external_ref: ExternalRef) -> Appointment:
        return desk.find(external_ref)


def _add_booking(router: APIRouter, desk: Desk) -> None:
    @router.post(
        "/appointments",
        status_code=201,
        response_model=Appointment,
        summary="Make an appointment: at start_at, or else in the earliest slot",
        responses=_refusals(409, 413, 503),
    )
    def book(request: BookingRequest, key: IdempotencyKey) -> Response:
        return _sent(*desk.book(key, request))

    @router.put(
        "/appointments/by-ref/{external_ref}",
        response_model=Appointment,
        summary="Replace what an appointment is for; it moves only if it must",
        responses=_refusals(404, 409, 413, 503),
    )
    def amend(external_ref: ExternalRef, request: BookingRequest, key: IdempotencyKey) -> Response:
        if request.external_ref != external_ref:
            raise Refusal(422, "invalid", "differs from the reference in the path", field="external_ref")
        return _sent(*desk.amend(key, request))

    @router.delete(
        "/appointments/by-ref/{external_ref}",
        summary="Cancel an appointment that has not begun",
        responses=_refusals(404, 409),
    )
    def cancel(external_ref: ExternalRef) -> Appointment:
        return desk.cancel(external_ref)


def _refusals(*statuses: int) -> dict[int | str, dict[str, Any]]:
    return {status: REFUSALS[status] for status in statuses}


def _sent(answer: Answer, repeated: bool) -> Response:  # noqa: FBT001 - the pair that the desk returns
    headers = {"Idempotency-Replayed": "true"} if repeated else None
    return Response(answer.body, answer.status, headers, media_type="application/json")


def _refused(_request: Request, error: Exception) -> Response:
    if not isinstance(error, Refusal):
        raise error
    return refusal(error.problem, error.status, error.retry_after)


def _invalid(_request: Request, error: Exception) -> Response:
    if not isinstance(error, RequestValidationError):
        raise error
    fields = [
        FieldProblem(field=_field(item["loc"]), message=item["msg"].removeprefix("Value error, "))
        for item in error.errors()
    ]
    names = ", ".join(dict.fromkeys(problem.field for problem in fields))
    return refusal(Problem(code="invalid", message=f"wrong or missing: {names}", fields=fields), 422)


def _field(location: tuple[int | str, ...]) -> str:
    """A field's path without the place it came from, unless that is all there is."""
    return ".".join(str(part) for part in location[1:] or location)


def _other(_request: Request, error: Exception) -> Response:
    if not isinstance(error, HTTPException):
        raise error
    code = CODES.get(error.status_code, "refused")
    return refusal(Problem(code=code, message=error.detail), error.status_code)
