"""An agent for the length of a command: what a simulated fleet or a recorded car publishes with."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import timedelta
from pathlib import Path

import numpy as np

from agent.client import Agent, AgentError
from agent.outbox import Outbox
from simulator.publish import NotStoredError
from vsc.failure import CommandError


@contextmanager
def publishing_agent(outbox_file: Path, broker: tuple[str, int], name: str, resend_after: timedelta) -> Iterator[Agent]:
    """Deliver what is kept in `outbox_file` for as long as a ``with`` block lasts.

    Raises:
        CommandError: if the broker refuses us for good, or nothing gets stored any more.
    """
    outbox_file.parent.mkdir(parents=True, exist_ok=True)
    host, port = broker
    rng = np.random.default_rng()
    try:
        with (
            closing(Outbox(outbox_file)) as outbox,
            Agent(outbox, host, port, client_id=name, rng=rng, resend_after=resend_after) as agent,
        ):
            yield agent
    except (AgentError, NotStoredError) as error:
        raise CommandError(str(error)) from error
