import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

from config.settings import CHECKOUT


@pytest.fixture(scope="module")
def bootstrap() -> ModuleType:
    """The script, which is no package's module."""
    spec = importlib.util.spec_from_file_location("bootstrap", CHECKOUT / "scripts" / "bootstrap.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def pip(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """A pip whose configuration names mirrors in three places."""
    for name in ("UV_DEFAULT_INDEX", "UV_INDEX", "UV_FIND_LINKS", "UV_HTTP_TIMEOUT", "SSL_CERT_FILE"):
        monkeypatch.delenv(name, raising=False)
    listing = tmp_path / "listing"
    listing.write_text(
        ":env:.find-links='/opt/one /opt/two'\n"
        "global.find-links='/ignored'\n"
        "global.index-url='https://mirror.invalid/simple'\n"
        "install.index-url='https://nearer.invalid/simple'\n"
        "global.extra-index-url='\\nhttps://a.invalid/simple\\nhttps://b.invalid/simple'\n"
        "global.cert='/etc/ssl/mine.pem'\n"
    )
    return [sys.executable, "-c", f"print(open({str(listing)!r}).read())"]


def test_uv_is_told_what_pip_is_told(bootstrap: ModuleType, pip: list[str]) -> None:
    told = bootstrap.uv_settings(pip)
    assert told["UV_FIND_LINKS"] == "/opt/one,/opt/two"
    assert told["UV_DEFAULT_INDEX"] == "https://nearer.invalid/simple"
    assert told["UV_INDEX"].split() == ["https://a.invalid/simple", "https://b.invalid/simple"]
    assert told["SSL_CERT_FILE"] == "/etc/ssl/mine.pem"


def test_what_uv_is_told_already_stands(bootstrap: ModuleType, pip: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UV_DEFAULT_INDEX", "https://mine.invalid/simple")
    assert "UV_DEFAULT_INDEX" not in bootstrap.uv_settings(pip)


def test_old_python_is_told_so(
    bootstrap: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(bootstrap, "OLDEST_PYTHON", (99,))
    assert bootstrap.main() == 1
    assert "make PYTHON=" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["requirements.lock", "requirements-bootstrap.lock", "requirements-fuzz.lock"])
def test_locks_are_pinned_by_hash_and_name_no_address(name: str) -> None:
    lines = (CHECKOUT / name).read_text().splitlines()
    pins = [line for line in lines if not line.startswith(" ")]
    assert pins
    assert all("==" in pin and pin.endswith("\\") for pin in pins)
    assert all(line.strip().startswith("--hash=sha256:") for line in lines if line.startswith(" "))
