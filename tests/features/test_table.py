"""All features of a window at once."""

import numpy as np
import pytest

from features.table import ARRAYS, FEATURES, SIGNALS, observe
from tests.support.windows import a_window, minutes
from vehicle.signals import CATALOGUE, SignalKind


def test_every_signal_that_is_read_is_in_the_catalogue() -> None:
    assert [name for name in (*SIGNALS, *ARRAYS) if name not in CATALOGUE] == []
    assert [name for name in SIGNALS if CATALOGUE[name].kind is SignalKind.ARRAY] == []


def test_an_empty_window_gives_nothing() -> None:
    assert observe(a_window(np.empty(0), {})) == {}


@pytest.mark.parametrize("name", SIGNALS)
def test_one_signal_alone_is_survived(name: str) -> None:
    observe(a_window(minutes(), {name: 1.0}))


def test_every_observation_is_of_a_known_feature_and_inside_the_day() -> None:
    at = minutes(5)
    rng = np.random.default_rng(1)
    signals: dict[str, np.ndarray] = {name: rng.normal(20.0, 5.0, len(at)) for name in SIGNALS}
    signals["speed_kmh"] = np.where(at % 720 < 60, 50.0, 0.0)
    signals["charge_state"] = np.where((at % 720 > 100) & (at % 720 < 300), 3.0, 0.0)
    signals["dcdc_enabled"] = (at % 720 < 300) * 1.0
    window = a_window(at, signals, rng.normal(3.7, 0.01, (len(at), 12)))
    panels = observe(window)
    assert set(panels) <= set(FEATURES)
    assert len(panels) >= 6
    for panel in panels.values():
        assert window.inside(panel.times).all()
        assert (np.diff(panel.times) > np.timedelta64(0)).all()
        assert panel.values.shape == (len(panel), len(panel.locations))
