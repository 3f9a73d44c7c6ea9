"""The memory limit is found in both versions of control groups, and one that is too small is said to be."""

from pathlib import Path

import pytest

from ingest.memory import BUDGET_BYTES, check_memory, memory_limit


def groups(folder: Path, membership: str, files: dict[str, str]) -> int | None:
    (folder / "membership").write_text(membership)
    for name, text in files.items():
        file = folder / "groups" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return memory_limit(folder / "membership", folder / "groups")


@pytest.mark.parametrize(
    ("membership", "files", "limit"),
    [
        ("0::/\n", {"memory.max": "max\n"}, None),
        ("0::/a/b\n", {"a/b/memory.max": "max\n", "a/memory.max": "700\n", "memory.max": "900\n"}, 700),
        ("0::/outside/the/container\n", {"memory.max": "900\n"}, 900),
        ("5:cpu:/\n4:memory:/a\n0::/\n", {"memory/a/memory.limit_in_bytes": "800\n"}, 800),
        ("4:cpu,memory:/a\n", {}, None),
    ],
    ids=["none", "of the parent", "in a container", "version 1", "no files"],
)
def test_the_least_limit_is_found(tmp_path: Path, membership: str, files: dict[str, str], limit: int | None) -> None:
    assert groups(tmp_path, membership, files) == limit


def test_without_control_groups_there_is_no_limit(tmp_path: Path) -> None:
    assert memory_limit(tmp_path / "none", tmp_path) is None


@pytest.mark.parametrize(("limit", "enough"), [(None, True), (BUDGET_BYTES, True), (BUDGET_BYTES - 1, False)])
def test_a_limit_below_the_budget_is_too_small(limit: int | None, enough: bool) -> None:  # noqa: FBT001 - a parameter
    assert check_memory(limit) == enough
