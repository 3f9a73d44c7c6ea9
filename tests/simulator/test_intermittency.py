"""Intermittent faults come and go with the weather and the road; the mechanism, shown on a mode that never does."""

from datetime import date

import msgspec
import numpy as np
import pytest

from simulator.car import build_car
from simulator.convoy import Convoy
from simulator.day import COLD_C, ROUGH_SHARE, WET, Day, Phase
from simulator.fault_modes import FAULT_MODES, Intermittent
from simulator.faults import FaultOrder
from simulator.profile import SPARSE
from simulator.weather import Weather
from vehicle.failure import FailureMode

MODE = FailureMode.HV_ISOLATION_LOSS
START = date(2026, 3, 1)
DAYS = 12


def lived(monkeypatch: pytest.MonkeyPatch, needs: Intermittent) -> list[Day]:
    """Days of a taxi among others that has the fault from the first day on."""
    monkeypatch.setitem(
        FAULT_MODES, MODE, msgspec.structs.replace(FAULT_MODES[MODE], intermittent=needs, strands=False)
    )
    cars = tuple(
        build_car(11, number, DAYS, (FaultOrder(MODE, f"car-{1 + number:04d}", -4.0),) if number == 2 else ())
        for number in range(4)
    )
    convoy = Convoy(cars, START, Weather(11, START, DAYS), SPARSE)
    return [convoy.live()[0] for _ in range(DAYS)]


@pytest.mark.parametrize("needs", Intermittent)
def test_the_fault_is_there_only_while_it_has_what_it_needs(
    monkeypatch: pytest.MonkeyPatch, needs: Intermittent
) -> None:
    shown = away = 0
    for day in lived(monkeypatch, needs):
        severity = day.severity(MODE)
        rows = day.rows(2)
        others = np.ones(len(day), dtype=np.bool_)
        others[rows] = False
        assert (severity[others] == 0.0).all()
        fault = day.cars.cars[2].fault(MODE)
        assert fault is not None
        whole = fault.severity(day.at_s[rows])
        there = {
            Intermittent.NONE: np.ones(len(whole), dtype=np.bool_),
            Intermittent.WET: day.columns["wetness"][rows] > WET,
            Intermittent.COLD: day.columns["ambient_temp_c"][rows] < COLD_C,
            Intermittent.BUMPS: (severity[rows] > 0.0) & (day.phase[rows] == Phase.DRIVING),
        }[needs]
        assert (severity[rows] == np.where(there, whole, 0.0)).all()
        assert (day.severity(MODE) == severity).all()
        shown += int((severity[rows] > 0.0).sum())
        away += int((severity[rows] == 0.0).sum())
    assert shown > 20
    assert (away > 20) == (needs is not Intermittent.NONE)


def test_bumps_take_their_share_of_driving_in_stretches(monkeypatch: pytest.MonkeyPatch) -> None:
    rough = []
    for day in lived(monkeypatch, Intermittent.BUMPS):
        driving = day.phase[day.rows(2)] == Phase.DRIVING
        rough += list(day.severity(MODE)[day.rows(2)][driving] > 0.0)
    assert np.mean(rough) == pytest.approx(ROUGH_SHARE, abs=0.06)
    # Of a minute's three samples the next one is mostly as rough as the one before.
    following = np.array(rough)[1:][np.array(rough)[:-1]]
    assert following.mean() > 0.5
