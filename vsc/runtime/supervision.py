"""The supervisor: starts programs, starts them again when they crash, keeps their logs small.

The process is supervisord, told what to do over a socket that only its user may open.
"""

import http.client
import os
import shlex
import signal
import subprocess
import sys
import time
import xmlrpc.client
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import psutil
from supervisor.xmlrpc import SupervisorTransport

from vsc.runtime.errors import ServerError
from vsc.runtime.place import as_child, open_folder, socket_path
from vsc.runtime.programs import Program

START_TIMEOUT_S = 15.0
STOP_TIMEOUT_S = 40.0

GENERAL = """\
[unix_http_server]
file={socket}
chmod=0600

[rpcinterface:supervisor]
supervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface

[supervisord]
nodaemon=true
silent=true
logfile={logs}/supervisor.log
logfile_maxbytes=2MB
logfile_backups=1
pidfile={run}/supervisor.pid
childlogdir={logs}
"""

ONE_PROGRAM = """
[program:{name}]
command={command}
directory={folder}
autostart=false
autorestart={restart}
startsecs=1
startretries=60
stopsignal={stop_signal}
stopwaitsecs=15
stopasgroup={group}
killasgroup=true
redirect_stderr=true
stdout_logfile={log}
stdout_logfile_maxbytes=5MB
stdout_logfile_backups=2
"""

ONE_STAGE = """
[group:{stage}]
programs={names}
priority={stage}
"""


@dataclass(frozen=True)
class Process:
    """What the supervisor knows of one program."""

    name: str
    state: str
    """``RUNNING``, ``STARTING``, ``BACKOFF`` (it keeps ending), ``FATAL`` (given up), ``STOPPED``, ``EXITED``."""
    pid: int
    started_at_s: int
    """Unix time."""


class Supervisor:
    """The supervisor of one state folder, whether it runs or not."""

    def __init__(self, state: Path) -> None:
        self._state = state
        self._socket = socket_path(state)
        self._child: subprocess.Popen[bytes] | None = None

    def running(self) -> bool:
        """Whether it answers."""
        try:
            self._call("getState")
        except (OSError, http.client.HTTPException, xmlrpc.client.Error):
            if self._child is not None:
                self._child.poll()
            return False
        return True

    def launch(self, programs: Sequence[Program], environment: Mapping[str, str], *, lasting: bool) -> None:
        """Start it with all `programs` stopped; unless `lasting`, it ends them all when this thread ends.

        Raises:
            ServerError: if it does not answer in time.
        """
        config = self._write_config(programs)
        command = [sys.executable, "-m", "supervisor.supervisord", "--configuration", str(config)]
        if not lasting:
            command = as_child(command, None, signal.SIGTERM)
        output = self._state / "logs" / "supervisor.err"
        with output.open("wb") as errors:
            self._child = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=errors,
                stderr=errors,
                env=environment,
                cwd="/",
                start_new_session=True,
            )
        deadline = time.monotonic() + START_TIMEOUT_S
        while not self.running():
            if self._child.poll() is not None or time.monotonic() > deadline:
                self._child.kill()
                raise ServerError(f"the supervisor did not start: see {output}")
            time.sleep(0.05)

    def start(self, program: Program) -> None:
        """Start one program, without waiting for it."""
        self._call("startProcess", f"{program.stage}:{program.name}", False)

    def processes(self) -> dict[str, Process]:
        """Every program by name."""
        rows = cast("list[dict[str, Any]]", self._call("getAllProcessInfo"))
        return {
            row["name"]: Process(row["name"], row["statename"], row["pid"], row["start"] if row["pid"] else 0)
            for row in rows
        }

    def shut_down(self) -> None:
        """End all programs, the last stage first, then the supervisor itself, and wait for it.

        Raises:
            ServerError: if it is still there after a while.
        """
        process = psutil.Process(cast("int", self._call("getPID")))
        self._call("shutdown")
        try:
            if self._child is not None:
                self._child.wait(STOP_TIMEOUT_S)
            process.wait(STOP_TIMEOUT_S)
        except (subprocess.TimeoutExpired, psutil.TimeoutExpired):
            raise ServerError(f"the supervisor does not stop: see {self.log('supervisor')}") from None

    def _write_config(self, programs: Sequence[Program]) -> Path:
        run, logs = open_folder(self._state / "run"), open_folder(self._state / "logs")
        self._socket.parent.mkdir(mode=0o700, exist_ok=True)
        if self._socket.parent.stat().st_uid != os.geteuid():
            raise ServerError(f"{self._socket.parent} belongs to another user: remove it")
        parts = [_filled(GENERAL, socket=self._socket, logs=logs, run=run)]
        parts += [
            _filled(
                ONE_PROGRAM,
                name=program.name,
                command=shlex.join(program.command),
                folder=program.folder,
                restart="true" if program.endless else "unexpected",
                stop_signal=program.stop_signal.name.removeprefix("SIG"),
                # A server of ours ends its own children; a service's may be flow runs that outlive it.
                group=program.stop_signal is signal.SIGTERM,
                log=self.log(program.name),
            )
            for program in programs
        ]
        for stage in sorted({program.stage for program in programs}):
            names = ",".join(program.name for program in programs if program.stage == stage)
            parts.append(_filled(ONE_STAGE, stage=stage, names=names))
        config = run / "supervisor.conf"
        config.write_text("".join(parts))
        return config

    def log(self, name: str) -> Path:
        """Where one program writes."""
        return self._state / "logs" / f"{name}.log"

    def _call(self, method: str, *arguments: str | bool) -> object:
        transport = SupervisorTransport(None, None, serverurl=f"unix://{self._socket}")
        with xmlrpc.client.ServerProxy("http://localhost", transport=transport) as proxy:
            return getattr(proxy.supervisor, method)(*arguments)


def _filled(template: str, **values: object) -> str:
    """The template with values in which supervisord expands nothing."""
    return template.format(**{name: str(value).replace("%", "%%") for name, value in values.items()})
