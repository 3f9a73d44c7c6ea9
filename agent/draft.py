"""Messages on their way: as they will be published, as the outbox keeps them, and as they leave it."""

import secrets
from dataclasses import dataclass

from vehicle.topics import Channel


@dataclass(frozen=True, slots=True)
class Draft:
    """A message as it will be published, byte for byte, each time."""

    vehicle_id: str
    boot: str
    seq: int
    channel: Channel
    content_type: str
    samples: int
    """How many samples of telemetry it carries, for the counts only."""
    payload: bytes


@dataclass(frozen=True, slots=True)
class Kept:
    """A message in the outbox."""

    position: int
    """Its place in the order of appending."""
    draft: Draft


@dataclass(frozen=True, slots=True)
class Removed:
    """A message that has left the outbox."""

    position: int
    samples: int


@dataclass(frozen=True, slots=True)
class Found:
    """What is left of messages that ingest asks for again."""

    positions: tuple[int, ...]
    """Of those in the outbox, by seq."""
    gone: bool
    """Some are not there: they are among the dropped that the next hello tells of."""
    lost: int
    """How many of those had been confirmed, so that the other side has lost them."""


def new_boot() -> str:
    """The name of a new boot: 63 random bits as 16 hex digits."""
    return f"{secrets.randbits(63):016x}"
