import os
from dataclasses import replace
from pathlib import Path

import pytest

from vsc.runtime import debian, locate, mosquitto
from vsc.runtime.errors import DownloadError, UnavailableError
from vsc.runtime.locate import Binaries
from vsc.runtime.progress import Report, silent
from vsc.runtime.servers import LocalServers


def fake_program(file: Path, says: str) -> Path:
    """A program that prints one line."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(f"#!/bin/sh\necho '{says}'\n")
    file.chmod(0o755)
    return file


def no_download(_folder: Path, _report: Report) -> None:
    raise DownloadError("the mirror is away")


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only folder where servers may be installed."""
    monkeypatch.setattr(locate, "SYSTEM_PROGRAMS", "/nowhere")
    monkeypatch.setattr(locate, "DEBIAN_POSTGRES", Path("/nowhere"))
    folder = tmp_path / "bin"
    monkeypatch.setenv("PATH", f"{folder}:/bin")
    return folder


@pytest.mark.parametrize("release", ["2.0.11", "2.0.20", "1.6.9", ""])
def test_old_broker_is_refused(release: str, path: Path) -> None:
    fake_program(path / "mosquitto", f"mosquitto version {release}")
    assert locate.installed_mosquitto() is None


@pytest.mark.parametrize("release", ["2.0.21", "2.0.100", "2.1.2"])
def test_new_enough_broker_is_found(release: str, path: Path) -> None:
    program = fake_program(path / "mosquitto", f"mosquitto version {release}")
    assert locate.installed_mosquitto() == program


def install_database(path: Path, postgresql: str, timescaledb: str | None) -> None:
    fake_program(path / "postgres", f"postgres (PostgreSQL) {postgresql}")
    if timescaledb is not None:
        extensions = path.parent / "share" / "extension"
        extensions.mkdir(parents=True)
        (extensions / "timescaledb.control").write_text(f"default_version = '{timescaledb}'\n")


@pytest.mark.parametrize(("postgresql", "timescaledb"), [("17.4", None), ("17.4", "2.9.1"), ("14.2", "2.19.3")])
def test_unfit_database_is_refused(postgresql: str, timescaledb: str | None, path: Path) -> None:
    install_database(path, postgresql, timescaledb)
    assert locate.installed_postgres() is None


def test_database_with_timescaledb_is_found(path: Path) -> None:
    install_database(path, "17.4", "2.19.3")
    assert locate.installed_postgres() == path


def test_without_a_broker_the_error_names_what_to_do(open_state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(locate, "installed_postgres", lambda: None)
    monkeypatch.setattr(locate, "installed_mosquitto", lambda: None)
    monkeypatch.setattr(debian, "install", no_download)
    with pytest.raises(UnavailableError, match=r"Mosquitto.*the mirror is away.*compose\.yaml") as failure:
        locate.locate(open_state, silent)
    assert "\n" not in str(failure.value)
    assert locate.COMPOSE_FILE.exists()


@pytest.mark.integration
def test_last_resort_is_plain_postgresql_and_says_so(
    open_state: Path, binaries: Binaries, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(locate, "installed_postgres", lambda: None)
    monkeypatch.setattr(locate, "installed_mosquitto", lambda: binaries.mosquitto)
    monkeypatch.setattr(debian, "install", no_download)
    found = locate.locate(open_state, silent)
    assert not found.timescaledb
    assert "without TimescaleDB" in found.source
    with LocalServers(open_state, binaries=found) as servers:
        assert servers.database.pid is not None


@pytest.mark.integration
def test_wheel_that_its_user_cannot_reach_is_copied(
    open_state: Path, binaries: Binaries, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(locate, "enterable", lambda _folder: False)
    before = os.umask(0o077)
    try:
        programs = locate.wheel_postgres(open_state)
    finally:
        os.umask(before)
    assert programs is not None
    assert programs.is_relative_to(open_state)
    with LocalServers(open_state, binaries=replace(binaries, postgres_bin=programs, timescaledb=False)) as servers:
        assert servers.database.pid is not None


@pytest.mark.integration
def test_found_servers_are_the_promised_ones(binaries: Binaries) -> None:
    assert binaries.timescaledb
    assert mosquitto.version(binaries.mosquitto) >= (2, 0, 21)
