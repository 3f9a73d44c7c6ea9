"""Why something a vehicle sent was not stored as samples."""

from dataclasses import dataclass
from enum import StrEnum


class RejectionReason(StrEnum):
    """Every reason there is; each is a metric label and a quarantine column."""

    UNREADABLE = "unreadable"
    """The payload is not a message of the format its content type names."""
    WRONG_TYPE = "wrong_type"
    """A field is missing or has another type; nothing is coerced."""
    WRONG_VERSION = "wrong_version"
    """The message's version is not one we read."""
    UNKNOWN_TOPIC = "unknown_topic"
    """The topic is not in the grammar."""
    UNKNOWN_VEHICLE = "unknown_vehicle"
    """The vehicle is not in the registry."""
    VEHICLE_MISMATCH = "vehicle_mismatch"
    """Topic and payload, or user properties and payload, name different vehicles, boots or sequence numbers."""
    UNEQUAL_COLUMNS = "unequal_columns"
    """A column has not as many values as there are times."""
    NON_FINITE = "non_finite"
    """A number is NaN or infinite."""
    OUT_OF_RANGE = "out_of_range"
    """A value lies outside what its signal can show."""
    CLOCK_FUTURE = "clock_future"
    """A sample lies further ahead of the clock than the future limit."""
    CLOCK_UNSET = "clock_unset"
    """A sample lies before 2000: the vehicle's clock was never set."""
    TOO_LATE = "too_late"
    """A sample is older than the late limit."""
    ID_CONFLICT = "id_conflict"
    """Another payload was already stored under the same vehicle, boot and sequence number."""
    POISON = "poison"
    """The process that stores messages ended again and again with this one at work; it was not read any more."""
    UNSTORABLE = "unstorable"
    """Nothing was found wrong with it, but the database cannot hold it."""
    TOO_LARGE = "too_large"
    """More bytes or more samples than one message may carry."""


@dataclass(frozen=True, slots=True)
class Rejection:
    """One thing that was not stored, and why; the raw bytes are kept beside it in quarantine."""

    reason: RejectionReason
    detail: str
    """One sentence that names the field, never a personal value."""
