import json
import shutil
import subprocess
from pathlib import Path

import pytest

from vsc.runtime import debian
from vsc.runtime.apt import Apt
from vsc.runtime.debian import STAMP, installed
from vsc.runtime.errors import DownloadError
from vsc.runtime.locate import Binaries
from vsc.runtime.progress import silent

needs_apt = pytest.mark.skipif(shutil.which("apt-get") is None, reason="no apt on this machine")

ONE_LINE = """
deb [check-valid-until=no] http://mirror.invalid/archive/debian/20250520T000000Z bookworm main
deb http://mirror.invalid/archive/debian-security/20250520T000000Z bookworm-security main
deb http://mirror.invalid/other stable contrib
"""

DEB822 = """
Types: deb
URIs: http://mirror.invalid/debian
Suites: trixie trixie-updates
Components: main contrib

Types: deb
URIs: http://mirror.invalid/debian-security
Suites: trixie-security
Components: main
"""


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The apt sources of a machine, to be written by the test."""
    sources = tmp_path / "etc"
    sources.mkdir()
    config = tmp_path / "machine.conf"
    config.write_text(f'Dir::Etc::sourcelist "{tmp_path}/none";\nDir::Etc::sourceparts "{sources}";\n')
    monkeypatch.setenv("APT_CONFIG", str(config))
    return sources


def written_sources(apt: Apt, folder: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The sources that are tried, when every one of them fails."""
    tried = []

    def fail(*_: object) -> None:
        tried.append((folder / "sources.list").read_text())
        raise DownloadError("unreachable")

    monkeypatch.setattr(apt, "_fetch", fail)
    with pytest.raises(DownloadError, match="unreachable"):
        apt.update(debian.RELEASE, silent)
    return tried


@needs_apt
def test_mirror_is_found_in_a_deb822_file(machine: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (machine / "debian.sources").write_text(DEB822)
    first, second = written_sources(Apt(tmp_path), tmp_path, monkeypatch)
    assert " http://mirror.invalid/debian trixie main\n" in first
    assert " http://mirror.invalid/debian-security trixie-security main\n" in first
    assert "security" not in second
    assert "check-valid-until" not in first


@needs_apt
def test_dated_mirror_is_found_in_a_one_line_file_and_may_have_expired(
    machine: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (machine / "debian.list").write_text(ONE_LINE)
    first, second, *_ = written_sources(Apt(tmp_path), tmp_path, monkeypatch)
    assert first.count("check-valid-until=no") == 2
    assert " http://mirror.invalid/archive/debian/20250520T000000Z trixie main\n" in first
    assert " http://mirror.invalid/other trixie main\n" in second


@needs_apt
def test_machine_without_a_mirror_is_told_so(machine: Path, tmp_path: Path) -> None:
    assert not list(machine.iterdir())
    with pytest.raises(DownloadError, match="no Debian mirror is configured"):
        Apt(tmp_path).update(debian.RELEASE, silent)


def test_machine_without_apt_is_told_so(open_state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(open_state))
    with pytest.raises(DownloadError, match="no apt-get"):
        debian.install(open_state / "packages", silent)


def test_unfinished_or_moved_packages_do_not_count(tmp_path: Path) -> None:
    here, there = tmp_path / "here", tmp_path / "there"
    here.mkdir()
    assert not installed(here)
    (here / STAMP).write_text('{"folder"')
    assert not installed(here)
    packages = [f"{name}_1.0_all" for name in debian.PACKAGES]
    (here / STAMP).write_text(json.dumps({"folder": str(here), "packages": packages[1:]}))
    assert not installed(here)
    (here / STAMP).write_text(json.dumps({"folder": str(here), "packages": packages}))
    assert installed(here)
    here.rename(there)
    assert not installed(there)


@needs_apt
def test_interrupted_attempt_is_cleared_and_leaves_nothing_complete(open_state: Path, machine: Path) -> None:
    (machine / "debian.list").write_text("deb [trusted=yes] file:/nowhere bookworm main\n")
    packages = open_state / "packages"
    abandoned = packages / "fetch-old.unfinished" / "root"
    abandoned.mkdir(parents=True)
    with pytest.raises(DownloadError, match="trixie cannot be read"):
        debian.install(packages / "trixie", silent)
    assert not installed(packages / "trixie")
    assert [path.name for path in packages.iterdir()] == ["fetch.lock"]


def test_only_linked_libraries_are_taken() -> None:
    wanted = ["libc6", "zlib1g", "libssl3t64", "libicu76", "libwebsockets19t64"]
    unwanted = ["libllvm19", "libz3-4", "libperl5.40", "libjson-perl", "perl", "systemd", "tzdata"]
    assert [name for name in (*wanted, *unwanted) if debian.LIBRARY.match(name)] == wanted


@pytest.mark.integration
def test_fetched_programs_need_nothing_of_the_machine(binaries: Binaries) -> None:
    if debian.RELEASE not in binaries.source:
        pytest.skip(f"the servers are {binaries.source}")
    for program in (binaries.mosquitto, binaries.postgres_bin / "postgres"):
        shown = subprocess.run(["ldd", program], capture_output=True, text=True, check=True).stdout
        libraries = [line.split("=> ")[1] for line in shown.splitlines() if "=>" in line]
        folder = str(program).split("/usr/")[0]
        assert libraries
        assert all(library.startswith((folder, "/lib64")) for library in libraries)
