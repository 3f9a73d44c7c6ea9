"""Rule files that change while they are at work, in one process and in several, over a real database."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from structlog.testing import capture_logs

from flows.rules_at_work import RulesAtWork, RulesChangedError
from reports.rules_in_use import rules_in_use
from rules.files import RuleFiles
from rules.loader import RuleError
from storage import rule_files
from storage.connection import connect
from tests.support.a_rule import a_rule_file

pytestmark = pytest.mark.integration
Connection = psycopg.Connection[Any]
FILE = a_rule_file("lv_voltage_v < 12 V", "lv_voltage_v > 12.5 V")
OTHER = a_rule_file("lv_voltage_v < 11 V", "lv_voltage_v > 12.5 V", id="other")
STRICTER = FILE.replace("12 V", "12.2 V")
BROKEN = FILE.replace("12 V", "12 kPa")


@pytest.fixture
def connection(database_url: str) -> Iterator[Connection]:
    with connect(database_url, autocommit=True) as opened:
        yield opened


@pytest.fixture
def file(tmp_path: Path) -> Path:
    file = tmp_path / "mine.yaml"
    file.write_text(FILE, encoding="utf-8")
    return file


def write(file: Path, text: str) -> None:
    """Change the file, and its time by more than a clock's step."""
    before = file.stat().st_mtime_ns if file.exists() else 0
    file.write_text(text, encoding="utf-8")
    os.utime(file, ns=(0, before + 1_000_000_000))


def names(work: RulesAtWork) -> list[str]:
    return [rule.rule_id for rule in work.rules]


def test_a_right_change_is_taken_over_once_it_lies_still(connection: Connection, file: Path) -> None:
    work = RulesAtWork.begin(connection, file.parent)
    assert not work.follow(connection)
    write(file, STRICTER)
    (file.parent / "more.yaml").write_text(OTHER, encoding="utf-8")
    with capture_logs() as logs:
        assert [work.follow(connection) for _ in range(3)] == [False, True, False]
    assert logs == [
        {"event": "rules_taken_over", "log_level": "info", "added": ["other"], "changed": ["made_up"], "removed": []}
    ]


def test_a_broken_change_is_refused_once_and_the_old_rules_stay(connection: Connection, file: Path) -> None:
    work = RulesAtWork.begin(connection, file.parent)
    write(file, BROKEN)
    with capture_logs() as logs:
        assert not any(work.follow(connection) for _ in range(4))
    (refused,) = logs
    assert (refused["event"], refused["log_level"], refused["at_work"]) == ("rules_refused", "error", 1)
    assert [mistake[:10] for mistake in refused["mistakes"]] == ["mine.yaml:"]
    assert names(work) == ["made_up"]
    write(file, FILE)
    with capture_logs() as logs:
        assert not any(work.follow(connection) for _ in range(2))
    assert logs[0]["event"] == "rules_taken_over"


def test_a_folder_that_has_lost_its_files_or_is_gone_is_refused(connection: Connection, file: Path) -> None:
    work = RulesAtWork.begin(connection, file.parent)
    file.unlink()
    with capture_logs() as logs:
        assert not any(work.follow(connection) for _ in range(2))
    assert "no rule file" in logs[0]["mistakes"][0]
    file.parent.rmdir()
    assert names(RulesAtWork.begin(connection, file.parent, go_on=True)) == names(work) == ["made_up"]


def test_a_new_process_goes_on_with_what_was_last_right_only_if_told_to(connection: Connection, file: Path) -> None:
    write(file, BROKEN)
    for go_on in (False, True):
        with pytest.raises(RuleError, match=r"mine\.yaml:\d+:\d+: made_up: "):
            RulesAtWork.begin(connection, file.parent, go_on=go_on)
    write(file, FILE)
    RulesAtWork.begin(connection, file.parent)
    write(file, BROKEN)
    with pytest.raises(RuleError, match=r"mine\.yaml:\d+:\d+: made_up: "):
        RulesAtWork.begin(connection, file.parent)
    with capture_logs() as logs:
        work = RulesAtWork.begin(connection, file.parent, go_on=True)
    assert [one["event"] for one in logs] == ["rules_refused"]
    assert names(work) == ["made_up"]
    assert rules_in_use(connection, file.parent) == work.rules


def test_what_one_process_has_taken_over_the_others_have_too(connection: Connection, file: Path) -> None:
    watching = RulesAtWork.begin(connection, file.parent)
    write(file, OTHER)
    diagnosing = RulesAtWork.begin(connection, file.parent)
    write(file, BROKEN)
    with pytest.raises(RulesChangedError):
        watching.check(connection)
    with capture_logs() as logs:
        assert watching.follow(connection)
        watching.follow(connection)
    assert [one["event"] for one in logs] == ["rules_taken_over", "rules_refused"]
    assert names(watching) == names(diagnosing) == ["other"]
    watching.check(connection)


def test_another_folder_is_another_matter(connection: Connection, file: Path, tmp_path: Path) -> None:
    work = RulesAtWork.begin(connection, file.parent)
    (tmp_path / "else").mkdir()
    write(tmp_path / "else" / "other.yaml", OTHER)
    RulesAtWork.begin(connection, tmp_path / "else")
    work.check(connection)
    assert not work.follow(connection)


def test_a_file_that_is_being_written_is_waited_for(
    connection: Connection, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    RulesAtWork.begin(connection, file.parent)
    parts = iter(["system: Tests\n", "system: Tests\nrules: []\n", STRICTER])
    write(file, next(parts))
    monkeypatch.setattr("time.sleep", lambda _: write(file, next(parts, STRICTER)))
    with capture_logs() as logs:
        RulesAtWork.begin(connection, file.parent)
    assert [one["changed"] for one in logs] == [["made_up"]]


def test_a_file_that_never_lies_still_is_not_read(
    connection: Connection, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    RulesAtWork.begin(connection, file.parent)
    write(file, OTHER)
    monkeypatch.setattr("time.sleep", lambda _: write(file, file.read_text(encoding="utf-8") + "#"))
    assert names(RulesAtWork.begin(connection, file.parent)) == ["made_up"]


def test_files_that_another_version_has_kept_are_refused(connection: Connection, file: Path) -> None:
    work = RulesAtWork.begin(connection, file.parent)
    rule_files.keep(connection, file.parent, RuleFiles(((file.name, BROKEN),)))
    with capture_logs() as logs:
        assert not any(work.follow(connection) for _ in range(3))
    assert [one["event"] for one in logs] == ["rules_refused"]
    work.check(connection)


def test_what_a_database_s_text_cannot_hold_is_kept_all_the_same(connection: Connection, file: Path) -> None:
    odd = Path(os.fsdecode(bytes(file.parent / "n") + b"\xff"))
    odd.mkdir()
    write(odd / os.fsdecode(b"\xfe.yaml"), FILE + "# \U0001f697\n")
    assert RulesAtWork.begin(connection, odd).rules == rules_in_use(connection, odd)
    assert rule_files.find(connection, odd)
