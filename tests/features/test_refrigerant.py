"""The refrigerant circuit: boiling points and effort."""

import numpy as np
import pytest

from features.refrigerant import boils_c, observe
from features.states import states
from tests.support.windows import a_window, minutes

FREEZING_KPA, WARM_KPA = 316.0, 1642.0
"""R-1234yf boils at 0 and at 60 degC under these, by its tables."""


def test_the_boiling_point_is_that_of_the_tables() -> None:
    assert boils_c(np.array([FREEZING_KPA, WARM_KPA])) == pytest.approx([0.0, 60.0], abs=0.6)
    assert np.isnan(boils_c(np.array([0.0]))).all()


def _observe(**signals: float) -> dict[str, float]:
    window = a_window(minutes(5), {"speed_kmh": 50.0, **signals})
    return {name: panel.values.item() for name, panel in observe(window, states(window)).items()}


def test_heating_the_cold_side_is_held_against_the_air() -> None:
    found = _observe(
        ambient_temp_c=5.0,
        cabin_temp_c=21.0,
        ac_compressor_power_kw=1.6,
        refrigerant_low_kpa=FREEZING_KPA,
        refrigerant_high_kpa=WARM_KPA,
    )
    assert found["evaporator_gap"] == pytest.approx(-5.0)
    assert found["compressor_effort"] == pytest.approx(1600.0 / (16.0 - 3.0) / 60.0, rel=0.01)


def test_cooling_it_is_held_against_freezing() -> None:
    found = _observe(
        ambient_temp_c=31.0,
        cabin_temp_c=35.0,
        ac_compressor_power_kw=1.6,
        refrigerant_low_kpa=FREEZING_KPA,
        refrigerant_high_kpa=WARM_KPA,
    )
    assert found == {"evaporator_gap": pytest.approx(-2.0)}, "a cabin that is still hot says nothing of the effort"


@pytest.mark.parametrize("changed", [{"ambient_temp_c": 20.0}, {"ac_compressor_power_kw": 0.1}])
def test_mild_air_and_a_compressor_that_stands_say_nothing(changed: dict[str, float]) -> None:
    usual = {"ambient_temp_c": 5.0, "cabin_temp_c": 21.0, "ac_compressor_power_kw": 1.6}
    pressures = {"refrigerant_low_kpa": FREEZING_KPA, "refrigerant_high_kpa": WARM_KPA}
    assert _observe(**{**usual, **pressures, **changed}) == {}


def test_the_effort_is_told_once_the_compressor_has_run_for_ten_minutes() -> None:
    times = minutes(5)
    pause = np.arange(len(times)) % 3 == 0
    usual = {"ambient_temp_c": 5.0, "cabin_temp_c": 21.0, "speed_kmh": 50.0}
    pressures = {"refrigerant_low_kpa": FREEZING_KPA, "refrigerant_high_kpa": WARM_KPA}

    def effort(power: np.ndarray) -> list[float]:
        window = a_window(times, {**usual, **pressures, "ac_compressor_power_kw": power})
        found = observe(window, states(window))
        return found["compressor_effort"].values.ravel().tolist() if "compressor_effort" in found else []

    assert effort(np.where(pause, 0.0, 1.6)) == []
    assert effort(np.where(pause, np.nan, 1.6)) == pytest.approx([1600.0 / 13.0 / 60.0], rel=0.01)
    warming = np.where(np.arange(len(times)) < 2, 4.0, 1.6)
    assert effort(warming) == pytest.approx([1600.0 / 13.0 / 60.0], rel=0.01)
