import httpx
import psycopg
import pytest

from tests.support.console_server import console_client
from vsc.runtime.servers import LocalServers

PAGES = ("/", "/alerts", "/tickets", "/vehicles", "/vehicles/city-01", "/quarantine")


@pytest.mark.parametrize("path", PAGES)
def test_a_page_says_that_the_database_is_down(silent_console: httpx.Client, path: str) -> None:
    answer = silent_console.get(path)
    assert answer.status_code == 503
    assert "The database does not answer" in answer.text
    assert "Traceback" not in answer.text
    assert "secret" not in answer.text


@pytest.mark.parametrize("path", ["/api/v1/alerts", "/health"])
def test_programs_are_told_in_json(silent_console: httpx.Client, path: str) -> None:
    answer = silent_console.get(path)
    assert answer.status_code == 503
    assert "does not answer" in answer.json()["error"]


@pytest.mark.integration
def test_a_database_without_tables_says_what_to_do_and_works_once_it_has_them(own_servers: LocalServers) -> None:
    with console_client(own_servers.database_url) as console:
        answer = console.get("/")
        assert answer.status_code == 503
        assert "vsc db migrate" in answer.text
        assert console.get("/health").status_code == 503
        with psycopg.connect(own_servers.database_url, autocommit=True) as connection:
            connection.execute("CREATE TABLE alerts (alert_id uuid)")
        assert console.get("/health").status_code == 200
