"""The infotainment computer and its updates: sound ones go through, a stuck one does not, worn storage restarts it."""

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import numpy as np
import pytest

from simulator.fleet import Fleet, build_fleet
from simulator.software_updates import RELEASE_DAYS, STATES, version
from vehicle.batch import EventKind
from vehicle.failure import FailureMode

START = date(2026, 9, 1)
WEAR, UPDATE = FailureMode.INFOTAINMENT_STORAGE_WEAR, FailureMode.SOFTWARE_UPDATE_FAILED
SEEDS = [1, 2, 3]


@pytest.fixture(scope="module", params=SEEDS)
def worn(request: pytest.FixtureRequest, twins: Callable[..., Any]) -> Any:
    return twins([WEAR], request.param, 75, START)[WEAR]


@pytest.fixture(scope="module", params=SEEDS)
def stuck(request: pytest.FixtureRequest, twins: Callable[..., Any]) -> Any:
    return twins([UPDATE], request.param, 40, START)[UPDATE]


@pytest.fixture(scope="module")
def sound(lives: Callable[[Fleet], Any]) -> Any:
    return lives(build_fleet(6, RELEASE_DAYS + 2, 4, START, []))


def versions(events: Any) -> list[str]:
    """Software versions told, in order."""
    return [event.details["firmware_version"] for event in events if "firmware_version" in event.details]


def test_worn_storage_fails_in_time_and_leaves_the_car_before_its_onset_alone(worn: Any) -> None:
    worn.check_onset()
    worn.check_failure()


def test_worn_storage_restarts_the_computer_and_fills_its_memory_before_the_failure(worn: Any) -> None:
    assert worn.raised("storage_wear_pct")[-1] > 50.0
    own, twin = (counts[np.isfinite(counts)] for counts in worn.before_failure("infotainment_reboots"))
    assert own[-1] - own[0] >= 2.0 * (twin[-1] - twin[0])
    assert own[-1] - own[0] >= twin[-1] - twin[0] + 8.0
    assert np.median(worn.raised("ecu_health_cpu_pct")[-20:]) > 3.0
    codes = {event.trouble_code.code for event in worn.struck[2] if event.trouble_code}
    assert "INFO_storage_worn" in codes


def test_worn_storage_makes_starting_slow(worn: Any) -> None:
    silent = []
    for name in ("ecu_health_cpu_pct", "storage_wear_pct"):
        own, twin = (np.isnan(values[-2000:]) for values in worn.before_failure(name))
        silent.append((own.sum(), twin.sum()))
    assert all(own > twin for own, twin in silent)


def test_counters_of_a_sound_computer_go_up_only_and_slowly(sound: Any) -> None:
    for _, columns, _ in sound.values():
        for name, most in (("infotainment_reboots", 12.0), ("storage_wear_pct", 2.0)):
            told = columns[name][np.isfinite(columns[name])]
            assert (np.diff(told) >= 0.0).all()
            assert told[-1] - told[0] <= most
        assert np.nanmax(columns["ecu_health_memory_pct"]) < 80.0


def test_a_sound_car_installs_each_release_once_and_tells_its_version(sound: Any) -> None:
    order = [STATES.index(name) for name in ("Idle", "Downloading", "Scheduled", "Installing", "Complete", "Idle")]
    for times, columns, events in sound.values():
        states = columns["software_update_state"]
        changes = np.flatnonzero(np.diff(states) != 0.0) + 1
        passed = [int(states[0]), *states[changes].astype(int).tolist()]
        assert any(passed[at : at + len(order)] == order for at in range(len(passed)))
        told = versions(events)
        assert 2 <= len(told) <= 3
        assert len(set(told)) == len(told)
        assert len(told) - 1 == passed.count(STATES.index("Complete")), "one is told on the first day"
        moving = columns["speed_kmh"] > 0.0
        assert not (moving & (states == STATES.index("Complete"))).any()
        growing = columns["software_update_pct"][states == STATES.index("Installing")]
        assert (np.diff(growing) >= 0.0).all() or len(told) > 2
        assert (columns["software_update_pct"][states != STATES.index("Installing")] == 0.0).all()
        at = [event.at for event in events if event.kind is EventKind.SOFTWARE]
        assert all(np.datetime64(one.replace(tzinfo=None)) <= times[-1] for one in at)


def test_releases_bear_the_week_of_their_date_and_cars_get_them_after_it(sound: Any) -> None:
    assert version(0) == "2020.2"
    named = {version(number) for number in range(200)}
    assert len(named) == 200
    for _, _, events in sound.values():
        _, *updates = (event for event in events if event.kind is EventKind.SOFTWARE)
        for event in updates:
            year, week = map(int, event.details["firmware_version"].split("."))
            released = date.fromisocalendar(year, week, 1)
            assert timedelta(days=1) <= event.at.date() - released <= timedelta(days=15)


def test_an_update_is_stuck_until_it_is_given_up_and_the_version_stays(stuck: Any) -> None:
    stuck.check_onset()
    stuck.check_failure()
    times, columns, events = stuck.struck
    onset, failed = (np.datetime64(at.replace(tzinfo=None)) for at in (stuck.fault.onset_at, stuck.fault.failed_at))
    between = (times > onset) & (times < failed)
    assert (columns["software_update_state"][between] == STATES.index("Installing")).all()
    share = columns["software_update_pct"][between]
    assert (share == share.max()).sum() > 5
    assert 15.0 < share.max() < 95.0
    assert (columns["software_update_state"][times > failed] == STATES.index("Failed")).all()
    assert not versions([event for event in events if np.datetime64(event.at.replace(tzinfo=None)) > onset])
    assert len(versions(stuck.healthy[2])) > 1
    assert "UPD_installation_failed" in {event.trouble_code.code for event in events if event.trouble_code}


def test_a_stuck_update_restarts_the_computer_as_worn_storage_does(stuck: Any) -> None:
    counts = []
    for times, columns, _ in (stuck.struck, stuck.healthy):
        soon = times < np.datetime64((stuck.fault.failed_at + timedelta(days=2)).replace(tzinfo=None))
        told = columns["infotainment_reboots"][soon]
        counts.append(told[np.isfinite(told)][-1])
    assert counts[0] > counts[1]
