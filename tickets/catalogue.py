"""The fault catalogue: what each failure mode means for owner and workshop, read from `catalogue.toml`.

Errors:
    CatalogueError: the file cannot be used; the message lists every mistake, one per line.
"""

import tomllib
from collections.abc import Mapping
from datetime import timedelta
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, model_validator

from tickets.ticket import Channel
from vehicle.failure import OCCASIONS
from vehicle.finding import Severity

CATALOGUE_FILE = Path(__file__).with_name("catalogue.toml")

Line = Annotated[str, Field(min_length=1, max_length=200)]
Days = Annotated[float, Field(gt=0, le=365, allow_inf_nan=False)]


class CatalogueError(Exception):
    """The fault catalogue has mistakes; the message lists them all."""


def effort(channel: Channel) -> int:
    """The rank of a channel: the greater, the more trouble for the owner."""
    return list(Channel).index(channel)


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Part(_Table):
    """A spare part that the repair needs."""

    name: Line
    quantity: int = Field(ge=1, le=100)

    def __str__(self) -> str:
        return self.name if self.quantity == 1 else f"{self.quantity} x {self.name}"


class Channels(_Table):
    """Who sees to the fault, by severity."""

    info: Channel
    warning: Channel
    critical: Channel
    danger: Channel

    @model_validator(mode="after")
    def _never_less_for_worse(self) -> Self:
        ranks = [effort(self.of(severity)) for severity in Severity]
        if any(before > after for before, after in pairwise(ranks)):
            raise ValueError("a worse severity asks for less effort")
        return self

    def of(self, severity: Severity) -> Channel:
        """The channel at a severity."""
        found: Channel = getattr(self, severity.name.lower())
        return found


class DueDays(_Table):
    """Days within which the fault should be repaired, by severity."""

    info: Days
    warning: Days
    critical: Days
    danger: Days

    @model_validator(mode="after")
    def _never_later_for_worse(self) -> Self:
        if any(before < after for before, after in pairwise(map(self.of, Severity))):
            raise ValueError("a worse severity is due later")
        return self

    def of(self, severity: Severity) -> timedelta:
        """The time at a severity."""
        return timedelta(days=getattr(self, severity.name.lower()))


class Fault(_Table):
    """What one failure mode means."""

    title: Line
    """For the workshop: the problem in a few words."""
    owner_text: str = Field(min_length=1, max_length=2000)
    """For the owner: what it is and what to do until it is repaired."""
    action: str = Field(min_length=1, max_length=500)
    """For the workshop: what to do."""
    parts: tuple[Part, ...]
    duration_min: int = Field(ge=5, le=2400)
    minimum_confidence: float = Field(ge=0, le=1)
    """Below it an engineer decides whether there is a ticket."""
    channel: Channels
    due_days: DueDays

    @property
    def duration(self) -> timedelta:
        """Working time."""
        return timedelta(minutes=self.duration_min)


Catalogue = Mapping[str, Fault]
"""Faults by failure mode, and what is due for service."""


def load_catalogue(path: Path = CATALOGUE_FILE) -> Catalogue:
    """Read the fault catalogue; every failure mode and service item must be in it.

    Raises:
        CatalogueError: with one line per mistake.
    """
    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise CatalogueError(f"{path}: {error}") from None
    missing = [f"{path.name}: {mode}: is missing" for mode in OCCASIONS if mode not in tables]
    try:
        catalogue = TypeAdapter(dict[Annotated[str, AfterValidator(_known)], Fault]).validate_python(tables)
    except ValidationError as error:
        wrong = [f"{path.name}: {_place(item['loc'])}: {item['msg']}" for item in error.errors()]
        raise CatalogueError("\n".join([*missing, *wrong])) from None
    if missing:
        raise CatalogueError("\n".join(missing))
    return catalogue


def _known(name: str) -> str:
    if name not in set(OCCASIONS):
        raise ValueError("is neither a failure mode nor a service item")
    return name


def _place(location: tuple[int | str, ...]) -> str:
    return ".".join(str(part) for part in location if part != "[key]")
