"""Build batches: suppliers differ, the whole fleet does not."""

from datetime import date

import numpy as np
import pytest

from simulator.batches import BATCHES
from simulator.car import build_car
from simulator.fault_modes import FAULT_MODES
from simulator.faults import FaultOrder
from simulator.fleet import build_fleet
from simulator.incidence import draw_faults
from simulator.models import MODELS
from vehicle.failure import FailureMode


@pytest.mark.parametrize("mode", FailureMode)
def test_over_a_models_batches_every_mode_comes_as_often_as_the_table_says(mode: FailureMode) -> None:
    assert set(BATCHES) == {model.name for model in MODELS}
    for batches in BATCHES.values():
        assert np.mean([batch.quality(mode).rate for batch in batches]) == pytest.approx(1.0)


def test_registry_and_truth_know_the_batch_and_only_the_truth_its_suppliers() -> None:
    fleet = build_fleet(12, 2, 3, date(2026, 9, 1))
    builds = {one.vehicle_id: one for one in fleet.truth.builds}
    assert len({one.batch for one in builds.values()}) > 3
    for vehicle in fleet.vehicles:
        assert vehicle.record.build_batch == builds[vehicle.vehicle_id].batch
        assert builds[vehicle.vehicle_id].suppliers["contactor"] in {"Kessel", "Ostra"}


def test_cars_of_a_bad_batch_fail_more_often_and_sooner() -> None:
    mode = FailureMode.CONTACTOR_WEAR
    cars = [build_car(6, number, 365, (FaultOrder(mode, f"car-{1 + number:04d}", 0.0),)) for number in range(600)]
    bad = [car for car in cars if car.batch.suppliers["contactor"] == "Ostra"]
    good = [car for car in cars if car.batch.suppliers["contactor"] == "Kessel"]
    struck = {order.vehicle_id for order in draw_faults(cars, 365, 200.0, (mode,))}
    shares = [np.mean([car.vehicle_id in struck for car in ones]) for ones in (bad, good)]
    expected = [1.0 - np.exp(-rate * FAULT_MODES[mode].incidence * 0.2) for rate in (2.0, 0.5)]
    assert shares == pytest.approx(expected, abs=0.1)
    days = [np.median([car.faults[0].duration_days for car in ones]) for ones in (bad, good)]
    assert days[0] / days[1] == pytest.approx(0.8 / 1.1, abs=0.08)
