"""Makes the Python environment in ``.venv`` from the lock files; does nothing when it is up to date.

Needs Python >= 3.11 and its standard library only. Debian keeps pip and ``ensurepip`` in packages of their own,
so both may be missing: pip then comes from Debian's package ``python3-pip-whl``, unpacked without root. The
machine's own pip configuration (mirrors, certificates) is honoured.
"""  # noqa: INP001 - a script, not a package

from __future__ import annotations

import fcntl
import hashlib
import importlib.metadata
import importlib.util
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import venv
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

CHECKOUT = Path(__file__).resolve().parents[1]
ENVIRONMENT = CHECKOUT / ".venv"
PYTHON = ENVIRONMENT / "bin" / "python"
STAMP = ENVIRONMENT / "complete"

TOOLS_LOCK = CHECKOUT / "requirements-bootstrap.lock"
LOCK = CHECKOUT / "requirements.lock"

OLDEST_PYTHON = (3, 11)
OLDEST_PIP = (22, 3)
"""The first pip that installs into another environment."""


def main() -> int:
    """Bring the environment up to date; 0 when it is."""
    if sys.version_info < OLDEST_PYTHON:
        say(f"Python 3.11 or newer is needed, this is {sys.version.split()[0]}: name one with make PYTHON=...")
        return 1
    with LOCK.open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        wanted = fingerprint()
        if STAMP.exists() and STAMP.read_text() == wanted and PYTHON.exists():
            return 0
        try:
            make_environment()
        except (subprocess.CalledProcessError, OSError, LookupError) as error:
            say(f"The environment could not be made: {error}")
            return 1
        except KeyboardInterrupt:
            say("Interrupted; the next run goes on from here.")
            return 130
        STAMP.write_text(wanted)
    say("The environment is ready.")
    return 0


def add(locks: Iterable[str]) -> int:
    """Install what further lock files name, beside what is there; 0 when it is."""
    try:
        with tempfile.TemporaryDirectory() as scratch:
            for lock in locks:
                settings = {**os.environ, **uv_settings(find_pip(Path(scratch)))}
                run([*uv("install"), "--require-hashes", "--requirement", str(CHECKOUT / lock)], settings)
    except (subprocess.CalledProcessError, OSError, LookupError) as error:
        say(f"The packages could not be had: {error}")
        return 1
    return 0


def fingerprint() -> str:
    """Changes when anything does that the environment is made from."""
    files = (TOOLS_LOCK, LOCK, CHECKOUT / "pyproject.toml", Path(__file__))
    parts = [sys.version, sys.base_prefix, str(CHECKOUT), *(file.read_text() for file in files)]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def make_environment() -> None:
    """Create ``.venv`` and install what is locked, then the project itself."""
    say(f"Making the Python environment in {ENVIRONMENT} (Python {sys.version.split()[0]})")
    STAMP.unlink(missing_ok=True)
    if not made_by_this_python():
        venv.EnvBuilder(symlinks=True, clear=True).create(ENVIRONMENT)
    with tempfile.TemporaryDirectory() as scratch:
        pip = find_pip(Path(scratch))
        say("Installing the installer (uv)")
        run([*pip, "install", "--quiet", "--require-hashes", "--requirement", str(TOOLS_LOCK)])
        say("Installing the locked packages")
        settings = {**os.environ, **uv_settings(pip)}
        locked = ["--require-hashes", str(LOCK), str(TOOLS_LOCK)]
        try:
            run([*uv("sync"), *locked], settings)
            install_project = uv("install")
        except subprocess.CalledProcessError:
            say("uv cannot get the packages with this machine's settings; trying pip, which takes a minute")
            run([*pip, "install", "--require-hashes", "--requirement", str(LOCK)])
            install_project = [*pip, "install", "--no-index", "--quiet"]
        run([*install_project, "--no-deps", "--no-build-isolation", "--editable", str(CHECKOUT)], settings)


def made_by_this_python() -> bool:
    """Whether the environment is there and of this very Python."""
    if not PYTHON.exists():
        return False
    asked = subprocess.run(
        [str(PYTHON), "-c", "import sys; print(sys.version)"], capture_output=True, text=True, check=False
    )
    return asked.stdout.strip() == sys.version.strip()


def uv(verb: str) -> list[str]:
    """One of uv's installing commands for the environment; silent where nobody sees its progress bars."""
    quiet = [] if sys.stderr.isatty() else ["--quiet"]
    return [str(ENVIRONMENT / "bin" / "uv"), "pip", verb, *quiet, "--python", str(PYTHON)]


def find_pip(scratch: Path) -> list[str]:
    """The command line of a pip that installs into the environment."""
    if importlib.util.find_spec("pip") is not None:
        release = importlib.metadata.version("pip").split(".")
        if tuple(int(part) for part in release[:2]) >= OLDEST_PIP:
            return [sys.executable, "-m", "pip", "--python", str(PYTHON)]
    wheel = next(pip_wheels(scratch), None)
    if wheel is None:
        raise LookupError("no pip can be had: install the package python3-venv or python3-pip")
    return [str(PYTHON), str(wheel / "pip")]


def pip_wheels(scratch: Path) -> Iterator[Path]:
    """Pip's wheels on this machine, else the one in Debian's package."""
    ensurepip = importlib.util.find_spec("ensurepip")
    if ensurepip is not None and ensurepip.origin is not None:
        yield from (Path(ensurepip.origin).parent / "_bundled").glob("pip-*.whl")
    yield from Path("/usr/share/python-wheels").glob("pip-*.whl")
    if shutil.which("apt-get") is not None:
        say("Python comes without pip here: fetching Debian's package python3-pip-whl")
        fetch_debian_package("python3-pip-whl", scratch)
        yield from scratch.glob("usr/share/python-wheels/pip-*.whl")


def fetch_debian_package(name: str, folder: Path) -> None:
    """Unpack a package of the machine's own Debian release into `folder`, with package lists of our own."""
    for part in ("lists/partial", "archives/partial"):
        (folder / part).mkdir(parents=True)
    (folder / "status").touch()
    (folder / "apt.conf").write_text(
        "#clear APT::Update::Post-Invoke;\n#clear APT::Update::Post-Invoke-Success;\n"
        f'Dir::State "{folder}";\nDir::State::status "{folder}/status";\n'
        f'Dir::State::lists "{folder}/lists";\nDir::Cache "{folder}";\n'
        'Acquire::Languages "none";\nAPT::Sandbox::User "";\n'
    )
    apt = ["apt-get", "-c", str(folder / "apt.conf"), "--quiet=2"]
    run([*apt, "update"])
    run([*apt, "download", name], folder=folder)
    for package in folder.glob("*.deb"):
        run(["dpkg-deb", "--extract", str(package), str(folder)])


def uv_settings(pip: list[str]) -> dict[str, str]:
    """What this machine's pip is told, in uv's words; what uv is told already stands."""
    told = pip_settings(pip)
    meant = {
        "UV_DEFAULT_INDEX": told.get("index-url"),
        "UV_INDEX": told.get("extra-index-url"),
        "UV_FIND_LINKS": ",".join(told.get("find-links", "").split()),
        "UV_NO_INDEX": told.get("no-index"),
        "UV_INSECURE_HOST": told.get("trusted-host"),
        "UV_HTTP_TIMEOUT": told.get("timeout") or told.get("default-timeout"),
        "SSL_CERT_FILE": told.get("cert"),
        "HTTPS_PROXY": told.get("proxy"),
        "HTTP_PROXY": told.get("proxy"),
        # As pip does: any index may have the wanted release; the hash decides whether it is the right one.
        "UV_INDEX_STRATEGY": "unsafe-best-match",
    }
    if not os.access(Path.home(), os.W_OK):
        meant["UV_NO_CACHE"] = "1"
    return {name: value for name, value in meant.items() if value and name not in os.environ}


def pip_settings(pip: list[str]) -> dict[str, str]:
    """Pip's configuration by option; the environment wins over ``[install]``, that over ``[global]``."""
    listing = subprocess.run([*pip, "config", "list"], capture_output=True, text=True, check=True).stdout
    ranks = ("global", "install", ":env:")
    found = re.findall(r"^(global|install|:env:)\.([\w-]+)=(.*)$", listing, re.MULTILINE)
    found.sort(key=lambda item: ranks.index(item[0]))
    return {option: " ".join(shlex.split(value)).replace("\\n", " ") for _, option, value in found}


def run(command: list[str], environment: Mapping[str, str] | None = None, folder: Path | None = None) -> None:
    """Run a command that must succeed, its output shown."""
    subprocess.run(command, check=True, env=environment, cwd=folder)


def say(sentence: str) -> None:
    """Tell the person at the terminal."""
    sys.stderr.write(f"{sentence}\n")


if __name__ == "__main__":
    sys.exit(main() or add(sys.argv[1:]))
