"""Migrating twice, at once, over changed files, and with and without TimescaleDB."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from storage import migrate as migrations
from storage.connection import connect
from storage.information import database_info
from storage.migrate import MIGRATIONS, MigrationError, migrate
from vsc.runtime.locate import Binaries
from vsc.runtime.servers import LocalServers

pytestmark = pytest.mark.integration
FILES = [path.name for path in sorted(MIGRATIONS.glob("*.sql"))]
EMPTY = "not_migrated"


@pytest.fixture
def empty_url(servers: LocalServers) -> Iterator[str]:
    with connect(servers.database_url, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(EMPTY)))
        yield servers.url(EMPTY)
        connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(EMPTY)))


def test_the_second_time_nothing_is_left_to_do(empty_url: str) -> None:
    assert migrate(empty_url) == FILES
    assert migrate(empty_url) == []
    assert list(database_info(empty_url).migrations) == FILES


def test_of_several_at_once_each_file_is_applied_by_one(empty_url: str) -> None:
    with ThreadPoolExecutor(4) as pool:
        applied = list(pool.map(migrate, [empty_url] * 4))
    assert sorted(name for names in applied for name in names) == FILES


def test_samples_are_in_a_hypertable_where_there_is_timescaledb(binaries: Binaries, empty_url: str) -> None:
    migrate(empty_url)
    info = database_info(empty_url)
    assert info.hypertables == (("telemetry",) if binaries.timescaledb else ())
    assert (info.timescaledb_version is not None) == binaries.timescaledb
    assert "telemetry" in info.table_bytes


def test_without_timescaledb_the_table_is_a_plain_one(binaries: Binaries, open_state: Path) -> None:
    with LocalServers(open_state, binaries=replace(binaries, timescaledb=False)) as plain:
        assert migrate(plain.database_url) == FILES
        info = database_info(plain.database_url)
    assert (info.timescaledb_version, info.timescaledb_license, info.hypertables) == (None, None, ())
    assert "telemetry" in info.table_bytes


def test_a_plain_table_becomes_a_hypertable_with_its_rows(binaries: Binaries, empty_url: str) -> None:
    if not binaries.timescaledb:
        pytest.skip("the server has no TimescaleDB")
    with connect(empty_url, autocommit=True) as connection:
        migrations._apply(connection, MIGRATIONS)
        connection.execute("INSERT INTO telemetry (vehicle_id, time, received_at) VALUES ('car', now(), now())")
        assert migrate(empty_url) == []
        assert connection.execute("SELECT count(*) FROM telemetry").fetchone() == (1,)
    assert database_info(empty_url).hypertables == ("telemetry",)


def test_a_failing_file_leaves_nothing_behind(empty_url: str, tmp_path: Path) -> None:
    (tmp_path / "0001_good.sql").write_text("CREATE TABLE telemetry (time timestamptz NOT NULL)")
    (tmp_path / "0002_bad.sql").write_text("CREATE TABLE half (); SELECT * FROM nowhere")
    with pytest.raises(psycopg.errors.UndefinedTable):
        migrate(empty_url, tmp_path)
    with connect(empty_url) as connection:
        assert connection.execute("SELECT to_regclass('telemetry'), to_regclass('half')").fetchone() == (
            "telemetry",
            None,
        )
    (tmp_path / "0002_bad.sql").write_text("CREATE TABLE half ()")
    assert migrate(empty_url, tmp_path) == ["0002_bad.sql"]


def test_files_that_are_not_those_applied_are_refused(empty_url: str, tmp_path: Path) -> None:
    first, second, third = (tmp_path / f"000{number}.sql" for number in (1, 2, 3))
    first.write_text("CREATE TABLE telemetry (time timestamptz NOT NULL)")
    third.write_text("CREATE TABLE three ()")
    migrate(empty_url, tmp_path)
    second.write_text("CREATE TABLE two ()")
    with pytest.raises(MigrationError, match=r"0002\.sql comes before"):
        migrate(empty_url, tmp_path)
    second.unlink()
    third.write_text("CREATE TABLE four ()")
    with pytest.raises(MigrationError, match=r"0003\.sql was changed"):
        migrate(empty_url, tmp_path)
    third.unlink()
    with pytest.raises(MigrationError, match=r"has migration 0003\.sql"):
        migrate(empty_url, tmp_path)
