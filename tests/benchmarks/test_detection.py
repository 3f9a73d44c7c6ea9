"""What detectors are worth: the plan, a unit of it, going on after a stop, and the sums."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from benchmarks import detection
from benchmarks.detection import finished, judged_units
from benchmarks.detection_plan import HEALTHY_CARS, HEALTHY_DAYS, ONSET_DAY, Unit, plan
from benchmarks.detection_run import Judged, key_of, run
from benchmarks.detection_score import alerts, summary
from flows.backtest import Fire
from flows.diagnose import all_detectors
from simulator.fault_modes import SIMULATED
from simulator.truth import ConfounderTruth, FaultTruth
from vehicle.failure import FailureMode

START = date(2026, 3, 1)
MIDNIGHT = datetime(2026, 3, 1, tzinfo=UTC)
LEAK = FailureMode.COOLANT_LEAK
DETECTORS = all_detectors()


def a_unit(mode: FailureMode | None = None, name: str = "unit", days: int = 40) -> Unit:
    return Unit(name, 9, START, days, (0, 1), mode)


def at(day: float) -> datetime:
    return MIDNIGHT + timedelta(days=day)


def a_fire(rule: str, car: str, day: float, until: float | None = None) -> Fire:
    return Fire(rule, car, at(day), None if until is None else at(until), "critical", (), "It fires.")


def a_fault(
    car: str, failed: float | None = 28.0, visible: float | None = 22.0, mode: FailureMode = LEAK
) -> FaultTruth:
    seen, gone = (None if one is None else at(one) for one in (visible, failed))
    return FaultTruth(car, mode.component, mode, at(20), seen, gone)


def judged(
    unit: Unit,
    fires: Sequence[Fire] = (),
    faults: Sequence[FaultTruth] = (),
    confounders: Sequence[ConfounderTruth] = (),
) -> Judged:
    vehicles = tuple(one.record for one in unit.fleet().vehicles)
    return Judged(key_of(unit, ""), unit, vehicles, tuple(fires), tuple(faults), tuple(confounders), 100, 1.0)


def scored(*results: Judged) -> dict[str, Any]:
    return summary(results, DETECTORS, "--seed 9")


def the(rows: Sequence[dict[str, Any]], **facts: object) -> dict[str, Any]:
    (row,) = [one for one in rows if all(one[name] == value for name, value in facts.items())]
    return row


def test_the_plan_has_the_cases_of_every_mode_and_the_sound_days() -> None:
    units = plan(9100, 2, 10_000)
    struck = [one for one in units if one.mode is not None]
    sound = [one for one in units if one.mode is None]
    assert [one.mode for one in struck] == list(SIMULATED)
    assert all(len(one.numbers) == 2 and one.days > ONSET_DAY for one in struck)
    assert sum(one.vehicle_days for one in sound) >= 10_000
    assert len(sound) == -(-10_000 // (HEALTHY_CARS * HEALTHY_DAYS))
    assert len({one.name for one in units}) == len(units)
    assert len({number for one in struck for number in one.numbers}) == 2 * len(struck)
    assert plan(9100, 2, 0, [LEAK]) == [one for one in struck if one.mode is LEAK]


def test_every_case_has_its_fault_from_the_twentieth_day_on_and_nothing_else() -> None:
    (unit,) = plan(9100, 3, 0, [LEAK])
    faults = unit.fleet()._cars
    assert [one.faults[0].order.mode for one in faults] == [LEAK] * 3
    assert all(ONSET_DAY <= one.faults[0].order.onset_day < ONSET_DAY + 1 for one in faults)


def test_a_case_is_found_in_time_and_the_same_alone(tmp_path: Path) -> None:
    (unit,) = plan(9100, 2, 0, [LEAK])
    cars = [one.vehicle_id for one in unit.fleet().vehicles]
    alone = run(unit.alone([cars[1]]), "code", tmp_path)
    assert (tmp_path / f"mode-{LEAK}" / "truth.jsonl").is_file()
    assert [one.vehicle_id for one in alone.vehicles] == cars[1:]
    mode = the(scored(alone)["modes"], mode=LEAK)
    assert (mode["cases"], mode["found"], mode["in_time"]) == (1, 1, 1)
    assert mode["lead_days"] > 0


def test_what_is_finished_is_not_done_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ran: list[str] = []

    def fake(unit: Unit, code: str, _keep: Path | None) -> Judged:
        ran.append(unit.name)
        if len(ran) == 2:
            raise KeyboardInterrupt
        return Judged(key_of(unit, code), unit, (), (), (), (), 10, 0.5)

    monkeypatch.setattr(detection, "run", fake)
    file, told = tmp_path / "folder" / "results.jsonl", list[str]()
    units = [a_unit(name=name) for name in ("one", "two", "three")]
    with pytest.raises(KeyboardInterrupt):
        judged_units(units, file, 1, told.append)
    with file.open("ab") as lines:
        lines.write(b'{"key": "cut sho')
    assert [one.unit.name for one in finished(units, file)] == ["one"]
    with file.open("ab") as lines:
        lines.write(b"\n")
    done = judged_units(units, file, 1, told.append)
    assert [one.unit.name for one in done] == ["one", "two", "three"]
    assert ran == ["one", "two", "two", "three"]
    assert "1 of 3 were judged before" in told
    assert told[-1].startswith("2 of 2, three: 80 vehicle-days, 160 a second of one core, 0 fires")
    monkeypatch.setattr(detection, "code_of", lambda: "changed")
    assert finished(units, file) == []


def test_found_before_the_failure_after_it_and_not_at_all() -> None:
    unit = a_unit(LEAK)
    first, second = "car-0001", "car-0002"
    early, late = a_fire("coolant_level_low", first, 25.0), a_fire("coolant_level_low", second, 29.0)
    figures = scored(judged(unit, [early, late], [a_fault(first), a_fault(second)]))
    row = the(figures["modes"], mode=LEAK)
    assert (row["cases"], row["visible"], row["found"], row["in_time"], row["failed"]) == (2, 2, 2, 1, 2)
    assert row["lead_days"] == pytest.approx(1.0)
    miss = the(figures["misses"], car=second)
    assert miss["again"] == f"vsc bench detection --seed 9 --mode {LEAK} --car {second}"
    nothing = scored(judged(unit, [], [a_fault(first, visible=None, failed=None), a_fault(second)]))
    assert [one["car"] for one in nothing["misses"]] == [second]


def test_what_fires_before_the_onset_or_of_another_mode_is_no_find() -> None:
    fires = [a_fire("coolant_level_low", "car-0001", 19.0, 19.5), a_fire("tyre_soft", "car-0001", 25.0)]
    figures = scored(judged(a_unit(LEAK), fires, [a_fault("car-0001")]))
    row = the(figures["modes"], mode=LEAK)
    assert row["found"] == 0
    assert row["other_fires"] == {"coolant_level_low": 1, "tyre_soft": 1}
    assert the(figures["detectors"], detector="tyre_soft")["on_other_faults"] == 1
    assert the(figures["aims"], aim="every detector fires on its fault")["figure"] == ["coolant_level_low"]


def test_danger_is_missed_if_nothing_tells_of_it_within_an_hour() -> None:
    mode = FailureMode.HV_ISOLATION_LOSS
    soon, late = 28.0 + 0.5 / 24.0, 28.0 + 2.0 / 24.0
    for day, missed in ((soon, 0), (late, 1)):
        fire = a_fire("isolation_low", "car-0001", day)
        figures = scored(judged(a_unit(mode), [fire], [a_fault("car-0001", mode=mode)]))
        assert (figures["whole"]["danger_cases"], figures["whole"]["danger_missed"]) == (1, missed)
        assert the(figures["aims"], aim="no danger is missed")["reached"] == (not missed)


def test_wrong_alerts_are_counted_by_car_and_mode_and_set_beside_confounders() -> None:
    unit = a_unit(name="healthy 0")
    fires = [
        a_fire("tyre_slow_leak", "car-0001", 5.0, 9.0),
        a_fire("tyre_soft", "car-0001", 8.0, 10.0),
        a_fire("tyre_soft", "car-0001", 20.0),
        a_fire("dcdc_hot", "car-0002", 5.0),
    ]
    snap = ConfounderTruth("car-0001", "cold_snap", at(4.0), at(6.0))
    figures = scored(judged(unit, fires, confounders=[snap]))
    assert alerts(figures["wrong"]) == 3
    assert figures["whole"]["wrong_alerts_per_1000_days"] == pytest.approx(3 / 80 * 1000)
    leak = the(figures["detectors"], detector="tyre_slow_leak")
    assert (leak["wrong_fires"], leak["on_its_confounders"]) == (1, 1)
    assert the(figures["wrong"], detector="dcdc_hot")["confounders"] == []
    assert not the(figures["aims"], aim="at most 0.3 wrong alerts a 1,000 days")["reached"]
    assert '--unit "healthy 0" --car car-0002' in the(figures["wrong"], detector="dcdc_hot")["again"]


def test_what_nothing_simulates_is_left_apart() -> None:
    figures = scored(judged(a_unit(), [a_fire("engine_overheats", "car-0001", 5.0)]))
    assert figures["wrong"] == []
    assert not any(one["detector"] == "engine_overheats" for one in figures["detectors"])
