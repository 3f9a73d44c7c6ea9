"""What one publish carries: columns of values over times, or events."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vehicle.codes import DiagnosticTroubleCode


# Not frozen, as what is made for every message: that would cost four times as much.
@dataclass(slots=True, eq=False)
class TelemetryBatch:
    """Samples of one vehicle at n times, with the key (vehicle_id, boot, seq) that makes storing idempotent."""

    vehicle_id: str
    boot: str
    """16 hex digits, new at every power-up of the sender; a replay's is a hash of file and vehicle."""
    seq: int
    """Gapless from 1 within a boot, over telemetry and events together."""
    sent_at: datetime
    times: NDArray[np.datetime64]
    """datetime64[us], UTC, shape (n,), strictly increasing."""
    columns: Mapping[str, NDArray[Any]]
    """Per catalogue signal float64 of shape (n,), or (n, k) for arrays of k cells; NaN: not sampled.
    Enumerations hold the index of their value in the catalogue, booleans 0 and 1."""
    extra: dict[str, list[Any]] = field(default_factory=dict)
    """Per signal the catalogue does not know: n JSON values."""
    time_received: bool = False
    """The sender gave no times: `times` and `sent_at` are those of arrival."""


class EventKind(StrEnum):
    """What an event tells."""

    TROUBLE_CODE = "trouble_code"
    DRIVE_START = "drive_start"
    DRIVE_STOP = "drive_stop"
    CHARGE_START = "charge_start"
    CHARGE_STOP = "charge_stop"
    ALERT = "alert"
    ERROR = "error"
    """A control unit or the telemetry itself failed at something."""
    CONNECTIVITY = "connectivity"
    """The car's own link to its maker's service or broker came or went."""
    SOFTWARE = "software"
    """From now on the car runs the software that `firmware_version` in the details names."""
    NOTICE = "notice"
    """What else a foreign sender tells in words or records."""


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened in the vehicle."""

    at: datetime
    kind: EventKind
    trouble_code: DiagnosticTroubleCode | None = None
    details: dict[str, Any] = field(default_factory=dict)
    """Freeze frame or other facts, JSON values by name."""
    time_received: bool = False
    """The sender gave no time: `at` is when it arrived."""


@dataclass(frozen=True, slots=True)
class EventBatch:
    """Events of one vehicle, in the same sequence as its telemetry."""

    vehicle_id: str
    boot: str
    seq: int
    sent_at: datetime
    events: tuple[Event, ...]
    time_received: bool = False
    """The sender gave no time of sending: `sent_at` is when it arrived."""


@dataclass(frozen=True, slots=True)
class Hello:
    """What a vehicle says when it connects."""

    vehicle_id: str
    boot: str
    software: str
    catalogue_version: str
    sent_at: datetime
    dropped: tuple[tuple[str, int, int], ...] = ()
    """(boot, first seq, last seq) of what the car had to give up; nobody need wait for it."""


@dataclass(frozen=True, slots=True)
class StoredAck:
    """What ingest has safe of one boot: everything up to `through` but `missing`."""

    boot: str
    through: int
    """Highest seq stored; 0: nothing."""
    missing: tuple[tuple[int, int], ...] = ()
    """Closed ranges of seq below `through` that are not stored."""

    def covers(self, seq: int) -> bool:
        """Whether the batch `seq` of this boot is stored, in the table or in quarantine."""
        return seq <= self.through and not any(first <= seq <= last for first, last in self.missing)
