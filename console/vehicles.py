"""The vehicle pages: what a car is, what it shows, and where nothing is known of it."""

from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

import numpy as np
from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from console.failures import NotFoundError
from console.panels import LATEST, PANELS
from console.present import Connection, Database, Present
from console.rendering import page
from reports.charts import LineChart
from reports.figures import SILENT_AFTER
from reports.problems import Problem, read_problems
from reports.quiet import read_held, read_inhibited
from rules.rule import Rule
from storage import events, ledger, silences, tickets, vehicles
from storage.envelope import latest_values, read_envelope
from storage.gaps import SILENCE, lost_spans, silent_spans
from tickets.alert import AlertStatus
from vehicle.batch import EventKind
from vehicle.finding import Trace
from vehicle.identity import is_vehicle_id
from vehicle.signals import CATALOGUE

router = APIRouter(prefix="/vehicles", include_in_schema=False)
SPANS_DAYS: Final = (1, 7, 30)
"""Lengths of time that the charts offer."""
LOOKED_BACK: Final = timedelta(days=30)
"""For gaps and trouble codes."""
MOST_GAPS: Final = 10
MOST_CODES: Final = 50


@router.get("")
def list_all(connection: Database, now: Present) -> HTMLResponse:
    """Every known car: the silent and the troubled first."""
    contacts = ledger.last_contact(connection)
    troubles: dict[str, list[Problem]] = {}
    for problem in read_problems(connection, with_evidence=False):
        troubles.setdefault(problem.alert.vehicle_id, []).append(problem)
    listed = sorted(
        vehicles.list_vehicles(connection),
        key=lambda vehicle: (-len(troubles.get(vehicle.vehicle_id, ())), vehicle.vehicle_id),
    )
    return page(
        "vehicles.html",
        here="vehicles",
        now=now,
        vehicles=listed,
        contacts=contacts,
        troubles=troubles,
        silent_after=SILENT_AFTER,
    )


@router.get("/{vehicle_id}")
def show(request: Request, connection: Database, now: Present, vehicle_id: str, days: int = 7) -> HTMLResponse:
    """One car; its charts end with what it sent last."""
    vehicle = vehicles.find(connection, vehicle_id) if is_vehicle_id(vehicle_id) else None
    if vehicle is None:
        raise NotFoundError("There is no such vehicle.")
    length = timedelta(days=days if days in SPANS_DAYS else SPANS_DAYS[1])
    contact = ledger.last_contact(connection).get(vehicle_id)
    until = (contact or now) + timedelta(seconds=1)
    problems = read_problems(connection, tuple(AlertStatus), vehicle_id, at=now)
    happened = events.read(connection, vehicle_id, until - LOOKED_BACK, until)
    return page(
        "vehicle.html",
        here="vehicles",
        now=now,
        vehicle=vehicle,
        contact=contact,
        silent_after=SILENT_AFTER,
        problems=problems,
        tickets=tickets.list_tickets(connection, vehicle_id=vehicle_id),
        entries=[one for one in silences.of_vehicle(connection, vehicle) if one.until > now],
        held=read_held(connection, vehicle_id)
        + read_inhibited(connection, vehicle_id, lambda: _rules(connection, request.app.state.rules)),
        latest=latest_values(connection, vehicle_id, LATEST),
        catalogue=CATALOGUE,
        charts=_charts(connection, vehicle_id, until - length, until),
        days=length.days,
        spans=SPANS_DAYS,
        gaps=silent_spans(connection, vehicle_id, until - LOOKED_BACK, SILENCE)[:MOST_GAPS],
        lost=lost_spans(connection, vehicle_id, until - LOOKED_BACK, until)[::-1][:MOST_GAPS],
        codes=[event for event in happened[::-1] if event.kind is EventKind.TROUBLE_CODE][:MOST_CODES],
    )


def _rules(connection: Connection, folder: Path) -> tuple[Rule, ...]:
    # Pandas comes with it: 75 MB that the console hardly ever needs.
    from reports.rules_in_use import rules_in_use  # noqa: PLC0415

    return rules_in_use(connection, folder)


def _charts(connection: Connection, vehicle_id: str, start: datetime, end: datetime) -> list[LineChart]:
    """A chart for every panel that anything was measured of."""
    signals = [signal for panel in PANELS for signal in panel.signals]
    measured = read_envelope(connection, vehicle_id, start, end, signals)
    charts = []
    for panel in PANELS:
        traces = tuple(Trace(label, panel.unit, *measured[signal]) for signal, label in panel.signals.items())
        if any(np.isfinite(trace.values).any() for trace in traces):
            charts.append(LineChart(panel.key, panel.title, traces, panel.unit, span=(start, end), height=150))
    return charts
