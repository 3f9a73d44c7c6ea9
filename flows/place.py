"""How far a car has been judged, and the way back for samples that arrive late."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import takewhile
from typing import Any, Final

import msgspec

from features.stays import Stay
from storage.detectors import DIAGNOSIS, DetectorState
from vehicle.software import SoftwareVersion

MARK_EVERY: Final = timedelta(days=15)
MARKS: Final = 3
"""So many states of the past are kept, so far apart: samples within the late limit of 30 days find an earlier one."""


@dataclass(slots=True)
class Place:
    """One car's place in time, between two runs."""

    arrived: int = 0
    """Number of the last ledger entry that was taken into account."""
    until: datetime | None = None
    """Days before it are judged."""
    states: dict[str, Any] = field(default_factory=dict)
    """What each detector remembers, JSON values by its name."""
    marks: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    """Earlier values of `until` (ISO 8601) and `states`, oldest first."""
    stays: list[Stay] = field(default_factory=list)
    """The stays in workshops that were taken into account."""
    software: list[SoftwareVersion] = field(default_factory=list)
    """The versions that were."""

    @classmethod
    def of(cls, stored: DetectorState | None) -> "Place":
        """The place that was stored, or that of a car never judged."""
        if stored is None:
            return cls()
        marks = [(at, states) for at, states in stored.state["marks"]]
        stays = msgspec.convert(stored.state.get("stays", []), list[Stay])
        software = msgspec.convert(stored.state.get("software", []), list[SoftwareVersion])
        return cls(stored.state["arrived"], stored.evaluated_until, stored.state["states"], marks, stays, software)

    def go_back(self, late_at: datetime) -> None:
        """Be again where the latest mark from before `late_at` was set, or at the beginning."""
        self.marks = [*takewhile(lambda mark: datetime.fromisoformat(mark[0]) <= late_at, self.marks)]
        self.until = datetime.fromisoformat(self.marks[-1][0]) if self.marks else None
        self.states = dict(self.marks[-1][1]) if self.marks else {}

    def mark(self, day: datetime) -> None:
        """Keep the states before a day, if the last ones kept are old enough."""
        if not self.marks or day - datetime.fromisoformat(self.marks[-1][0]) >= MARK_EVERY:
            self.marks = [*self.marks[1 - MARKS :], (day.isoformat(), dict(self.states))]

    def stored(self, vehicle_id: str) -> DetectorState:
        """The same as the store keeps it; only of a car that has been judged."""
        if self.until is None:
            raise ValueError(f"{vehicle_id} has not been judged")
        known = {"stays": msgspec.to_builtins(self.stays), "software": msgspec.to_builtins(self.software)}
        plain = {"arrived": self.arrived, "states": self.states, "marks": self.marks, **known}
        return DetectorState(DIAGNOSIS, vehicle_id, self.until, plain)
