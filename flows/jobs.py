"""The two jobs over the whole fleet, each one call: judge and order, then book."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from config.clock import Clock, open_clock
from config.settings import ConfigurationError, load_settings
from flows.diagnose import DiagnosisSummary, diagnose
from flows.order import OrderSummary, open_tickets
from flows.push import PushSummary, push_visits
from rules.loader import CATALOGUE
from storage.connection import connect
from tickets.booking import BookingDesk
from tickets.catalogue import load_catalogue


@dataclass(frozen=True, slots=True)
class Stack:
    """What the jobs work on."""

    database_url: str
    desk_url: str
    clock: Clock
    console_url: str = ""
    """Base of the links that a booking carries; empty if there are none."""
    rules: Path = CATALOGUE
    """Folder of the rule files."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """What one run of `judge_fleet` did."""

    diagnosis: DiagnosisSummary
    orders: OrderSummary


def stack_from_settings() -> Stack:
    """The stack that this process' settings name.

    Raises:
        ConfigurationError: if they leave an address open.
    """
    settings = load_settings()
    if settings.database_url is None or settings.desk_url is None:
        raise ConfigurationError("VSC_DATABASE_URL and VSC_DESK_URL must be set")
    clock = open_clock(settings.clock, settings.state_dir or Path("var"))
    console_url = f"http://127.0.0.1:{settings.console_port}" if settings.console_port else ""
    return Stack(settings.database_url, settings.desk_url, clock, console_url, settings.rules)


def judge_fleet(stack: Stack, until: datetime | None = None, *, go_on: bool = False) -> Judgement:
    """Judge what has arrived (up to `until`), and open tickets and visits for what is sure enough.

    Raises:
        RuleError: if the rule files are broken, and not to `go_on` by those that were last right, or there are none.
    """
    diagnosis = diagnose(stack.database_url, stack.clock, rules=stack.rules, go_on=go_on, until=until)
    with connect(stack.database_url, application="orders") as connection:
        orders = open_tickets(connection, load_catalogue(), stack.clock, stack.console_url)
    return Judgement(diagnosis, orders)


def book_visits(stack: Stack) -> PushSummary:
    """Send what waits for the booking desk, and note the appointments it answers with."""
    return push_visits(stack.database_url, BookingDesk(stack.desk_url), stack.clock)
