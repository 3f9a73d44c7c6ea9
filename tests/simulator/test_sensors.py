"""Sensors: what one signal reads is not another's business."""

from dataclasses import replace
from datetime import date

import numpy as np
import pytest

from simulator import sensors
from simulator.fleet import build_fleet
from simulator.instruments import UP, Sensor
from simulator.randomness import NamedNoise, Purpose
from simulator.subsystems import INSTRUMENTED, SENSORS, TESTS
from vehicle.codes import DiagnosticTroubleCode
from vehicle.signals import CATALOGUE


def test_every_signal_is_in_the_catalogue_and_every_code_is_one() -> None:
    assert set(SENSORS) <= set(CATALOGUE)
    assert len({test.code for test in TESTS}) == len(TESTS)
    for test in TESTS:
        assert isinstance(DiagnosticTroubleCode.parse(test.code, 0), DiagnosticTroubleCode)
        assert set(test.freeze_frame) <= set(CATALOGUE)


def test_no_signal_belongs_to_two_subsystems() -> None:
    names = [name for part in INSTRUMENTED for name in part.SENSORS]
    assert len(names) == len(set(names))


def test_noise_of_a_signal_that_had_none_changes_no_other_signal(monkeypatch: pytest.MonkeyPatch) -> None:
    def life() -> dict[str, bytes]:
        ((_, samples),) = build_fleet(1, 1, 3, date(2026, 9, 1), []).day(0)
        return {name: values.tobytes() for name, values in samples.columns.items()}

    before = life()
    # One that has noise comes first, where it came later: order does not matter either.
    noisier = {name: replace(one, noise=1.0) if name == "speed_kmh" else one for name, one in SENSORS.items()}
    monkeypatch.setattr(sensors, "SENSORS", {"module_temp_min_c": Sensor(UP, 0.1, 0.5)} | noisier)
    after = life()
    assert {name for name in before if after[name] != before[name]} == {"speed_kmh"}


def test_draws_by_name_are_standard_normal_and_independent() -> None:
    noise = NamedNoise(5, Purpose.SIGNALS, 1, 2)
    names = [f"signal_{number}" for number in range(60)]
    draws = np.array([noise.draw(name, 2000) for name in names])
    assert (noise.draw(names[7], 2000) == draws[7]).all()
    assert (noise.draw(names[7], 11) == draws[7, :11]).all()
    assert abs(draws.mean()) < 0.02
    assert abs(draws.std() - 1.0) < 0.02
    apart = np.corrcoef(draws) - np.eye(len(names))
    assert np.abs(apart).max() < 0.12
    assert not (NamedNoise(5, Purpose.SIGNALS, 1, 3).draw(names[0], 50) == draws[0, :50]).any()
