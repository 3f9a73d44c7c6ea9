"""Live equals hindsight: rules over samples in pieces, with restarts and late pieces, find what one run finds."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from features.stays import EVERYTHING, Stay
from rules.loader import RuleError
from tests.support.a_rule import a_rule, steps
from tests.support.live_and_hindsight import (
    Car,
    Live,
    at_time,
    fingerprint,
    in_hindsight,
    in_looks,
    in_pieces,
)
from vehicle.software import SoftwareVersion, timeline

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
    "functions": a_rule(
        "min(lv_voltage_v, 50 min) < 11.5 V and max(lv_voltage_v, 3 h) - last(lv_voltage_v, 2 h) > 0.3 V",
        "count(lv_voltage_v > 12 V, 2 h) >= 2 or trend(lv_voltage_v, 8 h) > 0 V/d and max(speed_kmh > 1 km/h, 1 h)",
        keep_firing_for="5 min",
    ),
    "nested": a_rule(
        "delta(avg(lv_voltage_v, 20 min), 3 h) < -0.4 V or delta(hv_soc_pct, 6 h) > 30 %",
        "count(absent(lv_voltage_v, 30 min), 2 h) == 0 and max(lv_voltage_v where parked, 1 h) > 12.2 V",
    ),
    "wheels": a_rule(
        "avg(tyre_pressure_kpa where not driving, 2 h) < 270 kPa and quantile(tyre_pressure_kpa, 6 h, 0.2) < 280 kPa",
        "min(tyre_pressure_kpa, 25 min) > 260 kPa",
        observations=2,
    ),
    "part": a_rule(
        "avg(lv_voltage_v, 20 min) < 12 V",
        "lv_voltage_v > 12.3 V",
        ladder=steps("avg(lv_voltage_v, 20 min) < 11.7 V"),
        part={"group": "wheel", "number": "last(argmin_of(tyre_pressure_kpa), 1 h)"},
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

SEEDS = st.integers(0, 2**32 - 1)
CUTS = st.sets(st.integers(0, 88), max_size=5)
LOOKS = st.lists(st.lists(st.integers(0, 25), min_size=3, max_size=3), min_size=2, max_size=9)

WINDOWS = st.sampled_from(["4 min", "20 min", "50 min", "3 h", "10 h"])
VOLTAGES = st.sampled_from(["11.5 V", "12 V", "12.3 V", "12.6 V"])
STATES = st.sampled_from(
    ["driving", "charging", "parked", "asleep", "not driving", "hv_soc_pct < 20 %", "since(parked, 3 h) >= 1 h"]
)


def _numbers(series: str) -> st.SearchStrategy[str]:
    """The series itself, or a function of it over a window, perhaps of that again."""
    plain = st.just(series)
    where = st.one_of(plain, st.builds("{} where {}".format, plain, STATES))
    kept = st.sampled_from(["avg", "min", "max", "last"])
    once = st.one_of(
        st.builds("{}({}, {})".format, kept, where, WINDOWS),
        st.builds("quantile({}, {}, {})".format, where, WINDOWS, st.sampled_from(["0.2", "0.5", "0.9"])),
    )
    return st.one_of(plain, once, st.builds("{}({}, {})".format, kept, once, WINDOWS))


def _truths() -> st.SearchStrategy[str]:
    volts, wheels = _numbers("lv_voltage_v"), _numbers("tyre_pressure_kpa")
    plain = st.one_of(
        st.builds("{} {} {}".format, volts, st.sampled_from(["<", ">="]), VOLTAGES),
        st.builds("{} - {} < {}".format, volts, volts, st.sampled_from(["-0.3 V", "0.1 V", "0.6 V"])),
        st.builds("any_of({} < {})".format, wheels, st.sampled_from(["255 kPa", "270 kPa", "288 kPa"])),
        st.builds("slope(lv_voltage_v, {}) < {}".format, WINDOWS, st.sampled_from(["-3 V/d", "0 V/d"])),
        st.builds("delta(hv_soc_pct, {}) > {}".format, WINDOWS, st.sampled_from(["0 %", "20 %"])),
        st.builds("since({}, 4 h) > {}".format, st.sampled_from(["driving", "parked"]), WINDOWS),
        st.builds("min(since({}, 4 h), {}) > {}".format, st.sampled_from(["asleep", "parked"]), WINDOWS, WINDOWS),
        st.builds("count({}, {}) >= {}".format, STATES, WINDOWS, st.integers(1, 4)),
        st.builds("time_since({}, {}) > {}".format, STATES, WINDOWS, WINDOWS),
        st.builds("absent({}, {})".format, st.sampled_from(["lv_voltage_v", "hv_soc_pct"]), WINDOWS),
        st.builds("time_since(lv_voltage_v {} 12.2 V, 6 h) > {}".format, st.sampled_from(["<", ">"]), WINDOWS),
        st.builds("count(lv_voltage_v < {}, {}) >= {}".format, VOLTAGES, WINDOWS, st.integers(1, 4)),
        st.builds("lv_voltage_v < baseline(lv_voltage_v, {})".format, st.integers(2, 6)),
        st.sampled_from(['code("BMS_a151", confirmed)', 'code_count("BMS_*", test_failed, 3 h) >= 2']),
        st.sampled_from(["driving", "charging", "parked", "asleep"]),
    )
    return st.recursive(
        plain,
        lambda inner: st.one_of(
            st.builds("({} and {})".format, inner, inner),
            st.builds("({} or {})".format, inner, inner),
            st.builds("not ({})".format, inner),
        ),
        max_leaves=3,
    )


DRAWN = st.fixed_dictionaries(
    {
        "when": _truths(),
        "until": _truths(),
        "lasting": st.sampled_from(["0 min", "5 min", "40 min"]),
        "observations": st.integers(1, 3),
        "keep_firing_for": st.sampled_from(["0 min", "15 min", "2 h"]),
    }
)
"""Rules that nobody has thought of."""


@settings(max_examples=60)
@given(fields=DRAWN, seeds=st.lists(SEEDS, min_size=2, max_size=3), cuts=CUTS, late=st.integers(-1, 88), looks=LOOKS)
def test_whatever_the_rule_live_equals_hindsight(
    fields: dict[str, str], seeds: list[int], cuts: set[int], late: int, looks: list[list[int]]
) -> None:
    try:
        rule = a_rule(**fields)
    except RuleError:
        assume(False)
    cars = [Car.drawn(np.random.default_rng(seed)) for seed in seeds]
    expected = [fingerprint(in_hindsight(rule, car)) for car in cars]
    assert fingerprint(in_pieces(rule, cars[0], cuts, late)) == expected[0]
    assert [*map(fingerprint, in_looks(rule, cars, min(cuts, default=-1), looks))] == expected


@pytest.mark.parametrize("name", RULES)
@settings(max_examples=15)
@given(seed=SEEDS, cuts=CUTS, late=st.integers(-1, 88))
def test_live_equals_hindsight(name: str, seed: int, cuts: set[int], late: int) -> None:
    car = Car.drawn(np.random.default_rng(seed))
    assert fingerprint(in_pieces(RULES[name], car, cuts, late)) == fingerprint(in_hindsight(RULES[name], car))


@pytest.mark.parametrize("name", RULES)
@settings(max_examples=10)
@given(seeds=st.lists(SEEDS, min_size=2, max_size=3), looks=LOOKS, stored=st.integers(-1, 60))
def test_what_is_carried_stands_for_the_samples_that_were_looked_at(
    name: str, seeds: list[int], looks: list[list[int]], stored: int
) -> None:
    cars = [Car.drawn(np.random.default_rng(seed)) for seed in seeds]
    found = in_looks(RULES[name], cars, stored, looks)
    assert [*map(fingerprint, found)] == [fingerprint(in_hindsight(RULES[name], car)) for car in cars]


@pytest.mark.parametrize("name", RULES)
@settings(max_examples=10)
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
        Stay(number, at_time(ends[start]), at_time(ends[start + length]), (EVERYTHING,) * reported)
        for number, (start, length, reported) in enumerate(stays)
    ]
    live = Live(RULES[name], car, np.ones(len(car.times), bool))
    for number, cut in enumerate(sorted(cuts | {len(car.times) - 1})):
        if number == known_after:
            live.learn(known)
        live.run(int(car.times[cut]))
    live.learn(known)
    other.stays = known
    assert fingerprint(live.found) == fingerprint(in_hindsight(RULES[name], other))
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
    known = timeline(SoftwareVersion(at_time(int(car.times[place])), version) for place, version in updates)
    live = Live(FOR_SOFTWARE, car, np.ones(len(car.times), bool))
    for number, cut in enumerate(sorted(cuts | {len(car.times) - 1})):
        if number >= known_after:
            live.learn_software(known[: number - known_after + 1])
        live.run(int(car.times[cut]))
    live.learn_software(known)
    other.software = known
    once = in_hindsight(FOR_SOFTWARE, other)
    assert fingerprint(live.found) == fingerprint(once)
    begins = [one.observed_at for one in once if not one.cleared]
    at = [max((one for one in known if one.since <= begin), key=lambda one: one.since) for begin in begins]
    assert "2026.80" not in {one.version for one in at}


def test_the_rule_for_software_fires_and_ends_at_an_update() -> None:
    car = Car.drawn(np.random.default_rng(1))
    car.samples = [row | {"lv_voltage_v": 11.0} for row in car.samples]
    updates = [(20, "2026.8.1"), (40, "2026.80"), (60, "2026.4")]
    car.software = tuple(SoftwareVersion(at_time(int(car.times[place])), version) for place, version in updates)
    claims = in_hindsight(FOR_SOFTWARE, car)
    found = [(one.observed_at, one.cleared) for one in claims]
    assert found[0] == (car.software[0].since, False)
    assert [cleared for _, cleared in found] == [False, True, False]
    assert car.software[1].since < found[1][0] < car.software[2].since == found[2][0]
    ended = claims[1].evidence.summary
    assert ended == "Something is wrong has ended: the rule is not for software 2026.80, which the car has."


@pytest.mark.parametrize("name", RULES)
def test_the_rules_fire_and_end_on_such_samples(name: str) -> None:
    found = [one for seed in range(25) for one in in_hindsight(RULES[name], Car.drawn(np.random.default_rng(seed)))]
    assert {one.cleared for one in found} == {False, True}
