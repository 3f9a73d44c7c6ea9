"""Cell groups against their pack."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.cells import column_median, movement, observe, row_median
from features.window import Window
from tests.support.windows import a_vehicle, a_window, minutes

CELLS = 20


def _window(
    offsets_mv: dict[int, float] | None = None,
    current: np.ndarray | float = 0.0,
    soc: np.ndarray | float = 60.0,
    chemistry: str = "NMC",
    volts: float = 3.8,
) -> Window:
    at = minutes()
    cells = np.full((len(at), CELLS), volts) + 0.05 * np.sin(at / 100)[:, None]
    for cell, offset in (offsets_mv or {}).items():
        cells[:, cell] += offset / 1000.0
    signals = {"hv_current_a": current, "hv_soc_pct": soc}
    return a_window(at, signals, cells, a_vehicle(chemistry=chemistry))


def _deviations(window: Window) -> np.ndarray:
    return np.asarray(observe(window)["cell_deviation"].values[0])


def test_the_day_is_its_median_deviation_in_millivolts() -> None:
    deviation = _deviations(_window({4: -25.0, 7: 10.0}))
    assert deviation[4] == pytest.approx(-25.0)
    assert deviation[7] == pytest.approx(10.0)
    assert deviation[0] == pytest.approx(0.0, abs=1e-6)


def test_locations_count_from_one() -> None:
    locations = observe(_window())["cell_deviation"].locations
    assert (locations[0], locations[-1]) == ("V_1", f"V_{CELLS}")


def test_gaps_and_missing_cells_are_survived() -> None:
    window = _window({4: -25.0})
    times, volts = window.arrays["cell_voltages_v"]
    holes = volts.copy()
    holes[::3, 4] = np.nan
    holes[5] = np.nan
    holes[:, 9] = np.nan
    deviation = _deviations(
        Window(window.vehicle, window.start, window.end, window.frame, {"cell_voltages_v": (times, holes)})
    )
    assert deviation[4] == pytest.approx(-25.0)
    assert np.isnan(deviation[9])


def test_a_sensor_that_stands_still_is_no_weak_cell() -> None:
    window = _window()
    times, volts = window.arrays["cell_voltages_v"]
    volts[:, 3] = 3.5
    assert np.isnan(_deviations(window)[3])
    assert times.shape == (len(volts),)


def test_high_current_is_left_out() -> None:
    at = minutes()
    current = np.where(at % 20 == 0, -150.0, 5.0)
    window = _window(current=current)
    _, volts = window.arrays["cell_voltages_v"]
    volts[(at[at >= 1440] % 20 == 0), 2] -= 0.2
    assert _deviations(window)[2] == pytest.approx(0.0, abs=1e-6)


@pytest.mark.parametrize(("soc", "chemistry"), [(5.0, "NMC"), (95.0, "LFP")])
def test_a_day_on_a_knee_of_the_voltage_curve_tells_nothing(soc: float, chemistry: str) -> None:
    assert observe(_window({4: -60.0}, soc=soc, chemistry=chemistry)) == {}


def test_lithium_iron_phosphate_is_known_by_its_voltage() -> None:
    at = minutes()
    soc = np.where(at < 2160, 60.0, 95.0)
    window = _window(soc=soc, chemistry="", volts=3.3)
    _, volts = window.arrays["cell_voltages_v"]
    volts[at[at >= 1440] >= 2160, 3] += 0.3
    assert _deviations(window)[3] == pytest.approx(0.0, abs=1e-6)


def test_a_short_day_tells_nothing() -> None:
    window = _window({4: -60.0})
    times, volts = window.arrays["cell_voltages_v"]
    short = Window(window.vehicle, window.start, window.end, window.frame, {"cell_voltages_v": (times[:9], volts[:9])})
    assert observe(short) == {}


def test_without_current_and_charge_all_samples_count() -> None:
    at = minutes()
    window = a_window(at, {}, np.full((len(at), CELLS), 3.7))
    assert (_deviations(window) == 0).all()


@given(st.lists(st.lists(st.one_of(st.floats(0, 5), st.just(np.nan)), min_size=4, max_size=4), min_size=1, max_size=9))
def test_the_fast_medians_are_the_plain_ones(rows: list[list[float]]) -> None:
    values = np.array(rows)
    filled = values[np.isfinite(values).any(axis=1)]
    if len(filled):
        assert row_median(filled) == pytest.approx(np.nanmedian(filled, axis=1))
    half = np.isfinite(values).sum(axis=0) * 2 >= len(values)
    medians = column_median(values)
    assert (np.isfinite(medians) == half).all()
    for column in np.flatnonzero(half):
        assert medians[column] == pytest.approx(np.nanmedian(values[:, column]))


def test_movement_ignores_the_outermost_and_gaps() -> None:
    values = np.linspace(0.0, 1.0, 101)[:, None]
    gapped = np.vstack([values, np.full((50, 1), np.nan)])
    assert movement(values) == pytest.approx([0.9])
    assert movement(gapped) == pytest.approx([0.9])


def test_each_hour_has_its_own_median_under_little_current() -> None:
    at = minutes(period=2)
    current = np.where((at >= 1440 + 600) & (at < 1440 + 660), 30.0, 0.0)
    cells = np.full((len(at), CELLS), 3.8)
    cells[at >= 1440 + 720, 4] -= 0.015
    window = a_window(at, {"hv_current_a": current, "hv_soc_pct": 60.0}, cells, a_vehicle())
    panel = observe(window)["cell_deviation_hour"]
    assert len(panel) == 23
    assert panel.values[:11, 4] == pytest.approx(0.0, abs=1e-6)
    assert panel.values[11:, 4] == pytest.approx(-15.0)
    assert (panel.times.astype("datetime64[m]").astype(int) % 60 == 58).all()


def test_an_hour_with_few_samples_and_a_pack_of_lfp_say_nothing_by_the_hour() -> None:
    assert "cell_deviation_hour" not in observe(_window())
    at = minutes(period=2)
    window = a_window(at, {"hv_soc_pct": 60.0}, np.full((len(at), CELLS), 3.3), a_vehicle(chemistry="LFP"))
    assert set(observe(window)) == {"cell_deviation"}
