"""Where the stack keeps its data, and as whom its servers run."""

import hashlib
import os
import pwd
import shutil
import signal
import stat
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from config.settings import CHECKOUT
from vsc.runtime.errors import UnavailableError

ROOT_STATE = Path("/var/lib/vsc")
"""Holds the state folders of checkouts that lie where only root may enter."""

SOCKET_PATH_LIMIT = 90
"""Bytes that a socket's path may have: Linux allows 107, supervisord adds a suffix while it creates one."""


@dataclass(frozen=True)
class Account:
    """The unprivileged user that servers run as when we are root, because PostgreSQL refuses root."""

    uid: int
    gid: int


def server_account() -> Account | None:
    """The account that servers drop to; none when we are an ordinary user already."""
    if os.geteuid() != 0:
        return None
    nobody = pwd.getpwnam("nobody")
    return Account(nobody.pw_uid, nobody.pw_gid)


def state_dir(configured: Path | None = None, checkout: Path = CHECKOUT) -> Path:
    """The one folder for packages, data, logs and addresses: as configured, else ``var/`` in the checkout.

    A checkout that the servers' account cannot enter (root's home is closed) keeps its state outside.
    """
    if configured is not None:
        return configured.resolve()
    inside = checkout / "var"
    if enterable(inside):
        return inside
    return ROOT_STATE / hashlib.sha256(str(checkout).encode()).hexdigest()[:12]


def enterable(folder: Path) -> bool:
    """Whether the servers' account may pass through every folder that exists on the way to `folder`."""
    if server_account() is None:
        return True
    steps = [step for step in (folder, *folder.parents) if step.exists()]
    return all(step.stat().st_mode & stat.S_IXOTH for step in steps)


def open_folder(folder: Path, account: Account | None = None) -> Path:
    """Make `folder` if need be: private to `account` if there is one, else enterable by all.

    Raises:
        UnavailableError: if the servers' account could not get there.
    """
    for missing in reversed([step for step in (folder, *folder.parents) if not step.exists()]):
        missing.mkdir(exist_ok=True)
        missing.chmod(0o755)
    if account is not None:
        os.chown(folder, account.uid, account.gid)
        folder.chmod(0o700)
    if not enterable(folder.parent):
        raise UnavailableError(f"{folder} cannot be entered by user nobody: set VSC_STATE_DIR to a folder that can")
    return folder


def socket_path(state: Path) -> Path:
    """Where the supervisor of `state` listens: inside it, or in a short private folder if the path is too long."""
    inside = state / "run" / "supervisor.sock"
    if len(os.fsencode(inside)) <= SOCKET_PATH_LIMIT:
        return inside
    digest = hashlib.sha256(str(state).encode()).hexdigest()[:12]
    return Path(f"/tmp/vsc-{os.geteuid()}/{digest}.sock")  # noqa: S108 - its maker checks the owner


def as_child(command: Sequence[str], account: Account | None, death_signal: signal.Signals) -> list[str]:
    """The command line that runs `command` as `account` and gets `death_signal` when its parent dies.

    The parent is the *thread* that starts it: start servers from one that lives as long as they should.
    """
    if shutil.which("setpriv") is None:
        raise UnavailableError("the program setpriv is missing: install the package util-linux")
    prefix = ["setpriv", "--pdeathsig", death_signal.name.removeprefix("SIG")]
    if account is not None:
        prefix += ["--reuid", str(account.uid), "--regid", str(account.gid), "--clear-groups"]
    return [*prefix, *command]
