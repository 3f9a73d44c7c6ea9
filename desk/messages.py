"""What is said to the desk and what it answers: the bodies of its HTTP interface."""

from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field

from desk.places import WEEKDAYS, Channel, Place
from desk.slots import LONGEST_JOB

EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
LATEST = datetime(2100, 1, 1, tzinfo=UTC)


def _read(value: Any) -> Any:
    # Pydantic alone would take numbers for seconds since 1970.
    return datetime.fromisoformat(value) if isinstance(value, str) else value


def _in_utc(at: datetime) -> datetime:
    # Years at the rim overflow when moved to UTC, so the naive year is looked at first.
    if not EARLIEST.year <= at.year < LATEST.year or not EARLIEST <= at.astimezone(UTC) < LATEST:
        raise ValueError(f"must lie between {EARLIEST:%Y} and {LATEST:%Y}")
    return at.astimezone(UTC)


def _plain(text: str) -> str:
    if any(ord(character) < ord(" ") and character not in "\n\t" for character in text):
        raise ValueError("must not contain control characters")
    return text


Instant = Annotated[AwareDatetime, BeforeValidator(_read), AfterValidator(_in_utc)]
"""A moment, with offset on the wire, UTC inside."""

Text = Annotated[str, AfterValidator(_plain)]
Name = Annotated[Text, Field(min_length=1, max_length=100)]
AnyChannel = Annotated[Channel, Field(strict=False)]


class Message(BaseModel):
    """Nothing is coerced and nothing unknown is accepted: a caller's mistake is told, not guessed at."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class Part(Message):
    """A spare part to have ready."""

    name: Name
    quantity: int = Field(ge=1, le=100)


class Ticket(Message):
    """One thing to be seen to during the appointment."""

    id: Name
    title: Annotated[Text, Field(min_length=1, max_length=200)]
    component: Name
    failure_mode: Name
    locations: tuple[Name, ...] = Field(default=(), strict=False, max_length=1000)
    severity: Literal["info", "warning", "critical", "danger"]
    action: Annotated[Text, Field(min_length=1, max_length=500)]
    parts: tuple[Part, ...] = Field(default=(), strict=False, max_length=50)
    evidence: Annotated[Text, Field(max_length=4000)]
    owner_text: Annotated[Text, Field(max_length=2000)] = ""
    link: Annotated[Text, Field(max_length=500)] = ""


class BookingRequest(Message):
    """What is to be done for one car, by when; the same body makes and amends an appointment."""

    external_ref: Name = Field(description="The caller's own id of the visit; one active appointment for each.")
    revision: int = Field(ge=1, le=1_000_000, description="Grows with every change of the visit.")
    vehicle_id: Name
    channel: AnyChannel
    duration_min: int = Field(ge=1, le=LONGEST_JOB // timedelta(minutes=1), description="Working time.")
    due_at: Instant = Field(description="When it should be done; without start_at the earliest slot is taken.")
    start_at: Instant | None = Field(default=None, description="The start of a free slot, from GET /slots.")
    place_id: Name | None = Field(default=None, description="Only this place.")
    tickets: tuple[Ticket, ...] = Field(strict=False, min_length=1, max_length=100)

    @property
    def duration(self) -> timedelta:
        """The working time."""
        return timedelta(minutes=self.duration_min)


class PlaceAnswer(Message):
    """A place that can be booked."""

    id: str
    name: str
    channel: AnyChannel
    area: str
    time_zone: str
    hours: dict[str, str] = Field(description="Local opening hours by weekday; a day that is missing is closed.")
    resources: list[str]

    @classmethod
    def of(cls, place: Place) -> Self:
        """A place as the world sees it."""
        return cls(
            id=place.id,
            name=place.name,
            channel=place.channel,
            area=place.area,
            time_zone=place.zone.key,
            hours={WEEKDAYS[day]: f"{_clock(opens)}-{_clock(closes)}" for day, (opens, closes) in place.hours.items()},
            resources=[resource.name for resource in place.resources],
        )


class SlotAnswer(Message):
    """A free slot."""

    place_id: str
    place: str
    start_at: Instant
    end_at: Instant


class TicketLine(Message):
    """A ticket as an appointment lists it."""

    id: str
    title: str


class Appointment(Message):
    """A booking, as the desk holds it."""

    id: str
    external_ref: str
    revision: int
    status: Literal["booked", "cancelled"]
    vehicle_id: str
    channel: AnyChannel
    place_id: str
    place: str
    resources: list[str]
    start_at: Instant
    end_at: Instant
    due_at: Instant
    meets_due: bool = Field(description="Whether it starts by due_at; a full desk books later rather than not.")
    tickets: list[TicketLine]
    created_at: Instant
    changed_at: Instant


class AppointmentPage(Message):
    """Some of the appointments, in the order they were made."""

    appointments: list[Appointment]
    next: int | None = Field(description="What to ask for as after; null: there are no more.")


class Health(Message):
    """That the desk works."""

    status: Literal["ok"]
    now: Instant


class FieldProblem(Message):
    """One mistake in a request."""

    field: str
    message: str


class Problem(Message):
    """Why a request was refused."""

    code: str
    message: str
    fields: list[FieldProblem] = []
    appointment: Appointment | None = Field(default=None, description="The existing booking, when that is why.")


class ProblemAnswer(Message):
    """The body of every answer from 400 up."""

    error: Problem


def _clock(offset: timedelta) -> str:
    minutes = offset // timedelta(minutes=1)
    return f"{minutes // 60:02}:{minutes % 60:02}"
