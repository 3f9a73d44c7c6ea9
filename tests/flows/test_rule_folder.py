"""Rule files that change while they are at work."""

import os
import shutil
from pathlib import Path

import pytest

from flows.rule_folder import RuleChange, RuleFolder
from rules.loader import CATALOGUE, RuleError


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A file of the catalogue, of its own."""
    shutil.copy(CATALOGUE / "tyres.yaml", tmp_path)
    return tmp_path / "tyres.yaml"


def write(file: Path, text: str) -> None:
    """Change the file, and its time by more than a clock's step."""
    file.write_text(text, encoding="utf-8")
    os.utime(file, ns=(0, file.stat().st_mtime_ns + 1_000_000_000))


def test_a_valid_change_is_taken_over_once_it_lies_still(folder: Path) -> None:
    rules = RuleFolder(folder.parent)
    names = [rule.rule_id for rule in rules.rules]
    assert rules.reload() is None
    text = folder.read_text(encoding="utf-8")
    write(folder, text.replace(f"id: {names[0]}", "id: renamed").replace("confidence: 0.9\n", "confidence: 0.91\n"))
    assert rules.reload() is None
    change = rules.reload()
    assert change
    assert (change.added, change.removed) == (("renamed",), (names[0],))
    assert set(change.changed) < set(names)
    assert rules.rules[0].rule_id == "renamed"
    assert rules.reload() is None


def test_a_broken_change_is_refused_once_and_the_old_rules_stay(folder: Path) -> None:
    rules = RuleFolder(folder.parent)
    before, text = rules.rules, folder.read_text(encoding="utf-8")
    write(folder, text.replace("kPa", "kpa"))
    assert rules.reload() is None
    with pytest.raises(RuleError, match=r"tyres.yaml:\d+:\d+"):
        rules.reload()
    assert rules.reload() is None
    assert rules.rules == before
    write(folder, text)
    rules.reload()
    assert rules.reload() == RuleChange((), (), ())


def test_a_folder_that_has_lost_its_files_is_refused(folder: Path) -> None:
    rules = RuleFolder(folder.parent)
    folder.unlink()
    rules.reload()
    with pytest.raises(RuleError, match="no rule file"):
        rules.reload()
    assert rules.rules
