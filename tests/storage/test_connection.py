"""Connections end by themselves what takes too long, and say in one line that nobody answers."""

import os
import socket
from datetime import timedelta

import psycopg
import pytest

from storage.connection import DatabaseUnavailableError, connect


@pytest.mark.integration
def test_limits_are_set(database_url: str) -> None:
    with connect(database_url, application="test") as connection:
        for name, value in {
            "statement_timeout": "30s",
            "lock_timeout": "5s",
            "idle_in_transaction_session_timeout": "1min",
            "TimeZone": "UTC",
            "synchronous_commit": "on",
            "application_name": "test",
            "tcp_keepalives_idle": "30",
            "tcp_keepalives_interval": "10",
            "tcp_keepalives_count": "3",
            "tcp_user_timeout": "30000",
        }.items():
            assert connection.execute("SELECT current_setting(%s)", [name]).fetchone() == (value,)


@pytest.mark.integration
def test_a_vanished_server_is_found_out(database_url: str) -> None:
    with connect(database_url) as connection:
        sock = socket.socket(fileno=os.dup(connection.pgconn.socket))
    with sock:
        assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
        assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE) == 30
        assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == 30_000


@pytest.mark.integration
def test_a_long_statement_ends(database_url: str) -> None:
    with (
        connect(database_url, statement_timeout=timedelta(milliseconds=50)) as connection,
        pytest.raises(psycopg.errors.QueryCanceled),
    ):
        connection.execute("SELECT pg_sleep(10)")


@pytest.mark.parametrize(
    "url", ["postgresql://me:hush@127.0.0.1:1/base", "host=127.0.0.1 port=1 password=hush", "hush://what"]
)
def test_nobody_there_is_one_line_without_the_password(url: str) -> None:
    with pytest.raises(DatabaseUnavailableError) as caught:
        connect(url)
    assert "\n" not in str(caught.value)
    assert "hush" not in str(caught.value)


@pytest.mark.integration
def test_an_unknown_database_is_named(database_url: str) -> None:
    with pytest.raises(DatabaseUnavailableError, match="nosuch"):
        connect(database_url.rsplit("/", 1)[0] + "/nosuch")
