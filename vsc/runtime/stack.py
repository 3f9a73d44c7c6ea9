"""The whole local stack under supervision: up, status, down."""

import json
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from config.settings import Settings
from vsc.runtime import probes
from vsc.runtime.errors import AlreadyRunningError, NotRunningError, ServerError
from vsc.runtime.leftovers import MARK, end_leftovers
from vsc.runtime.place import open_folder, state_dir
from vsc.runtime.plan import plan_servers
from vsc.runtime.postgres import DATABASE, ensure_database
from vsc.runtime.programs import PREFECT_DATABASE, Addresses, Program, environment, services
from vsc.runtime.progress import Report, silent
from vsc.runtime.server import last_line
from vsc.runtime.servers import hold_lock
from vsc.runtime.status import Part
from vsc.runtime.supervision import Process, Supervisor

ANSWER_TIMEOUT_S = 120.0
"""Prefect's server takes 10 s to answer, half a minute on a busy machine."""

Services = Callable[[Addresses, Settings], Sequence[Program]]


class Stack:
    """The stack of one state folder, whether it runs or not."""

    def __init__(self, settings: Settings, report: Report = silent, *, root: Path | None = None) -> None:
        """Servers that must be fetched are kept in `root`; by default in the stack's own folder."""
        self._settings = settings
        self._report = report
        self.state = state_dir(settings.state_dir)
        self._root = root or self.state
        self._supervisor = Supervisor(self.state)

    def up(
        self, migrate: Callable[[str], object], make_services: Services = services, *, lasting: bool = True
    ) -> Addresses:
        """Start the servers, bring the database's schema up to date with `migrate`, then start the services.

        Unless `lasting`, everything ends when the calling thread does.

        Raises:
            AlreadyRunningError: if it runs already.
            StackError: if a part cannot be had or does not stay up; then nothing is left running.
        """
        open_folder(self.state)
        with hold_lock(self.state / "stack.lock"):
            if self._supervisor.running():
                raise AlreadyRunningError("the stack is running already: see `vsc status`, end it with `vsc down`")
            end_leftovers(str(self.state))
            servers, addresses = plan_servers(self._settings, self.state, self._root, self._report)
            programs = [*servers, *make_services(addresses, self._settings)]
            try:
                self._start(programs, addresses, migrate, lasting=lasting)
            except BaseException:
                self._end()
                raise
            addresses.save(self.state / "stack.json")
        return addresses

    @contextmanager
    def running(self, migrate: Callable[[str], object], make_services: Services = services) -> Iterator[Addresses]:
        """The stack for as long as a ``with`` block lasts."""
        addresses = self.up(migrate, make_services, lasting=False)
        try:
            yield addresses
        finally:
            self.down()

    def down(self) -> None:
        """End every process of the stack.

        Raises:
            NotRunningError: if there was none.
        """
        open_folder(self.state)
        with hold_lock(self.state / "stack.lock"):
            if not self._end():
                raise NotRunningError("the stack is not running")

    def addresses(self) -> Addresses | None:
        """Where the running stack's parts are; none if it does not run."""
        return Addresses.load(self.state / "stack.json") if self._supervisor.running() else None

    def status(self) -> list[Part]:
        """Every part, asked whether it works.

        Raises:
            NotRunningError: if the stack does not run.
        """
        if not self._supervisor.running():
            raise NotRunningError("the stack is not running: start it with `vsc up`")
        processes = self._supervisor.processes()
        known = json.loads(self._probes_file.read_text())
        return [_part(name, processes.get(name), address) for name, address in known.items()]

    def _start(
        self,
        programs: Sequence[Program],
        addresses: Addresses,
        migrate: Callable[[str], object],
        *,
        lasting: bool,
    ) -> None:
        self._remember_probes(programs, addresses)
        shared = {**environment(addresses, self.state), MARK: str(self.state)}
        self._supervisor.launch(programs, shared, lasting=lasting)
        self._start_stage([program for program in programs if program.stage == 0])
        for database in (DATABASE, PREFECT_DATABASE):
            ensure_database(addresses.database_url, database)
        self._report("Bringing the database's schema up to date", 0)
        migrate(addresses.database_url)
        self._report("Bringing the database's schema up to date", 1)
        for stage in sorted({program.stage for program in programs} - {0}):
            self._start_stage([program for program in programs if program.stage == stage])

    def _start_stage(self, programs: Sequence[Program]) -> None:
        """Start all `programs` and wait until each of them works."""
        for program in programs:
            self._supervisor.start(program)
        what = f"Starting {', '.join(program.name for program in programs)}"
        waiting = list(programs)
        deadline = time.monotonic() + ANSWER_TIMEOUT_S
        while waiting:
            self._report(what, 1 - len(waiting) / len(programs))
            processes = self._supervisor.processes()
            waiting = [program for program in waiting if not self._is_up(program, processes[program.name])]
            if waiting and time.monotonic() > deadline:
                raise self._failure(waiting[0].name, f"did not answer in {ANSWER_TIMEOUT_S:.0f} s")
            time.sleep(0.05)
        self._report(what, 1)

    def _is_up(self, program: Program, process: Process) -> bool:
        if process.state in {"BACKOFF", "FATAL", "EXITED"}:
            raise self._failure(program.name, "does not stay up")
        return probes.ask(program.probe).works if program.probe else process.state == "RUNNING"

    def _failure(self, name: str, what: str) -> ServerError:
        log = self._supervisor.log(name)
        return ServerError(f"{name} {what}: {last_line(log)} (log: {log})")

    def _end(self) -> bool:
        """Whether there was anything to end."""
        running = self._supervisor.running()
        if running:
            self._supervisor.shut_down()
        left = end_leftovers(str(self.state))
        (self.state / "stack.json").unlink(missing_ok=True)
        return running or left > 0

    @property
    def _probes_file(self) -> Path:
        return self.state / "run" / "probes.json"

    def _remember_probes(self, programs: Sequence[Program], addresses: Addresses) -> None:
        """Keep what `status` asks, also of servers elsewhere; for this user only, a password is in it."""
        broker = f"mqtt://{addresses.mqtt_host}:{addresses.mqtt_port}"
        servers = {"postgres": addresses.database_url, "mosquitto": broker}
        open_folder(self._probes_file.parent)
        self._probes_file.touch(mode=0o600)
        known = servers | {program.name: program.probe for program in programs} | servers
        self._probes_file.write_text(json.dumps(known))


def _part(name: str, process: Process | None, address: str) -> Part:
    if process is None:
        health = probes.ask(address)
        return Part(name, "ELSEWHERE", 0, 0, health.works, health.detail)
    running = process.state == "RUNNING"
    uptime_s = int(time.time()) - process.started_at_s if process.pid else 0
    health = probes.ask(address) if address and process.pid else probes.Health(running, "")
    return Part(name, process.state, process.pid, uptime_s, running and health.works, health.detail)
