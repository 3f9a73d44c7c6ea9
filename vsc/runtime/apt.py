"""The machine's own apt, with lists, downloads and package state in a folder of ours; needs no root.

Mirrors, proxies, passwords and keys are those that the machine is configured with.
"""

import os
import re
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path

from vsc.runtime.errors import DownloadError
from vsc.runtime.progress import Report

KEYRINGS = Path("/usr/share/keyrings")

DATED_MIRROR = re.compile(r"/\d{8}T\d{6}Z(/|$)")
"""A snapshot of the archive: its lists are signed, but their validity has run out."""

SETTINGS = """
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
Dir::State "{folder}";
Dir::State::status "{folder}/status";
Dir::State::lists "{folder}/lists";
Dir::Cache "{folder}";
Dir::Cache::pkgcache "";
Dir::Cache::srcpkgcache "";
Dir::Etc::preferences "{folder}/none";
Dir::Etc::preferencesparts "{folder}/none";
Acquire::Languages "none";
Acquire::Retries "3";
APT::Sandbox::User "";
"""
"""Added to the machine's own settings: all that apt writes goes to our folder, nothing is run afterwards."""


class Apt:
    """One use of apt, in an empty folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        for name in ("lists/partial", "archives/partial"):
            (folder / name).mkdir(parents=True)
        (folder / "status").touch()
        self._settings = folder / "apt.conf"
        self._settings.write_text(SETTINGS.format(folder=folder))

    def update(self, release: str, report: Report) -> None:
        """Fetch the package lists of a Debian release from the first of the machine's mirrors that has it.

        Raises:
            DownloadError: if none has.
        """
        complaint = "no Debian mirror is configured"
        for archive, security in self._mirrors():
            self._write_sources(release, archive, security)
            try:
                self._fetch(["update", "--error-on=any"], "Reading Debian's package lists", report)
            except DownloadError as error:
                complaint = str(error)
            else:
                return
        raise DownloadError(f"Debian's release {release} cannot be read: {complaint}")

    def closure(self, packages: Sequence[str]) -> list[str]:
        """Everything that `packages` need, as if nothing were installed."""
        options = ["--print-uris", "--yes", "--no-install-recommends"]
        listing = run([*self._command("install"), *options, *packages])
        return re.findall(r"^'[^']+' ([^_\s]+)_\S+\.deb ", listing, re.MULTILINE)

    def download(self, names: Sequence[str], what: str, report: Report) -> list[Path]:
        """Fetch packages, checked against the signed lists."""
        self._fetch(["download", *names], what, report)
        return sorted(self._folder.glob("*.deb"))

    def _mirrors(self) -> Iterator[tuple[str, str | None]]:
        """The configured archives, each with a security archive first, then each without."""
        shown = run([*self._command("update"), "--print-uris"])
        found = re.findall(r"^'(\S+)/dists/([^/\s]+)/InRelease'", shown, re.MULTILINE)
        archives = dict.fromkeys(base for base, suite in found if "-" not in suite)
        security = next((base for base, suite in found if suite.endswith("-security")), None)
        if security is not None:
            yield from ((archive, security) for archive in archives)
        yield from ((archive, None) for archive in archives)

    def _write_sources(self, release: str, archive: str, security: str | None) -> None:
        lines = []
        for base, suite in ((archive, release), (security, f"{release}-security")):
            if base is not None:
                options = [f"signed-by={keyring}" for keyring in archive_keys()]
                options += ["check-valid-until=no"] if DATED_MIRROR.search(base) else []
                lines.append(f"deb [{' '.join([*options, 'target=Packages'])}] {base} {suite} main")
        sources = self._folder / "sources.list"
        sources.write_text("\n".join(lines) + "\n")
        with self._settings.open("a") as settings:
            settings.write(f'Dir::Etc::sourcelist "{sources}";\nDir::Etc::sourceparts "{self._folder}/none";\n')

    def _command(self, verb: str) -> list[str]:
        return ["apt-get", "-c", str(self._settings), verb]

    def _fetch(self, arguments: Sequence[str], what: str, report: Report) -> None:
        """Run apt-get while passing on the progress that it writes."""
        command = [*self._command(arguments[0]), "--quiet=2", "-o", "APT::Status-Fd=1", *arguments[1:]]
        with (
            (self._folder / "apt.log").open("w+") as complaints,
            subprocess.Popen(
                command,
                stdout=subprocess.PIPE,
                stderr=complaints,
                text=True,
                cwd=self._folder,
                env=plain_environment(),
            ) as apt,
        ):
            report(what, 0)
            for line in apt.stdout or ():
                if line.startswith("dlstatus:"):
                    report(what, float(line.split(":")[2]) / 100)
            if apt.wait() != 0:
                complaints.seek(0)
                raise DownloadError(first_complaint(complaints.read()))
        report(what, 1)


def archive_keys() -> list[Path]:
    """Debian's keys, whose suffix differs between releases; without them apt's own trusted keys decide."""
    return sorted(KEYRINGS.glob("debian-archive-keyring.*"))[:1]


def run(command: Sequence[str]) -> str:
    """What a program prints.

    Raises:
        DownloadError: if it does not run or fails.
    """
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, env=plain_environment())
    except OSError as error:
        raise DownloadError(f"{command[0]} does not run: {error.strerror}") from error
    if done.returncode != 0:
        raise DownloadError(first_complaint(done.stderr) or f"{command[0]} ended with {done.returncode}")
    return done.stdout


def first_complaint(text: str) -> str:
    """The first error in what apt or dpkg wrote."""
    lines = text.strip().splitlines()
    errors = [line.removeprefix("E: ") for line in lines if line.startswith("E: ")]
    return (errors or lines or [""])[0]


def plain_environment() -> dict[str, str]:
    """Ours, in English: what programs say is read by this one."""
    return {**os.environ, "LC_ALL": "C.UTF-8", "DEBIAN_FRONTEND": "noninteractive"}
