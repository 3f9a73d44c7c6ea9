"""A car's samples of which rules make much, and rules that judge them at once, piece by piece, or look by look."""

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pandas as pd

from features.panel import Panel
from features.stays import Stay, earliest_needed, events_outside, first_change, outside
from rules.detector import RuleDetector
from rules.engine.carried import Carried
from rules.engine.columns import batch_of
from rules.engine.judge import judge
from rules.engine.memory import restore
from rules.engine.needs import margin
from rules.engine.windows import MICROSECOND
from rules.rule import Rule
from rules.told import seen_to, told
from tests.support.windows import a_vehicle
from vehicle.batch import Event, EventKind
from vehicle.codes import DiagnosticTroubleCode, DtcStatus
from vehicle.finding import Finding
from vehicle.moment import microseconds, moment
from vehicle.software import SoftwareVersion, first_difference

START = int(datetime(2026, 3, 1, tzinfo=UTC).timestamp()) * 1_000_000
MINUTE = 60_000_000
NAN = math.nan

CHOICES: dict[str, list[Any]] = {
    "lv_voltage_v": [11.0, 11.9, 12.1, 12.4, 12.8, NAN],
    "tyre_pressure_fl_kpa": [250.0, 285.0, 290.0, NAN],
    "tyre_pressure_fr_kpa": [290.0, 291.0, NAN],
    "tyre_pressure_rl_kpa": [265.0, 290.0],
    "tyre_pressure_rr_kpa": [290.0],
    "speed_kmh": [0.0, 0.0, 0.0, 30.0, NAN],
    "charge_state": [0.0, 0.0, 0.0, 3.0, NAN],
    "hv_soc_pct": [5.0, 50.0, 50.0, 50.5, 50.5, NAN],
    "status": [None, None, 0, 1, 9],
    "code": ["BMS_a151", "BMS_a070"],
}
KEPT = 0.8
"""How often a signal stays what it was at the sample before."""


@dataclass
class Car:
    """Samples in order; `present` says which have arrived."""

    times: np.ndarray
    samples: list[dict[str, Any]]
    stays: list[Stay] = field(default_factory=list)
    """In a workshop, as far as is known."""
    software: tuple[SoftwareVersion, ...] = ()
    """As far as is known."""

    @classmethod
    def drawn(cls, rng: np.random.Generator) -> "Car":
        """Samples minutes apart, with a night or a long silence among them now and then."""
        steps = rng.choice([1, 2, 5, 9, 25, 45, 400, 8 * 1440], 90, p=[0.3, 0.2, 0.2, 0.1, 0.1, 0.05, 0.04, 0.01])
        row: dict[str, Any] = {name: rng.choice(values) for name, values in CHOICES.items()}
        samples = []
        for _ in steps:
            row = {
                name: row[name] if rng.random() < KEPT else values[rng.integers(len(values))]
                for name, values in CHOICES.items()
            }
            samples.append(row)
        return cls(START + MINUTE * np.cumsum(steps), samples)

    def panels(self, present: np.ndarray, start: int, judged: int, end: int) -> dict[str, Panel]:
        """What a run is given: the samples of (judged, end], and those from `start` on before them."""
        chosen = present & (self.times > start) & (self.times <= end)
        chosen &= outside(self.times.view("datetime64[us]"), self.stays)
        rows = [one for one, there in zip(self.samples, chosen, strict=True) if there]
        names = [name for name in self.samples[0] if name not in {"status", "code"}]
        index = pd.DatetimeIndex(self.times[chosen].view("datetime64[us]"), tz="UTC")
        frame = pd.DataFrame({name: [row[name] for row in rows] for name in names}, index=index, dtype=float)
        span = (at_time(judged + 1), at_time(end + 1))
        since = earliest_needed(self.stays, *span)
        events = [
            Event(at_time(time), EventKind.TROUBLE_CODE, DiagnosticTroubleCode(row["code"], DtcStatus(row["status"])))
            for row, there, time in zip(self.samples, present, self.times.tolist(), strict=True)
            if there and row["status"] is not None and since <= at_time(time) < span[1]
        ]
        return {**told(frame, {}, events_outside(events, self.stays, span)), **seen_to(self.stays, span[1])}


def at_time(time: int) -> datetime:
    return moment(np.datetime64(time, "us"))


@dataclass
class Live:
    """A rule run piece by piece, its state kept as JSON text."""

    rule: Rule
    car: Car
    present: np.ndarray
    marks: list[tuple[int, str, int]] = field(default_factory=lambda: [(START, "null", 0)])
    """Until when it has judged, its state then, and how many findings it had."""
    found: list[Finding] = field(default_factory=list)

    def run(self, end: int) -> None:
        """Judge up to a time."""
        judged, text, _ = self.marks[-1]
        panels = self.car.panels(self.present, judged - margin([self.rule]) // MICROSECOND, judged, end)
        vehicle = a_vehicle(software=self.car.software)
        state, news = RuleDetector(self.rule).evaluate(vehicle, panels, json.loads(text))
        self.found += news
        self.marks.append((end, json.dumps(state, allow_nan=False), len(self.found)))

    def arrive(self, late: np.ndarray) -> None:
        """Go back to before what has arrived late, and judge again from there."""
        ends = [end for end, _, _ in self.marks[1:]]
        self.present = self.present | late
        self.again(ends, self.car.times[late].min())

    def learn(self, stays: list[Stay]) -> None:
        """Take note of stays in workshops, and judge again from the first that was not known."""
        changed = first_change(self.car.stays, stays)
        self.car.stays = stays
        if changed is not None:
            self.again([end for end, _, _ in self.marks[1:]], microseconds(changed))

    def learn_software(self, software: tuple[SoftwareVersion, ...]) -> None:
        """Take note of software versions, and judge again from the first that was not known."""
        changed = first_difference(self.car.software, software)
        self.car.software = software
        if changed is not None:
            self.again([end for end, _, _ in self.marks[1:]], microseconds(changed))

    def again(self, ends: list[int], first: int) -> None:
        """Go back to before a time, and judge again up to each end."""
        while self.marks[-1][0] >= first:
            self.marks.pop()
        self.found = self.found[: self.marks[-1][2]]
        for end in ends[len(self.marks) - 1 :]:
            self.run(end)


def fingerprint(found: list[Finding]) -> list[str]:
    return [
        repr(
            (
                one.observed_at,
                one.severity,
                one.cleared,
                one.locations,
                one.score,
                one.window_start,
                one.evidence.summary,
            )
        )
        + repr([(trace.times.tolist(), trace.values.tolist()) for trace in one.evidence.traces])
        for one in found
    ]


def in_pieces(rule: Rule, car: Car, cuts: set[int], late: int = -1) -> list[Finding]:
    """What is found if a car's samples are judged up to each cut, and one of them arrives after all others."""
    missing = np.arange(len(car.times)) == late
    live = Live(rule, car, ~missing)
    for cut in sorted(cuts | {len(car.times) - 1}):
        live.run(int(car.times[cut]))
    if missing.any():
        live.arrive(missing)
    return live.found


def in_hindsight(rule: Rule, car: Car) -> list[Finding]:
    """What is found if all is judged at once."""
    return in_pieces(rule, car, set())


def in_looks(rule: Rule, cars: Sequence[Car], stored: int, looks: Sequence[Sequence[int]]) -> list[list[Finding]]:
    """What is found of each car by looks at what is new, from where whole days were judged.

    Args:
        rule: that judges.
        cars: all of them in each look.
        stored: the last sample that was judged before; -1: none.
        looks: how many samples of each car are new; after the last one all that are left.
    """
    everything = np.ones(len(cars[0].times), bool)
    before = [Live(rule, car, everything) for car in cars]
    for live in before:
        live.run(int(live.car.times[stored]) if stored >= 0 else START)
    memories = [restore(json.loads(live.marks[-1][1]), len(rule.ladder)) for live in before]
    carried, found = [Carried() for _ in cars], [list(live.found) for live in before]
    judged, place = [live.marks[-1][0] for live in before], [stored for _ in cars]
    vehicles = [replace(a_vehicle(), vehicle_id=f"car-{number}") for number in range(len(cars))]
    for look, steps in enumerate([*looks, [len(everything)] * len(cars)]):
        # What windows reach back to is told once.
        back = 0 if look else margin([rule]) // MICROSECOND
        observed = []
        for number, car in enumerate(cars):
            place[number] = min(place[number] + steps[number], len(everything) - 1)
            end = int(car.times[place[number]]) if place[number] >= 0 else START
            observed.append(car.panels(everything, judged[number] - back, judged[number], end))
            judged[number] = end
        batch = batch_of([*zip(vehicles, observed, strict=True)])
        for one in judge(rule, batch, memories, carried=carried).findings:
            found[int(one.vehicle_id.removeprefix("car-"))].append(one)
    return found
