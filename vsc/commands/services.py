"""``vsc ingest``, ``watch``, ``desk``, ``console`` and ``serve``: the services, each in its own process."""

import signal
import threading
from contextlib import ExitStack
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from config.clock import open_clock
from config.logs import configure_logs, log_crashes
from vsc.commands.catalogue import GoOnOption, RulesOption, rule_folder
from vsc.context import Context, load_context
from vsc.failure import CommandError, WrongCallError
from vsc.runtime.errors import NotRunningError
from vsc.runtime.ports import LOOPBACK, Ports
from vsc.terminal import OUT, JsonOption, print_facts

if TYPE_CHECKING:
    from ingest.shard import Shard

PANEL = "Services"


def register(app: typer.Typer) -> None:
    """Add the verbs."""
    for verb in (ingest, watch, desk, console, serve):
        app.command(rich_help_panel=PANEL)(verb)


def ingest(
    *,
    shard: Annotated[
        str,
        typer.Option(
            help="Store only part I of the fleet, divided into N: 0/2 and 1/2 are all of it. Each part needs its "
            "process; with more than one, cars are heard once they are registered.",
            metavar="I/N",
        ),
    ] = "0/1",
) -> None:
    """Store what cars publish, until stopped; SIGTERM ends it in order."""
    # First of all: what follows takes a while, and is to end in order, too.
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    import numpy as np

    from agent.link import LinkError
    from ingest.affinity import keep_to_one_cpu
    from ingest.database import StandstillError
    from ingest.missing import GapLimits
    from ingest.service import IngestSettings, run
    from ingest.session import BrokerTooOldError, SilentLinkError
    from ingest.shard import Shard, ShardHeldError
    from ingest.validation import TimeLimits
    from vehicle.foreign_address import ForeignTopics

    try:
        part = Shard.parse(shard)
    except ValueError as error:
        raise WrongCallError(str(error)) from None
    context = _service()
    settings = context.settings
    host, port = context.broker
    limits = TimeLimits(settings.late_limit, settings.future_limit, by_sender=settings.clock == "data")
    if settings.ingest_one_cpu:
        keep_to_one_cpu(part.index)
    try:
        run(
            IngestSettings(
                context.database_url,
                host,
                port,
                limits,
                window=settings.ingest_window,
                quarantine_limit=settings.quarantine_limit,
                shard=part,
                state=context.state / "ingest",
                gaps=GapLimits(settings.gap_ask_after, settings.gap_longest_pause, settings.gap_heard_within),
                foreign=ForeignTopics(settings.tesla_topic_base, settings.ovms_topic_prefix),
                observation_port=_observation_port(context, part),
            ),
            context.clock,
            stop,
            np.random.default_rng(),
        )
    except (ShardHeldError, BrokerTooOldError, SilentLinkError, StandstillError, LinkError) as error:
        raise CommandError(str(error)) from None


def watch(
    *,
    rules: RulesOption = None,
    go_on: GoOnOption = False,
    once: Annotated[bool, typer.Option("--once", help="Judge what has arrived, and end.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Judge what arrives within seconds, by the rules that need no whole day, until stopped.

    All rules judge whole days in `vsc diagnose`; this is an early look at the day that is going on: it finds the same,
    sooner, and loses nothing when it is stopped. Rule files are followed: a change is taken over at once if all files
    are right; else it is refused, and the old rules stay at work.
    """
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    from flows.watching import WatchedAlreadyError, watch_once
    from flows.watching import watch as run
    from rules.loader import RuleError
    from tickets.catalogue import CatalogueError

    folder = rule_folder(rules, go_on=go_on)
    context = load_context() if once else _service()
    try:
        if once:
            done = watch_once(context.database_url, context.clock, folder, context.console_url, go_on=go_on)
            print_facts(asdict(done), as_json=as_json)
        else:
            run(context.database_url, context.clock, folder, stop, context.console_url, go_on=go_on)
    except (RuleError, CatalogueError, WatchedAlreadyError) as error:
        raise CommandError(str(error)) from None


def desk() -> None:
    """Run the booking desk: a small booking system of its own, with an HTTP interface."""
    from desk.server import run

    context = _service()
    port = _port("desk", context.settings.desk_port, context)
    OUT.print(f"Booking desk: http://{LOOPBACK}:{port}")
    run(LOOPBACK, port, context.state / "desk.sqlite", context.clock)


def console() -> None:
    """Serve the engineers' pages on the running stack; where none runs, on what the demo has left."""
    from console.service import run
    from vsc.demo import demo_state
    from vsc.runtime.servers import LocalServers

    context = _service()
    with ExitStack() as stack:
        try:
            database_url, clock = context.database_url, context.clock
        except NotRunningError:
            state = demo_state(context.settings)
            if not (state / "postgres").is_dir():
                raise
            database_url = stack.enter_context(LocalServers(state, root=context.state)).database_url
            clock = open_clock("data", state)
        port = _port("console", context.settings.console_port, context)
        OUT.print(f"Engineers' pages: http://{LOOPBACK}:{port}   (Ctrl-C ends them)")
        run(LOOPBACK, port, database_url, clock, context.rules)


def serve(*, go_on: GoOnOption = False) -> None:
    """Diagnose the fleet and push tickets on schedule, under the Prefect server that PREFECT_API_URL names."""
    folder, context = rule_folder(go_on=go_on), _service()
    from flows.rules_at_work import RulesAtWork
    from rules.loader import RuleError
    from storage.connection import connect

    try:
        with connect(context.database_url) as connection:
            RulesAtWork.begin(connection, folder, go_on=go_on)
    except RuleError as error:
        raise CommandError(str(error)) from None
    from flows.schedule import serve_schedule

    serve_schedule(context.settings.diagnose_every, context.settings.push_every)


def _service() -> Context:
    """The context of a service, whose logs somebody keeps."""
    context = load_context()
    configure_logs(context.settings.log_level)
    log_crashes()
    return context


def _observation_port(context: Context, shard: "Shard") -> int:
    """Each shard's own port: next to the fixed one, else a free one."""
    fixed = context.settings.ingest_port
    # A port that is taken must not stop ingest, so nothing is claimed that is fixed.
    return fixed + shard.index if fixed else Ports(context.state / "ports.json").claim(f"ingest-{shard.index}")


def _port(name: str, fixed: int, context: Context) -> int:
    """The port from the settings, else a free one.

    Raises:
        PortInUseError: if the fixed port is taken.
    """
    return Ports(context.state / "ports.json").claim(name, fixed)
