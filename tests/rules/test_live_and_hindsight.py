"""Live equals hindsight: rules over samples in pieces, with restarts and late pieces, find what one run finds."""

import json
import math
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.panel import Panel
from features.stays import EVERYTHING, Stay, earliest_needed, events_outside, first_change, outside
from rules.detector import RuleDetector
from rules.engine.needs import margin
from rules.engine.windows import MICROSECOND
from rules.rule import Rule
from rules.told import seen_to, told
from tests.support.a_rule import a_rule, steps
from tests.support.windows import a_vehicle
from vehicle.batch import Event, EventKind
from vehicle.codes import DiagnosticTroubleCode, DtcStatus
from vehicle.finding import Finding
from vehicle.moment import microseconds, moment
from vehicle.software import SoftwareVersion, first_difference, timeline

START = int(datetime(2026, 3, 1, tzinfo=UTC).timestamp()) * 1_000_000
MINUTE = 60_000_000
NAN = math.nan

RULES = {
    "average": a_rule(
        "avg(lv_voltage_v, 30 min) < 12 V",
        "avg(lv_voltage_v, 30 min) > 12.5 V",
        keep_firing_for="20 min",
        ladder=steps("avg(lv_voltage_v, 30 min) < 11.5 V"),
    ),
    "group": a_rule(
        "tyre_pressure_kpa - median_of(tyre_pressure_kpa) < -20 kPa",
        "tyre_pressure_kpa - median_of(tyre_pressure_kpa) > -10 kPa",
        lasting="10 min",
        observations=3,
        keep_firing_for="15 min",
    ),
    "states": a_rule(
        "lv_voltage_v < 12.2 V and since(parked, 3 h) > 30 min or slope(lv_voltage_v where not driving, 2 h) < -3 V/d",
        "lv_voltage_v > 12.2 V and not charging",
        lasting="5 min",
        valid_when="hv_soc_pct > 10 %",
    ),
    "codes": a_rule(
        'code("BMS_a151", confirmed) or code_count("BMS_*", test_failed, 2 h) >= 2',
        'not code("BMS_a151", confirmed)',
        keep_firing_for="30 min",
    ),
    "absence": a_rule("absent(lv_voltage_v, 40 min)", "count(lv_voltage_v, 40 min) > 2"),
    "baseline": a_rule(
        "max(lv_voltage_v, 1 h) - baseline(lv_voltage_v, 4) < -0.2 V or time_since(lv_voltage_v > 12.3 V, 4 h) > 2 h",
        "quantile(lv_voltage_v, 1 h, 0.5) >= baseline(lv_voltage_v, 4)",
    ),
    "latched": a_rule("lv_voltage_v < 12 V", "lv_voltage_v > 12 V", latching={"exposure": "driving", "for": "20 min"}),
}

FOR_SOFTWARE = a_rule(
    "avg(lv_voltage_v, 30 min) < 12.2 V",
    "avg(lv_voltage_v, 30 min) > 12.5 V",
    keep_firing_for="20 min",
    ladder=steps("avg(lv_voltage_v, 30 min) < 11.9 V"),
    applies_to={"software": ["2026.4", "2026.8.*"]},
)
VERSIONS = ["2026.4", "2026.8.1", "2026.8.2", "2026.80"]

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
        span = (_at(judged + 1), _at(end + 1))
        since = earliest_needed(self.stays, *span)
        events = [
            Event(_at(time), EventKind.TROUBLE_CODE, DiagnosticTroubleCode(row["code"], DtcStatus(row["status"])))
            for row, there, time in zip(self.samples, present, self.times.tolist(), strict=True)
            if there and row["status"] is not None and since <= _at(time) < span[1]
        ]
        return {**told(frame, {}, events_outside(events, self.stays, span)), **seen_to(self.stays, span[1])}


def _at(time: int) -> datetime:
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


def _fingerprint(found: list[Finding]) -> list[str]:
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


@pytest.mark.parametrize("name", RULES)
@settings(max_examples=25)
@given(seed=st.integers(0, 2**32 - 1), cuts=st.sets(st.integers(0, 88), max_size=5), late=st.integers(-1, 88))
def test_live_equals_hindsight(name: str, seed: int, cuts: set[int], late: int) -> None:
    car = Car.drawn(np.random.default_rng(seed))
    missing = np.arange(len(car.times)) == late
    live = Live(RULES[name], car, ~missing)
    for cut in sorted(cuts | {len(car.times) - 1}):
        live.run(int(car.times[cut]))
    if missing.any():
        live.arrive(missing)
    assert _fingerprint(live.found) == _fingerprint(_in_hindsight(name, car))


@pytest.mark.parametrize("name", RULES)
@settings(max_examples=15)
@given(
    seed=st.integers(0, 2**32 - 1),
    cuts=st.sets(st.integers(0, 88), min_size=6, max_size=12),
    stays=st.lists(st.tuples(st.integers(0, 70), st.integers(5, 30), st.booleans()), min_size=1, max_size=2),
    known_after=st.integers(0, 12),
)
def test_live_equals_hindsight_whenever_it_becomes_known_that_a_car_was_in_a_workshop(
    name: str, seed: int, cuts: set[int], stays: list[tuple[int, int, bool]], known_after: int
) -> None:
    car, other = (Car.drawn(np.random.default_rng(seed)) for _ in range(2))
    ends = [*car.times.tolist(), *(int(car.times[-1]) + 1 + number for number in range(20))]
    known = [
        Stay(number, _at(ends[start]), _at(ends[start + length]), (EVERYTHING,) * reported)
        for number, (start, length, reported) in enumerate(stays)
    ]
    live = Live(RULES[name], car, np.ones(len(car.times), bool))
    for number, cut in enumerate(sorted(cuts | {len(car.times) - 1})):
        if number == known_after:
            live.learn(known)
        live.run(int(car.times[cut]))
    live.learn(known)
    other.stays = known
    assert _fingerprint(live.found) == _fingerprint(_in_hindsight(name, other))
    assert not any(stay.start <= one.observed_at < stay.end for one in live.found for stay in known)


@settings(max_examples=25)
@given(
    seed=st.integers(0, 2**32 - 1),
    cuts=st.sets(st.integers(0, 88), min_size=4, max_size=10),
    updates=st.lists(st.tuples(st.integers(0, 89), st.sampled_from(VERSIONS)), min_size=1, max_size=6),
    known_after=st.integers(0, 10),
)
def test_live_equals_hindsight_whenever_software_becomes_known(
    seed: int, cuts: set[int], updates: list[tuple[int, str]], known_after: int
) -> None:
    car, other = (Car.drawn(np.random.default_rng(seed)) for _ in range(2))
    known = timeline(SoftwareVersion(_at(int(car.times[place])), version) for place, version in updates)
    live = Live(FOR_SOFTWARE, car, np.ones(len(car.times), bool))
    for number, cut in enumerate(sorted(cuts | {len(car.times) - 1})):
        if number >= known_after:
            live.learn_software(known[: number - known_after + 1])
        live.run(int(car.times[cut]))
    live.learn_software(known)
    other.software = known
    once = _once(FOR_SOFTWARE, other)
    assert _fingerprint(live.found) == _fingerprint(once)
    begins = [one.observed_at for one in once if not one.cleared]
    at = [max((one for one in known if one.since <= begin), key=lambda one: one.since) for begin in begins]
    assert "2026.80" not in {one.version for one in at}


def test_the_rule_for_software_fires_and_ends_at_an_update() -> None:
    car = Car.drawn(np.random.default_rng(1))
    car.samples = [row | {"lv_voltage_v": 11.0} for row in car.samples]
    updates = [(20, "2026.8.1"), (40, "2026.80"), (60, "2026.4")]
    car.software = tuple(SoftwareVersion(_at(int(car.times[place])), version) for place, version in updates)
    found = [(one.observed_at, one.cleared) for one in _once(FOR_SOFTWARE, car)]
    assert found[0] == (car.software[0].since, False)
    assert [cleared for _, cleared in found] == [False, True, False]
    assert car.software[1].since < found[1][0] < car.software[2].since == found[2][0]


@pytest.mark.parametrize("name", RULES)
def test_the_rules_fire_and_end_on_such_samples(name: str) -> None:
    found = [one for seed in range(25) for one in _in_hindsight(name, Car.drawn(np.random.default_rng(seed)))]
    assert {one.cleared for one in found} == {False, True}


def _in_hindsight(name: str, car: Car) -> list[Finding]:
    return _once(RULES[name], car)


def _once(rule: Rule, car: Car) -> list[Finding]:
    once = Live(rule, car, np.ones(len(car.times), bool))
    once.run(int(car.times[-1]))
    return once.found
