"""One car as it is watched: what the rules remember of it, and its new samples."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from features.panel import Panel
from features.stays import Stay, earliest_needed, events_outside
from flows.car_samples import CarSamples
from flows.place import Place
from rules.engine.carried import Carried
from rules.engine.clock import Times
from rules.engine.memory import Memory, restore
from rules.engine.windows import MICROSECOND
from rules.rule import Rule
from rules.told import seen_to, told
from vehicle.batch import Event
from vehicle.moment import microseconds, moment
from vehicle.vehicle import VehicleRecord

EARLIEST: Final = datetime(1970, 1, 1, tzinfo=UTC)
_LATEST: Final = datetime.max.replace(tzinfo=UTC)


@dataclass(slots=True, eq=False)
class WatchedCar:
    """Follows on from the last day that was judged as a whole."""

    vehicle: VehicleRecord
    version: str | None
    """Of the place of the whole days; None: no day has been judged."""
    since: datetime
    """Where that place is: what comes after it is judged here."""
    stays: Sequence[Stay]
    memories: dict[str, Memory]
    """By rule."""
    carried: dict[str, Carried]
    """What the rules' windows reach back to, by rule."""
    samples: CarSamples
    """Those that have not been judged, and at first those that windows reach back to."""
    judged: int
    """The latest sample that was judged, or until when whole days were; microseconds since 1970."""
    through: int
    """The latest sample there is."""
    events: list[Event] = field(default_factory=list)
    """Those that have not been told, in their order."""
    begun: bool = False
    """Something has been judged since `since`."""

    @classmethod
    def at_place(  # noqa: PLR0917 -- what a car is judged by
        cls,
        vehicle: VehicleRecord,
        version: str | None,
        place: Place,
        rules: Sequence[Rule],
        signals: Sequence[str],
        stays: Sequence[Stay],
    ) -> "WatchedCar":
        """The car where whole days have left it."""
        memories = {rule.rule_id: restore(place.states.get(rule.rule_id), len(rule.ladder)) for rule in rules}
        since = place.until or EARLIEST
        judged = microseconds(since) - 1
        carried = {rule.rule_id: Carried() for rule in rules}
        return cls(vehicle, version, since, stays, memories, carried, CarSamples.of(signals), judged, judged)

    @property
    def end(self) -> datetime:
        """Where what was judged last ends, exclusive."""
        return _at(self.through + 1)

    @property
    def events_from(self) -> datetime:
        """From when on events are needed to tell what comes next."""
        return earliest_needed(self.stays, _at(self.judged + 1), _LATEST)

    def samples_after(self, context: timedelta) -> datetime:
        """After which time samples are needed: at first also those of some time before what is to be judged."""
        if self.begun:
            return _at(self.judged)
        return max(EARLIEST, self.since - context) - MICROSECOND

    def add(self, times: Times, columns: Mapping[str, NDArray[np.float64]]) -> None:
        """Take later samples, those of stays in workshops left out."""
        self.samples.add(times, columns, self.stays)
        self.through = max(self.through, int(times[-1]))

    def occurrences(self) -> dict[str, Panel]:
        """The trouble codes and returns from workshops that are news, as the engine reads them."""
        span = (_at(self.judged + 1), self.end)
        nothing = pd.DataFrame(index=pd.DatetimeIndex([], tz="UTC"))
        return {**told(nothing, {}, events_outside(self.events, self.stays, span)), **seen_to(self.stays, self.end)}

    def move(self) -> None:
        """Note that all there is was judged: what windows reach back to is carried."""
        self.judged, self.begun = self.through, True
        self.samples.clear()


def _at(time: int) -> datetime:
    return moment(np.datetime64(time, "us"))
