"""Publishing as fast as ingest stores: what waits is bounded, and so is what is held in memory."""

import time
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from simulator import publish as module
from simulator.delivery import Delivery
from simulator.fleet import Fleet, build_fleet
from simulator.publish import NotStoredError, Pace, publish, publish_fleet
from vehicle.batch import EventBatch

AT = datetime(2026, 9, 1, tzinfo=UTC)


class SlowAgent:
    """Keeps what it is given until somebody waits, and then stores a part of it."""

    def __init__(self, stores: int = 10) -> None:
        self.pending = 0
        self.most_pending = 0
        self.submitted: list[Any] = []
        self.order: list[str] = []
        self._stores = stores

    def submit(self, batches: Iterable[Any]) -> None:
        more = list(batches)
        self.submitted += more
        self.pending += len(more)
        self.most_pending = max(self.most_pending, self.pending)

    def wait_for_room(self, pending: int, _timeout: timedelta) -> bool:
        self.order.append(f"{pending}")
        self.pending = max(self.pending - self._stores, min(pending, self.pending))
        return self.pending <= pending

    def next_seq(self, *_: str) -> int:
        return 1


def deliveries(count: int, again: Iterable[int] = ()) -> list[Delivery]:
    """One batch a second, those of `again` twice."""
    ones = [
        Delivery(AT + timedelta(seconds=seq), EventBatch("car-0001", "b" * 16, seq, AT, ()))
        for seq in range(1, count + 1)
    ]
    return [*ones, *(Delivery(ones[place].due, ones[place].batch, again=True) for place in again)]


def test_no_more_than_the_limit_waits_for_its_stored_ack() -> None:
    agent: Any = SlowAgent(stores=7)
    publish(agent, deliveries(5_000), Pace(None))
    assert len(agent.submitted) == 5_000
    assert agent.most_pending <= module.UNSTORED_BATCHES + module.BATCHES_AT_ONCE


def test_what_is_sent_again_comes_when_all_has_been_stored() -> None:
    agent: Any = SlowAgent()
    publish(agent, deliveries(50, again=(3, 4)), Pace(None))
    assert [batch.seq for batch in agent.submitted] == [*range(1, 51), 4, 5]
    assert agent.order.index("0") < len(agent.order) - 1


def test_ingest_that_stores_nothing_is_reported() -> None:
    agent: Any = SlowAgent(stores=0)
    with pytest.raises(NotStoredError, match="is ingest running"):
        publish(agent, deliveries(3_000), Pace(None))
    assert agent.most_pending <= module.UNSTORED_BATCHES + module.BATCHES_AT_ONCE


def test_a_pace_waits_for_the_time_at_which_a_batch_gets_through() -> None:
    slept: list[float] = []
    agent: Any = SlowAgent()
    publish(agent, deliveries(4), Pace(3600.0, slept.append))
    begun = time.monotonic()
    assert len(agent.submitted) == 4
    assert sum(slept) <= 3.0 / 3600.0 * 4
    assert time.monotonic() - begun < 1.0


def test_at_full_speed_no_more_than_a_hundred_cars_day_is_held(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "CARS_TOGETHER", 2)
    monkeypatch.setattr("simulator.fleet.CARS_TOGETHER", 2)
    held, most = 0, 0

    class Counted(Fleet):
        """Counts the cars whose day has been made and not yet been submitted."""

        def day(self, index: int) -> Any:
            nonlocal held, most
            for one in super().day(index):
                held += 1
                most = max(most, held)
                yield one

    class Forgetful(SlowAgent):
        def submit(self, batches: Iterable[Any]) -> None:
            nonlocal held
            held = 0
            super().submit(batches)

    sound = build_fleet(7, 2, 1, date(2026, 9, 1), [])
    fleet = Counted(sound._cars, 2, 1, date(2026, 9, 1))
    agent: Any = Forgetful(stores=10_000)
    publish_fleet(agent, fleet, "a fleet", Pace(None), lambda _: None)
    assert most == 2
    assert {batch.vehicle_id for batch in agent.submitted} == {vehicle.vehicle_id for vehicle in fleet.vehicles}
