"""What the car asks of the wall, and what the wall holds."""

import numpy as np

from features.charge_power import observe
from features.states import states
from tests.support.windows import a_window, minutes


def _observe(phases: float, current: float = 16.0, **others: float) -> dict[str, float]:
    at = minutes()
    signals: dict[str, np.ndarray | float] = {
        "speed_kmh": 0.0,
        "charge_state": 3.0,
        "charge_phases": phases,
        "charge_current_request_a": np.where(at < 2000, 16.0, 4.0),
        "charge_current_a": current,
        "charge_voltage_v": 226.0,
        **others,
    }
    window = a_window(at, signals)
    return {name: panel.values.item() for name, panel in observe(window, states(window)).items()}


def test_the_offer_is_over_all_phases_at_the_day_s_best() -> None:
    assert _observe(3.0) == {"charge_offer": 48.0, "wall_voltage": 226.0}
    assert _observe(1.0)["charge_offer"] == 16.0


def test_direct_current_says_nothing() -> None:
    assert _observe(0.0) == {}


def test_without_load_the_wall_is_not_judged() -> None:
    assert "wall_voltage" not in _observe(3.0, current=5.0)


def test_places_other_than_home_say_nothing_of_the_car() -> None:
    assert _observe(3.0, place_id=1.0) == _observe(3.0)
    assert _observe(1.0, place_id=2.0) == {}
