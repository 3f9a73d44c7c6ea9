"""Which software a vehicle has had: its timeline, and the patterns that rules name versions by."""

from datetime import UTC, datetime, timedelta

import pytest

from vehicle.software import SoftwareVersion, first_difference, is_meant, is_pattern, timeline

START = datetime(2026, 3, 1, tzinfo=UTC)
OLD, NEW = SoftwareVersion(START, "2026.4"), SoftwareVersion(START + timedelta(days=9), "2026.8.1")


@pytest.mark.parametrize(
    ("version", "pattern", "meant"),
    [
        ("2026.8.1", "2026.8.1", True),
        ("2026.8.1", "2026.8.*", True),
        ("2026.8.1", "2026.8", False),
        ("2026.80", "2026.8.*", False),
        ("2026.80", "2026.8*", True),
        ("2026.8.1", "*", True),
    ],
)
def test_a_pattern_is_a_version_or_the_beginning_of_several(version: str, pattern: str, *, meant: bool) -> None:
    assert is_meant(version, pattern) == meant


def test_only_the_end_of_a_pattern_is_open() -> None:
    assert [text for text in ("2026.8", "2026.*", "*", "", " ", "20*.8", "2026.**") if not is_pattern(text)] == [
        "",
        " ",
        "20*.8",
        "2026.**",
    ]


def test_a_timeline_is_in_the_order_of_time_and_the_last_entry_of_a_time_counts() -> None:
    corrected = SoftwareVersion(START, "2026.5")
    assert timeline([NEW, OLD, corrected]) == (corrected, NEW)


def test_timelines_differ_from_the_first_entry_that_one_of_them_has_not() -> None:
    assert first_difference([OLD, NEW], [NEW, OLD]) is None
    assert first_difference([OLD], [OLD, NEW]) == NEW.since
    assert first_difference([OLD, NEW], [SoftwareVersion(START, "2026.5"), NEW]) == START
