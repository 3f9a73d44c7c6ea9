"""Which software a vehicle has had: a timeline, since a version changes with an update."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Final

from msgspec import Meta

FIRMWARE: Final = "firmware_version"
"""By which name of the catalogue cars tell their version."""
LONGEST: Final = 100
"""Characters of a version."""


@dataclass(frozen=True, slots=True)
class SoftwareVersion:
    """From a time on, until another one follows."""

    since: Annotated[datetime, Meta(tz=True)]
    """With its time zone, wherever it is read from."""
    version: str
    """As the maker calls it."""


def version_in(details: Mapping[str, Any]) -> str | None:
    """The version that an event's details tell; None if there is none that a rule could ask for."""
    match details.get(FIRMWARE):
        case str(text) if 0 < len(text.strip()) <= LONGEST:
            return text.strip()
    return None


def timeline(entries: Iterable[SoftwareVersion]) -> tuple[SoftwareVersion, ...]:
    """The versions in the order of their times; of entries with the same time the last counts."""
    return tuple(one for _, one in sorted({one.since: one for one in entries}.items()))


def is_pattern(text: str) -> bool:
    """Whether a text is a version, or the beginning of several and ``*``."""
    return bool(text.strip()) and "*" not in text[:-1]


def is_meant(version: str, pattern: str) -> bool:
    """Whether a version is that of a pattern, or begins as it says."""
    return version == pattern or (pattern.endswith("*") and version.startswith(pattern[:-1]))


def first_difference(before: Iterable[SoftwareVersion], after: Iterable[SoftwareVersion]) -> datetime | None:
    """The earliest time of which something else was entered before than after; None: nothing was."""
    return min((one.since for one in {*before} ^ {*after}), default=None)
