"""``vsc ingest``, ``desk``, ``console`` and ``serve``: the services, each in its own process."""

import signal
import threading
from contextlib import ExitStack

import typer

from config.clock import open_clock
from config.logs import configure_logs
from vsc.context import Context, load_context
from vsc.failure import CommandError
from vsc.runtime.errors import NotRunningError
from vsc.runtime.ports import LOOPBACK, Ports
from vsc.terminal import OUT

PANEL = "Services"


def register(app: typer.Typer) -> None:
    """Add the verbs."""
    for verb in (ingest, desk, console, serve):
        app.command(rich_help_panel=PANEL)(verb)


def ingest() -> None:
    """Store what cars publish, until stopped; SIGTERM ends it in order."""
    import numpy as np

    from agent.link import LinkError
    from ingest.service import IngestSettings, run
    from ingest.session import BrokerTooOldError, SilentLinkError
    from ingest.shard import ShardHeldError
    from ingest.validation import TimeLimits

    context = _service()
    settings = context.settings
    host, port = context.broker
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    limits = TimeLimits(settings.late_limit, settings.future_limit, by_sender=settings.clock == "data")
    try:
        run(
            IngestSettings(context.database_url, host, port, limits, window=settings.ingest_window),
            context.clock,
            stop,
            np.random.default_rng(),
        )
    except (ShardHeldError, BrokerTooOldError, SilentLinkError, LinkError) as error:
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
        run(LOOPBACK, port, database_url, clock)


def serve() -> None:
    """Diagnose the fleet and push tickets on schedule, under the Prefect server that PREFECT_API_URL names."""
    from flows.schedule import serve_schedule

    settings = _service().settings
    serve_schedule(settings.diagnose_every, settings.push_every)


def _service() -> Context:
    """The context of a service, whose logs somebody keeps."""
    context = load_context()
    configure_logs(context.settings.log_level)
    return context


def _port(name: str, fixed: int, context: Context) -> int:
    """The port from the settings, else a free one.

    Raises:
        PortInUseError: if the fixed port is taken.
    """
    return Ports(context.state / "ports.json").claim(name, fixed)
