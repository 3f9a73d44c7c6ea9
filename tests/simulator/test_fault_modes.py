"""The table of failure modes: how often they come, and what a mistake in it is told as."""

from pathlib import Path

import pytest

from simulator.fault_modes import FAULT_MODES, FILE, FaultModeError, read_fault_modes
from vehicle.failure import COMBUSTION, FailureMode


def test_modes_stand_in_the_order_of_their_numbers() -> None:
    assert [one.number for one in FAULT_MODES.values()] == list(range(1, 35))


def test_every_mode_is_in_the_table_but_those_of_engines_that_no_simulated_car_has() -> None:
    assert set(FailureMode) - set(FAULT_MODES) == COMBUSTION


def test_breakdowns_are_shared_out_as_the_statistics_have_them() -> None:
    assert sum(one.incidence for one in FAULT_MODES.values()) == pytest.approx(100.0)
    breakdowns = sum(one.incidence for one in FAULT_MODES.values() if one.strands)
    assert FAULT_MODES[FailureMode.LV_BATTERY_AGEING].incidence == pytest.approx(0.54 * breakdowns)
    assert FAULT_MODES[FailureMode.TYRE_SLOW_LEAK].incidence == pytest.approx(0.14 * breakdowns)


def test_every_mistake_names_mode_and_field(tmp_path: Path) -> None:
    text = FILE.read_text(encoding="utf-8")
    for right, wrong in (
        ("[brake_drag]", "[brake_dragon]"),
        ("number = 2\n", "number = 3\n"),
        ("key = 6\n", "key = 0\n"),
        ("duration_days = 5.0", 'duration_days = "days"'),
        ("duration_days = 0.5", "duration_days = 0.0"),
        ('intermittent = "bumps"', 'intermittent = "bump"'),
        ('channels = ["remote", "service_centre"]', "channels = []"),
        ("scatter = 0.4", "spread = 0.4"),
        ("incidence = 3.0\nchannels", "silences = true\nincidence = 3.0\nchannels"),
    ):
        assert right in text
        text = text.replace(right, wrong, 1)
    path = tmp_path / "modes.toml"
    path.write_text(text)
    with pytest.raises(FaultModeError) as caught:
        read_fault_modes(path)
    lines = str(caught.value).splitlines()
    for expected in (
        "brake_dragon: there is no such failure mode",
        "brake_drag: is missing",
        "lv_parasitic_drain: Expected `float`, got `str` - at `$.duration_days`",
        "brake_fluid_low: Expected `float` > 0.0 - at `$.duration_days`",
        "hvil_intermittent: Invalid enum value 'bump' - at `$.intermittent`",
        "capacity_fade_abnormal: Expected `array` of length >= 1 - at `$.channels`",
        "thermistor_fault: Object contains unknown field `spread`",
        "bms_calibration_drift: silences: only a car that strands falls silent",
    ):
        assert f"modes.toml: {expected}" in lines, expected


def test_numbers_and_keys_belong_to_one_mode(tmp_path: Path) -> None:
    path = tmp_path / "modes.toml"
    text = FILE.read_text(encoding="utf-8")
    path.write_text(text.replace("number = 2\nkey = 6\n", "number = 34\nkey = 0\n"))
    with pytest.raises(FaultModeError) as caught:
        read_fault_modes(path)
    assert str(caught.value).splitlines() == [
        "modes.toml: lv_parasitic_drain: number 34 is another mode's too",
        "modes.toml: software_update_failed: number 34 is another mode's too",
        "modes.toml: lv_battery_ageing: key 0 is another mode's too",
        "modes.toml: lv_parasitic_drain: key 0 is another mode's too",
    ]
