"""The simulated fleet beside facts and recordings: alike in size, where the world is known."""

from pathlib import Path

import numpy as np
import pytest

from benchmarks.likeness import FIGURES, Observed, binned, figures
from benchmarks.published import facts
from benchmarks.realism import Cars, compare, gather, page


@pytest.fixture(scope="module")
def simulated(tmp_path_factory: pytest.TempPathFactory) -> Cars:
    return gather(tmp_path_factory.mktemp("nothing"))


def test_facts_are_reproduced() -> None:
    assert [fact for fact in facts() if not fact.reproduced] == []


def car(*, rows: int = 400, ohm: float = 0.001) -> Observed:
    """Ten groups of the given resistance, evenly spread over 9 mV, sampled every 10 s with a hole of an hour."""
    rng = np.random.default_rng(1)
    current = np.where(np.arange(rows) % 4 < 2, 0.0, rng.uniform(-120.0, -60.0, rows))
    groups = 3.7 + ohm * current[:, None] + 0.001 * np.arange(10)
    seconds = np.arange(rows) * 10 + np.where(np.arange(rows) >= rows // 2, 3600, 0)
    return Observed(
        "car",
        np.datetime64("2026-01-01", "us") + seconds.astype("timedelta64[s]"),
        {
            "hv_voltage_v": groups.sum(axis=1),
            "hv_current_a": current,
            "hv_soc_pct": np.full(rows, 60.0),
            "speed_kmh": np.full(rows, 50.0),
            "module_temp_max_c": np.full(rows, 21.0),
            "module_temp_min_c": np.full(rows, 19.5),
            "cell_voltages_v": groups,
        },
    )


def test_figures_are_what_was_put_in() -> None:
    found = figures(car())
    assert list(found) == list(FIGURES)
    assert found["resistance_mohm"] == pytest.approx(1.0)
    assert found["spread_rest_mv"] == pytest.approx(8.1)
    assert found["volts_60_pct"] == pytest.approx(3.7045)
    assert np.isnan(found["volts_40_pct"])
    assert found["interval_driving_s"] == 10.0
    assert found["gaps_per_day"] == pytest.approx(1.0 / (7590.0 / 86400.0))
    assert found["temp_spread_k"] == 1.5


def test_bins_with_few_values_are_no_point_of_a_curve() -> None:
    x = np.concatenate([np.full(50, 0.5), np.full(5, 1.5), np.full(30, 2.5)])
    curve = binned("car", x, 2.0 * x, np.arange(5.0))
    assert curve.x.tolist() == [0.5, 2.5]
    assert curve.median.tolist() == [1.0, 5.0]


def test_without_recordings_the_table_has_the_simulated_cars_alone(simulated: Cars) -> None:
    assert not simulated.recorded
    rows = {row["figure"]: row for row in compare(simulated)}
    assert set(rows) == set(FIGURES)
    assert set(rows["spread_rest_mv"]) == {"figure", "simulated", "least", "greatest", "what"}
    text = page(simulated)
    assert text.count("<svg") == 3
    assert text.count("<polyline") == 3
    assert "nan" not in text


@pytest.mark.recordings
def test_batteries_are_of_the_size_of_recorded_ones(simulated: Cars, recordings: Path) -> None:
    recorded = gather(recordings).recorded
    if len(recorded) < 2:
        pytest.skip(f"no two recordings in {recordings}")
    for row in compare(Cars(recorded, simulated.simulated)):
        measured = [row[one.name] for one in recorded]
        match row["figure"]:
            case "volts_40_pct" | "volts_60_pct" | "volts_80_pct":
                assert min(measured) - 0.08 < row["simulated"] < max(measured) + 0.08
            case "spread_rest_mv":
                assert row["least"] < min(measured) < row["greatest"]
            case "resistance_mohm" | "current_p1_a" | "temp_spread_k":
                assert 0.5 * min(map(abs, measured)) < abs(row["simulated"]) < 2.0 * max(map(abs, measured))
