"""Debian 13's TimescaleDB and Mosquitto in a private folder, without root, beside the machine's own packages.

The programs are told to use the C library that comes along, so that they run on Debian 12 too.
"""

import fcntl
import json
import re
import shutil
import sysconfig
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from vsc.runtime.apt import Apt, run
from vsc.runtime.errors import DownloadError
from vsc.runtime.place import open_folder
from vsc.runtime.progress import Report

RELEASE = "trixie"

PACKAGES = ("postgresql-17", "postgresql-17-timescaledb", "mosquitto", "mosquitto-clients")

LIBRARY = re.compile(r"z?lib(?!perl|llvm|z3-)(?!.*-perl$)")
"""A package that the programs link to, and not only Debian's scripts or PostgreSQL's JIT compiler."""

POSTGRES_PROGRAMS = Path("usr/lib/postgresql/17/bin")
MOSQUITTO = Path("usr/sbin/mosquitto")
MOSQUITTO_PUB = Path("usr/bin/mosquitto_pub")
"""Publishes one message, as a car that knows nothing of us: for trying, and for the tests."""
TIMESCALEDB = Path("usr/lib/postgresql/17/lib/timescaledb.so")

STAMP = "complete.json"


def installed(folder: Path) -> bool:
    """Whether `folder` holds all packages, unpacked and made ready for this very place."""
    try:
        stamp = json.loads((folder / STAMP).read_text())
    except (OSError, ValueError):
        return False
    unpacked = {str(name).partition("_")[0] for name in stamp.get("packages", ())}
    return bool(stamp.get("folder") == str(folder)) and unpacked.issuperset(PACKAGES)


def install(folder: Path, report: Report) -> None:
    """Fetch the packages into `folder`; an interrupted attempt leaves nothing that counts as complete.

    Raises:
        DownloadError: if this machine has no apt, no mirror of it can be reached and has the release, or the
            disk is full.
    """
    for program in ("apt-get", "dpkg-deb"):
        if shutil.which(program) is None:
            raise DownloadError(f"this machine has no {program}, so Debian packages cannot be fetched")
    open_folder(folder.parent)
    with _only_one(folder.parent / "fetch.lock"):
        if installed(folder):
            return
        for abandoned in folder.parent.glob("fetch-*.unfinished"):
            shutil.rmtree(abandoned, ignore_errors=True)
        with tempfile.TemporaryDirectory(
            dir=folder.parent, prefix="fetch-", suffix=".unfinished", ignore_cleanup_errors=True
        ) as work:
            try:
                _install(Path(work), folder, report)
            except OSError as error:
                raise DownloadError(f"the packages cannot be unpacked: {error}") from error


def _install(work: Path, folder: Path, report: Report) -> None:
    apt = Apt(work)
    apt.update(RELEASE, report)
    libraries = [name for name in apt.closure(PACKAGES) if LIBRARY.match(name)]
    what = "Downloading PostgreSQL, TimescaleDB and Mosquitto"
    packages = apt.download([*PACKAGES, *libraries], what, report)
    root = work / "root"
    root.mkdir()
    for count, package in enumerate(packages, 1):
        run(["dpkg-deb", "--extract", str(package), str(root)])
        report("Unpacking PostgreSQL, TimescaleDB and Mosquitto", count / len(packages))
    root.chmod(0o755)
    _use_own_libraries(root, folder)
    if folder.exists():
        # Servers may be running from there: they find the same files again at once.
        folder.rename(work / "replaced")
    root.rename(folder)
    _check_libraries(folder)
    stamp = {"folder": str(folder), "packages": [package.stem for package in packages]}
    unfinished = folder / f"{STAMP}.unfinished"
    unfinished.write_text(json.dumps(stamp, indent=1))
    unfinished.rename(folder / STAMP)


def _use_own_libraries(root: Path, folder: Path) -> None:
    """Make the programs under `root` use the C library and the libraries beside them, once it is `folder`."""
    libraries = ":".join(str(folder / path.relative_to(root)) for path in sorted(root.glob("usr/lib/*-linux-*")))
    for program in (*(root / POSTGRES_PROGRAMS).iterdir(), root / MOSQUITTO, root / MOSQUITTO_PUB):
        if program.is_symlink() or not _is_elf(program):
            continue
        loader = run([_patchelf(), "--print-interpreter", str(program)]).strip()
        own_loader = f"{folder}/usr{loader.removeprefix('/usr')}"
        # The old kind of rpath also serves the libraries' own needs and the extensions loaded at run time.
        options = ["--set-interpreter", own_loader, "--force-rpath", "--set-rpath", libraries]
        run([_patchelf(), *options, str(program)])


def _is_elf(program: Path) -> bool:
    """Whether it is a program in machine code rather than a script."""
    with program.open("rb") as file:
        return file.read(4) == b"\x7fELF"


def _check_libraries(folder: Path) -> None:
    """Refuse a set of packages whose programs lack a library or take one from the machine."""
    postgres = folder / POSTGRES_PROGRAMS / "postgres"
    loader = run([_patchelf(), "--print-interpreter", str(postgres)]).strip()
    libraries = run([_patchelf(), "--print-rpath", str(postgres)]).strip()
    broker = (folder / MOSQUITTO, folder / MOSQUITTO_PUB)
    for binary in (postgres, postgres.with_name("initdb"), *broker, folder / TIMESCALEDB):
        shown = run([loader, "--library-path", libraries, "--list", str(binary)])
        foreign = [line for line in shown.splitlines() if "=>" in line and f"=> {folder}" not in line]
        if foreign:
            raise DownloadError(f"the packages lack a library of {binary.name}: {foreign[0].strip()}")


def _patchelf() -> str:
    return str(Path(sysconfig.get_path("scripts")) / "patchelf")


@contextmanager
def _only_one(lock: Path) -> Iterator[None]:
    with lock.open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield
