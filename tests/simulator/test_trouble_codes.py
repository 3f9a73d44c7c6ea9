"""How a trouble code comes, heals and goes, day by day."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from simulator import instruments, trouble_codes
from simulator.car import build_car
from simulator.day import Cars, Day, Phase
from simulator.trouble_codes import CLEARED, CONFIRMED, HEALED, PENDING
from vehicle.codes import DtcStatus

START = datetime(2026, 9, 1, tzinfo=UTC)
CARS = Cars((build_car(1, 0, 60, ()), build_car(1, 1, 60, ())))


def a_day(index: int, bad: float, *, driven: bool) -> Day:
    """Of two cars, four rows each; the first car's signal is `bad` through two of them."""
    return Day(
        cars=CARS,
        index=index,
        midnight=START + timedelta(days=index),
        car=np.repeat([0, 1], 4),
        first=np.array([0, 4]),
        at_s=index * 86400.0 + np.tile([0.0, 30000.0, 60000.0, 86400.0], 2),
        dt_s=np.tile([0.0, 30000.0, 30000.0, 26400.0], 2),
        phase=np.tile([Phase.AWAKE, *[Phase.DRIVING if driven else Phase.AWAKE] * 2, Phase.ASLEEP], 2).astype(np.int8),
        wakes=np.zeros(8, dtype=np.bool_),
        columns={"speed_kmh": np.array([0.0, bad, bad, 0.0, 0.0, 0.0, 0.0, 0.0])},
    )


def course(monkeypatch: pytest.MonkeyPatch, days: str) -> list[tuple[int, DtcStatus]]:
    """Day and new status of each event; a letter is a day: (f)ails, (p)asses, stands (s)till."""
    broken = instruments.Test("P0562", lambda day, _: day.columns["speed_kmh"] > 1.0, ("speed_kmh",))
    monkeypatch.setattr(trouble_codes, "TESTS", (broken,))
    state = trouble_codes.start(CARS)
    told = []
    for index, what in enumerate(days):
        day = a_day(index, 9.0 if what == "f" else 0.0, driven=what != "s")
        trouble_codes.advance(state, day, START + timedelta(days=index))
        assert not day.events[1]
        for event in day.events[0]:
            assert event.trouble_code
            assert timedelta(0) < event.at - START - timedelta(days=index) < timedelta(days=1)
            assert bool(event.details) == bool(event.trouble_code.status & DtcStatus.TEST_FAILED)
            told.append((index, event.trouble_code.status))
    return told


def test_a_code_is_pending_then_confirmed_and_told_once(monkeypatch: pytest.MonkeyPatch) -> None:
    assert course(monkeypatch, "pffff") == [(1, PENDING), (2, CONFIRMED)]


def test_three_days_driven_without_a_failure_heal_it_and_another_failure_brings_it_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert course(monkeypatch, "ffppsspfpppf") == [
        (0, PENDING),
        (1, CONFIRMED),
        (6, HEALED),
        (7, CONFIRMED),
        (10, HEALED),
        (11, CONFIRMED),
    ]
    assert not HEALED & DtcStatus.WARNING_INDICATOR_REQUESTED


def test_forty_days_driven_without_a_failure_clear_it(monkeypatch: pytest.MonkeyPatch) -> None:
    assert course(monkeypatch, "ff" + "p" * 39 + "f")[-1] == (41, CONFIRMED)
    assert course(monkeypatch, "ff" + "p" * 45 + "f")[-2:] == [(41, CLEARED), (47, PENDING)]
    assert course(monkeypatch, "f" + "p" * 40) == [(0, PENDING), (40, CLEARED)]
    assert course(monkeypatch, "f" + "s" * 60) == [(0, PENDING)]
