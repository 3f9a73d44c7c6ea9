"""States: driving, charging, at rest."""

import numpy as np

from features.states import states
from tests.support.windows import a_window, minutes
from vehicle.signals import CATALOGUE

CHARGING = float(CATALOGUE["charge_state"].values.index("Charging"))


def test_rest_is_counted_from_the_last_active_sample() -> None:
    at = minutes()
    speed = np.where((at >= 600) & (at <= 660), 50.0, 0.0)
    doing = states(a_window(at, {"speed_kmh": speed}))
    assert doing.driving.sum() == 7
    assert doing.rest_h[at == 660] == 0
    assert doing.rest_h[at == 660 + 180] == 3.0
    assert doing.seen[at == 670]
    assert not doing.seen[at == 0], "what was before the window is not known"


def test_a_charge_is_told_by_its_state() -> None:
    at = minutes()
    state = np.where((at >= 100) & (at < 200), CHARGING, 0.0)
    doing = states(a_window(at, {"speed_kmh": 0.0, "charge_state": state}))
    assert at[doing.charging].tolist() == list(range(100, 200, 10))


def test_a_charge_is_inferred_from_the_current_where_no_state_is_sampled() -> None:
    at = minutes()
    current = np.where((at >= 100) & (at < 200), 20.0, -0.3)
    doing = states(a_window(at, {"speed_kmh": 0.0, "hv_current_a": current}))
    assert at[doing.charging].tolist() == list(range(100, 200, 10))


def test_recuperation_is_no_charge() -> None:
    doing = states(a_window(minutes(), {"speed_kmh": 60.0, "hv_current_a": 30.0}))
    assert not doing.charging.any()


def test_a_drive_that_no_sample_shows_ends_the_rest() -> None:
    at = minutes()
    odometer = np.where(at < 1000, 500.0, 520.0)
    doing = states(a_window(at, {"speed_kmh": 0.0, "odometer_km": odometer}))
    assert doing.rest_h[at == 990] == 16.5
    assert doing.rest_h[at == 1000] == 0
    assert doing.seen[at == 1000]


def test_one_charge_is_one_spell_however_fast_it_is() -> None:
    at = minutes()
    charging = (at >= 100) & (at < 200)
    soc = np.clip((at - 100) * 0.5, 0, 50)
    doing = states(
        a_window(at, {"speed_kmh": 0.0, "charge_state": np.where(charging, CHARGING, 0.0), "hv_soc_pct": soc})
    )
    assert len(set(doing.spell[charging])) == 1


def test_nothing_sampled_is_rest_of_unknown_beginning() -> None:
    doing = states(a_window(minutes(), {}))
    assert not doing.driving.any()
    assert not doing.seen.any()
