"""What a car's troubles do to its batches: held, repeated, under other boots and clocks, and nothing lost."""

from collections import Counter
from datetime import UTC, date, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulator.delivery import Delivery, FleetSender
from simulator.fleet import Fleet, build_fleet
from simulator.troubles import Trouble, Troubles, draw_troubles
from simulator.weather import DAY_S
from vehicle.batch import EventBatch, TelemetryBatch

START = date(2026, 9, 1)
MIDNIGHT = datetime(2026, 9, 1, tzinfo=UTC)


def troubled(vehicles: int, days: int, seed: int = 1) -> Fleet:
    return build_fleet(vehicles, days, seed, START, [], troubles=Troubles.ALL)


def sent(fleet: Fleet, name: str = "a fleet") -> list[Delivery]:
    """Everything, in the order in which it gets through."""
    sender = FleetSender(name, fleet.start, fleet.troubles)
    days = [one for index in range(fleet.days) for one in sender.deliveries(index, fleet.day(index))]
    return [*days, *sender.rest()]


def in_order(fleet: Fleet) -> dict[str, list[TelemetryBatch | EventBatch]]:
    """Every car's batches as it packed them: boot after boot, each by number."""
    sender, batches = FleetSender("a fleet", START, {}), [one.batch for one in sent(fleet) if not one.again]
    lives = {}
    for vehicle_id, troubles in fleet.troubles.items():
        boots = [sender.boot(vehicle_id, restarts) for restarts in range(troubles.boot(np.inf) + 1)]
        own = [batch for batch in batches if batch.vehicle_id == vehicle_id]
        lives[vehicle_id] = sorted(own, key=lambda batch: (boots.index(batch.boot), batch.seq))
    return lives


@settings(max_examples=4)
@given(st.integers(0, 2**63))
def test_all_is_sent_once_under_the_cars_own_clock_and_boot(seed: int) -> None:
    fleet = troubled(2, 5, seed)
    lived = [one for index in range(fleet.days) for one in fleet.day(index)]
    days = {vehicle_id: [samples for name, samples in lived if name == vehicle_id] for vehicle_id in fleet.troubles}
    for vehicle_id, batches in in_order(fleet).items():
        true = np.concatenate([one.times for one in days[vehicle_id]])
        told = np.concatenate([one.times for one in batches if isinstance(one, TelemetryBatch)])
        at_s = (true - np.datetime64(START, "us")) / np.timedelta64(1, "s")
        ahead = [fleet.troubles[vehicle_id].ahead_s(at) for at in at_s.tolist()]
        assert np.abs((told - true) / np.timedelta64(1, "s") - ahead).max() < 1e-5
        assert len({one.boot for one in batches}) > 1
        columns = [one.columns for one in batches if isinstance(one, TelemetryBatch)]
        km = [one["odometer_km"] for one in columns if "odometer_km" in one]
        driven = [one.columns["odometer_km"] for one in days[vehicle_id] if "odometer_km" in one.columns]
        told_km, true_km = np.concatenate(km), np.concatenate(driven)
        assert told_km[~np.isnan(told_km)].tolist() == true_km[~np.isnan(true_km)].tolist()
        events = [event.kind for one in batches if isinstance(one, EventBatch) for event in one.events]
        assert events == [event.kind for one in days[vehicle_id] for event in one.events]


def test_what_gets_through_comes_in_order_with_gapless_numbers_and_repeats_after_the_first() -> None:
    fleet = troubled(4, 10)
    next_seq: Counter[str] = Counter()
    before, kinds = MIDNIGHT, Counter[str]()
    for one in sent(fleet):
        troubles, batch = fleet.troubles[one.batch.vehicle_id], one.batch
        assert before <= one.due
        before = one.due
        kinds["again"] += one.again
        if one.again:
            assert batch.seq <= next_seq[batch.boot]
        else:
            next_seq[batch.boot] += 1
            assert batch.seq == next_seq[batch.boot]
            kinds["late"] += one.due - batch.sent_at > timedelta(hours=7)
            kinds["held"] += one.due - batch.sent_at > timedelta(minutes=11)
        at_s = (one.due - MIDNIGHT) / timedelta(seconds=1)
        assert troubles.arrives_s(at_s) == at_s, "the link is there"
    assert kinds["again"] > 20
    assert kinds["held"] > 50
    assert kinds["late"] > 10
    newest, reordered = dict.fromkeys(fleet.troubles, 0), 0
    for one in sent(fleet):
        newest[one.batch.vehicle_id] = max(newest[one.batch.vehicle_id], int(one.batch.sent_at.timestamp()))
        reordered += not one.again and one.batch.sent_at.timestamp() < newest[one.batch.vehicle_id] - 3600.0
    assert reordered > 10, "late data comes after newer data"


def test_same_seed_same_bytes_alone_or_in_parts() -> None:
    def content(deliveries: list[Delivery]) -> list[tuple[object, ...]]:
        return [
            (one.due, one.again, one.batch.boot, one.batch.seq, one.batch.sent_at)
            + ((one.batch.times.tobytes(),) if isinstance(one.batch, TelemetryBatch) else one.batch.events)
            for one in deliveries
        ]

    fleet = troubled(3, 4)
    whole = content(sent(fleet))
    assert whole == content(sent(troubled(3, 4)))
    sender, parts = FleetSender("a fleet", fleet.start, fleet.troubles), []
    for index in range(4):
        for car in fleet.day(index):
            parts += sender.deliveries(index, [car])
        parts += sender.deliveries(index, [])
    assert sorted(content([*parts, *sender.rest()]), key=repr) == sorted(whole, key=repr)
    own = [one for one in sent(fleet) if one.batch.vehicle_id == "car-0002"]
    assert content(sent(fleet.alone("car-0002"))) == content(own)


def test_cars_without_troubles_send_at_once_and_once() -> None:
    fleet = build_fleet(2, 2, 1, START, [])
    deliveries = sent(fleet)
    assert all(one.due == one.batch.sent_at and not one.again for one in deliveries)
    assert len({one.batch.boot for one in deliveries}) == 2


def test_of_ten_cars_seven_have_one_trouble_each_and_the_truth_has_all() -> None:
    fleet = build_fleet(10, 20, 3, START, [], troubles=Troubles.SOME)
    kinds = {one.kind for troubles in fleet.troubles.values() for one in troubles.episodes}
    assert kinds == set(Trouble)
    assert len(fleet.troubles) == 7
    told = Counter((one.vehicle_id, one.confounder) for one in fleet.truth.confounders)
    for vehicle_id, troubles in fleet.troubles.items():
        assert len({one.kind for one in troubles.episodes}) == 1
        assert told[vehicle_id, troubles.episodes[0].kind.value] == len(troubles.episodes)
    assert fleet.truth.faults == build_fleet(10, 20, 3, START, []).truth.faults


@pytest.mark.parametrize("number", range(20))
def test_a_clock_is_never_ahead_by_what_ingest_refuses(number: int) -> None:
    troubles = draw_troubles(5, number, 60, Troubles.ALL)
    edges = [at for one in troubles.episodes for at in (one.start_s, one.end_s)]
    assert max(abs(troubles.ahead_s(at)) for at in edges) < 600.0
    assert (troubles.outages[1:, 0] > troubles.outages[:-1, 1]).all()
    assert troubles.breaks(0.0, 60 * DAY_S) == sorted(set(troubles.breaks(0.0, 60 * DAY_S)))
