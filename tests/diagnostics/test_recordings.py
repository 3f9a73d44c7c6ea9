"""The recorded cars: two weak cell groups in one, nothing in the other, and what happens when they are changed."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from diagnostics.cell_drift import CellDrift
from diagnostics.cell_peers import CellPeers
from flows.diagnose import all_detectors
from flows.one_car import Samples, judge_history
from simulator.replay import read_battery_log
from vehicle.finding import Finding
from vehicle.vehicle import VehicleRecord

pytestmark = pytest.mark.recordings

UNKNOWN = VehicleRecord("recorded", datetime(2019, 1, 1, tzinfo=UTC))
"""Of a recorded car the registry knows nothing."""
WEAK = (2, 81)
CELLS = "cell_voltages_v"

Change = Callable[[np.ndarray], np.ndarray]


def _load(folder: Path, car: int) -> Samples:
    file = folder / "ev_battery_fault" / f"car{car}_processed.zip"
    if not file.is_file():
        pytest.skip(f"{file} is not there")
    recording = read_battery_log(file, ZoneInfo("Asia/Shanghai"))
    return Samples(UNKNOWN, recording.times, recording.columns)


@pytest.fixture(scope="module")
def faulty(recordings: Path) -> Samples:
    """Two weak groups, 27 days."""
    return _load(recordings, 3)


@pytest.fixture(scope="module")
def healthy(recordings: Path) -> Samples:
    """Nothing wrong, two days."""
    return _load(recordings, 1)


def _judged(history: Samples, change: Change = np.copy) -> list[Finding]:
    cells = change(history.columns[CELLS])
    return judge_history(Samples(UNKNOWN, history.times, {**history.columns, CELLS: cells}), all_detectors()).findings


def _of_cells(found: list[Finding]) -> list[Finding]:
    """Without what is true of the faulty car's recording whatever its cells are: it has holes with driving in them."""
    return [one for one in found if one.detector != "drives_unseen"]


def _repaired(cells: np.ndarray) -> np.ndarray:
    weak = np.array(WEAK) - 1
    cells = cells.copy()
    cells[:, weak] = np.nanmedian(np.delete(cells, weak, axis=1), axis=1)[:, None]
    return cells


def test_both_weak_groups_are_found_within_three_days_and_nothing_else(faulty: Samples) -> None:
    everything = _judged(faulty)
    # On 21 April 107 km in a silence of eleven hours.
    assert {one.detector for one in everything} == {"cell_peers", "drives_unseen"}
    found = _of_cells(everything)
    assert {one.locations for one in found} == {("V_2", "V_81")}
    first = datetime.fromisoformat(str(faulty.times[0])).replace(tzinfo=UTC)
    assert found[0].observed_at < first + timedelta(days=3)
    assert not any(one.cleared for one in found)


def test_nothing_is_found_in_the_healthy_car(healthy: Samples) -> None:
    assert _judged(healthy) == []


@pytest.mark.parametrize("cell", [0, 60])
def test_a_drift_of_fifteen_millivolts_is_found_in_the_healthy_car(healthy: Samples, cell: int) -> None:
    share = (healthy.times - healthy.times[0]) / (healthy.times[-1] - healthy.times[0])
    cells = healthy.columns[CELLS].copy()
    cells[:, cell] -= 0.015 * share
    struck = Samples(UNKNOWN, healthy.times, {**healthy.columns, CELLS: cells.round(3)})
    (found,) = judge_history(struck, [CellDrift(), CellPeers()]).findings
    assert (found.detector, found.locations) == ("cell_drift", (f"V_{cell + 1}",))


def test_nothing_is_found_once_the_weak_groups_are_repaired(faulty: Samples) -> None:
    assert _of_cells(_judged(faulty, _repaired)) == []


@pytest.mark.parametrize("seed", [1, 2])
def test_permuted_columns_give_permuted_names(faulty: Samples, seed: int) -> None:
    order = np.random.default_rng(seed).permutation(87)
    names = sorted(int(np.flatnonzero(order == number - 1)[0]) + 1 for number in WEAK)
    found = _of_cells(_judged(faulty, lambda cells: cells[:, order]))
    assert found[0].locations == tuple(f"V_{number}" for number in names)
    assert {one.locations for one in found} == {found[0].locations}


@pytest.mark.parametrize("cell", [0, 40, 86])
def test_a_slow_drift_is_found_in_a_repaired_pack(faulty: Samples, cell: int) -> None:
    share = (faulty.times - faulty.times[0]) / (faulty.times[-1] - faulty.times[0])

    def drifting(cells: np.ndarray) -> np.ndarray:
        cells = _repaired(cells)
        cells[:, cell] -= 0.040 * share
        return cells.round(3)

    found = _of_cells(_judged(faulty, drifting))
    assert {one.locations for one in found} == {(f"V_{cell + 1}",)}
    assert found[0].remaining_useful_life is not None


def test_a_dead_sensor_is_no_weak_group(faulty: Samples) -> None:
    def stuck(cells: np.ndarray) -> np.ndarray:
        cells = _repaired(cells)
        cells[:, 30] = 3.7
        return cells

    assert _of_cells(_judged(faulty, stuck)) == []


def test_holes_in_the_recording_change_nothing(faulty: Samples) -> None:
    def holed(cells: np.ndarray) -> np.ndarray:
        cells = cells.copy()
        cells[np.random.default_rng(0).random(cells.shape) < 0.1] = np.nan
        return cells

    assert {one.locations for one in _of_cells(_judged(faulty, holed))} == {("V_2", "V_81")}
