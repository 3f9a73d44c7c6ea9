"""Sensors: what one signal reads is not another's business."""

from dataclasses import replace
from datetime import date

import numpy as np
import pytest

from simulator import sensors
from simulator.day import Day
from simulator.fleet import build_fleet
from simulator.instruments import UP, Sensor
from simulator.noise import RowNoise, normal_block
from simulator.randomness import Purpose, bits
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


def lived(vehicles: int, seed: int) -> Day:
    (convoy,) = build_fleet(vehicles, 1, seed, date(2026, 9, 1), [])._convoys
    return convoy.live()[0]


def test_draws_by_name_are_standard_normal_and_independent() -> None:
    day = lived(12, 5)
    noise = RowNoise(day)
    names = [f"signal_{number}" for number in range(60)]
    draws = np.array([noise.normal(name).copy() for name in names])
    assert draws.shape[1] > 2000
    assert (noise.normal(names[7]) == draws[7]).all()
    assert abs(draws.mean()) < 0.01
    assert abs(draws.std() - 1.0) < 0.01
    assert np.abs(draws).max() > 3.5
    assert abs((np.abs(draws) > 2.0).mean() - 0.0455) < 0.003
    for values in (draws, draws.T[:2000]):
        apart = np.corrcoef(values) - np.eye(len(values))
        assert np.abs(apart).max() < (0.12 if values is draws else 0.85)
    shifted = [float(np.corrcoef(one[lag:], one[:-lag])[0, 1]) for one in draws for lag in (1, 2, 7)]
    assert np.abs(shifted).max() < 0.1
    uniform = noise.uniform("any")
    assert 0.0 <= uniform.min() < 0.01
    assert 0.99 < uniform.max() < 1.0


def test_draws_of_a_row_hang_on_its_car_and_place_alone() -> None:
    together, day = RowNoise(lived(5, 5)).normal("any").copy(), lived(5, 5)
    (single,) = build_fleet(5, 1, 5, date(2026, 9, 1), []).alone("car-0003")._convoys
    alone = RowNoise(single.live()[0]).normal("any")
    assert (together[day.rows(2)] == alone).all()
    assert len(np.unique(together)) > 0.9 * len(together) * (1.0 - len(together) / 2.0**17)


def test_a_block_of_draws_is_normal_and_more_rows_change_none_before() -> None:
    block = normal_block(bits(5, Purpose.SENSORS, 1, 2), 300, 106)
    assert block.shape == (300, 106)
    assert abs(block.mean()) < 0.02
    assert abs(block.std() - 1.0) < 0.02
    assert (normal_block(bits(5, Purpose.SENSORS, 1, 2), 7, 106) == block[:7]).all()
    for other in (bits(5, Purpose.SENSORS, 1, 3), bits(5, Purpose.SENSORS, 2, 2), bits(6, Purpose.SENSORS, 1, 2)):
        assert abs(np.corrcoef(normal_block(other, 300, 106).ravel(), block.ravel())[0, 1]) < 0.03
