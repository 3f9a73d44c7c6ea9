"""The whole story on one machine: a fleet drives, faults grow, and each gets an appointment in time.

Day by day: every car publishes its day over MQTT, ingest stores it, the fleet is judged on what has arrived, tickets
are pushed to the booking desk. At the end what was found is held against what was wrong.
"""

import json
import shutil
import time
from collections import Counter
from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from uuid import UUID

import httpx

from agent.client import RESEND_AFTER
from config.clock import open_clock
from config.settings import CHECKOUT, Settings
from flows.jobs import Stack as JobStack
from flows.jobs import book_visits, judge_fleet
from reports.fleet import write_fleet_report
from simulator.delivery import FleetSender
from simulator.fleet import Fleet, build_fleet
from simulator.publish import Pace, publish, wait_for_storage
from simulator.truth import write_truth
from storage import tickets, visits
from storage.connection import connect
from storage.information import database_info
from storage.migrate import migrate
from storage.vehicles import register
from vsc.publishing import publishing_agent
from vsc.runtime import mosquitto
from vsc.runtime.errors import AlreadyRunningError
from vsc.runtime.locate import locate
from vsc.runtime.place import state_dir
from vsc.runtime.programs import Addresses, Program, services
from vsc.runtime.progress import Report
from vsc.runtime.stack import Stack
from vsc.scoreboard import IssuedTicket, Problem, Verdict, judge
from vsc.terminal import ERR

RESULTS = CHECKOUT / "var" / "demo"
"""Scoreboard, truth and report, whatever folder the servers need for their data."""
FIRST_DAY = date(2026, 1, 5)


@dataclass(frozen=True, slots=True)
class Scoreboard:
    """What the demo shows; `var/demo/scoreboard.json` has the same."""

    vehicles: int
    samples_published: int
    samples_acked: int
    samples_stored: int
    duplicates: int
    """Rows beyond one per car and time."""
    faults_injected: int
    faults_found_before_failure: int
    median_lead_days: float | None
    tickets: int
    tickets_with_appointment: int
    appointments: int
    false_tickets: int
    timescaledb_version: str | None
    mosquitto_version: str
    seconds: float

    @property
    def shortfalls(self) -> list[str]:
        """What is not as promised, a sentence each; empty if all is well."""
        checks = {
            "not every published sample was acknowledged": self.samples_published == self.samples_acked,
            "not every acknowledged sample is stored": self.samples_acked == self.samples_stored,
            "samples are stored twice": self.duplicates == 0,
            "a fault was not found before its failure": self.faults_found_before_failure == self.faults_injected,
            "there is a ticket for what was not wrong": self.false_tickets == 0,
            "a ticket is not in exactly one appointment": self.tickets == self.tickets_with_appointment,
        }
        return [sentence for sentence, holds in checks.items() if not holds]


def demo_state(settings: Settings) -> Path:
    """The folder of the demo's database, broker and desk."""
    return state_dir(settings.state_dir) / "demo"


def run_demo(
    settings: Settings,
    report: Report,
    *,
    vehicles: int,
    days: int,
    seed: int,
    state: Path | None = None,
    results: Path = RESULTS,
) -> Scoreboard:
    """Run the main job from nothing; what it starts, it stops.

    Args:
        settings: where packages are kept, and servers that run elsewhere.
        report: told how far it is.
        vehicles: how many cars; six of them develop a fault.
        days: how many days they live.
        seed: of everything that is drawn.
        state: folder of the servers' data, emptied first; default: `demo_state`.
        results: folder of scoreboard, truth and report.

    Raises:
        StackError: if a part cannot be had or does not stay up.
        CommandError: if ingest stops storing.
    """
    started = time.monotonic()
    state = state or demo_state(settings)
    root = state_dir(settings.state_dir)
    stack = Stack(settings.model_copy(update={"clock": "data", "state_dir": state}), report, root=root)
    if stack.addresses() is not None:
        raise AlreadyRunningError("a demo is running already")
    shutil.rmtree(state, ignore_errors=True)
    results.mkdir(parents=True, exist_ok=True)
    fleet = build_fleet(vehicles, days, seed, FIRST_DAY)
    with stack.running(migrate, ingest_and_desk) as addresses:
        jobs = JobStack(addresses.database_url, addresses.desk_url, open_clock("data", state), rules=settings.rules)
        published, acked = _live(fleet, f"demo {vehicles} {days} {seed}", jobs, addresses, report)
        write_truth(results / "truth.jsonl", fleet.truth)
        with connect(addresses.database_url) as connection:
            write_fleet_report(connection, jobs.clock, results / "fleet.html")
        stored, duplicates = _stored(addresses.database_url)
        verdict, appointments = _verdict(fleet, addresses)
        timescaledb = database_info(addresses.database_url).timescaledb_version
    scoreboard = Scoreboard(
        vehicles=vehicles,
        samples_published=published,
        samples_acked=acked,
        samples_stored=stored,
        duplicates=duplicates,
        appointments=appointments,
        timescaledb_version=timescaledb,
        mosquitto_version=".".join(map(str, mosquitto.version(locate(root, report).mosquitto))),
        seconds=round(time.monotonic() - started, 1),
        **asdict(verdict),
    )
    (results / "scoreboard.json").write_text(json.dumps(asdict(scoreboard), indent=2) + "\n")
    return scoreboard


def ingest_and_desk(addresses: Addresses, settings: Settings) -> Sequence[Program]:
    """The services that the main job needs; the rest of the stack serves people and schedules."""
    return [program for program in services(addresses, settings) if program.name in {"ingest", "desk"}]


def _live(fleet: Fleet, name: str, jobs: JobStack, addresses: Addresses, report: Report) -> tuple[int, int]:
    """Let the fleet live its days; samples published and samples that have their stored-ack."""
    what = f"Living {fleet.days} days with {len(fleet.vehicles)} cars"
    with connect(addresses.database_url) as connection:
        for vehicle in fleet.vehicles:
            register(connection, vehicle.record)
    sender = FleetSender(name, fleet.start, fleet.troubles)
    broker = addresses.mqtt_host, addresses.mqtt_port
    published, told = 0, set[UUID]()
    with (
        TemporaryDirectory() as folder,
        publishing_agent(Path(folder) / "outbox.sqlite", broker, "demo-fleet", RESEND_AFTER) as agent,
    ):
        for index in range(fleet.days):
            report(what, index / fleet.days)
            published += publish(agent, sender.deliveries(index, fleet.day(index)), Pace(None))
            wait_for_storage(agent)
            judge_fleet(jobs)
            book_visits(jobs)
            told |= _tell_news(jobs, told)
        report(what, 1)
        return published, agent.statistics.samples_acked


def _tell_news(jobs: JobStack, told: AbstractSet[UUID]) -> set[UUID]:
    """Say which tickets have been booked since; their ids."""
    with connect(jobs.database_url) as connection:
        booked = {appointment.visit_id: appointment for appointment in visits.list_appointments(connection)}
        news = [
            ticket
            for ticket in tickets.list_tickets(connection)
            if ticket.ticket_id not in told and ticket.visit_id in booked
        ]
    for ticket in news:
        appointment = booked[ticket.visit_id]
        ERR.print(
            f"{jobs.clock.now():%d %b}  {ticket.vehicle_id}  {ticket.title}: "
            f"{ticket.channel.replace('_', ' ')}, {appointment.place}, {appointment.starts_at:%d %b %H:%M}",
            soft_wrap=True,
        )
    return {ticket.ticket_id for ticket in news}


def _stored(database_url: str) -> tuple[int, int]:
    """Rows in the table, and how many of them are beyond one per car and time."""
    with connect(database_url) as connection:
        row = connection.execute("SELECT count(*), count(DISTINCT (vehicle_id, time)) FROM telemetry").fetchone()
    rows, distinct = row or (0, 0)
    return rows, rows - distinct


def _verdict(fleet: Fleet, addresses: Addresses) -> tuple[Verdict, int]:
    """The tickets held against the truth, with the desk's own word for what is booked; and its appointments."""
    with connect(addresses.database_url) as connection:
        made = tickets.list_tickets(connection)
    appointments = _at_the_desk(addresses.desk_url)
    booked = Counter(ticket["id"] for appointment in appointments for ticket in appointment["tickets"])
    issued = [
        IssuedTicket(
            ticket.vehicle_id, ticket.component, ticket.failure_mode, ticket.created_at, booked[str(ticket.ticket_id)]
        )
        for ticket in made
    ]
    problems = [
        Problem(fault.vehicle_id, fault.component, fault.failure_mode, fault.onset_at, fault.failed_at)
        for fault in fleet.truth.faults
    ]
    return judge(problems, issued), len(appointments)


def _at_the_desk(desk_url: str) -> list[dict[str, Any]]:
    """Every appointment that the desk holds."""
    held: list[dict[str, Any]] = []
    after: int | None = 0
    with httpx.Client(base_url=desk_url, trust_env=False) as desk:
        while after is not None:
            page = desk.get("/api/v1/appointments", params={"after": after}).raise_for_status().json()
            held += [appointment for appointment in page["appointments"] if appointment["status"] == "booked"]
            after = page["next"]
    return held
