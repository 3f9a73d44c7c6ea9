"""What the pages show, as JSON below ``/api/v1``: names as in the domain, times in ISO 8601 UTC, severity as a word."""

from typing import Any
from uuid import UUID

import msgspec
from fastapi import APIRouter
from fastapi.responses import Response

from console.failures import NotFoundError
from console.overview import read_freshness
from console.present import Database, Present
from reports.problems import Problem, read_problem, read_problems
from storage import decisions, held_findings, ledger, outbox, quarantine, silences, tickets, vehicles, visits
from storage.evidence import evidence_to_json
from tickets.alert import AlertStatus
from tickets.ticket import ServiceTicket, TicketState
from vehicle.identity import is_vehicle_id
from vehicle.vehicle import VehicleRecord

router = APIRouter(prefix="/api/v1", tags=["service centre"])


@router.get("/alerts", summary="Alerts, the most urgent first; without a status the open ones")
def list_alerts(connection: Database, now: Present, status: AlertStatus | None = None) -> Response:
    """The alerts of one status, or those that are not over."""
    listed = read_problems(connection, (status,), at=now) if status else read_problems(connection, at=now)
    return _json([_problem(problem) for problem in listed])


@router.get("/alerts/{alert_id}", summary="One alert with its evidence, its traces and the decisions")
def show_alert(connection: Database, now: Present, alert_id: UUID) -> Response:
    """One alert, as complete as its page."""
    problem = read_problem(connection, alert_id, now)
    if problem is None:
        raise NotFoundError("There is no such alert.")
    finding = problem.finding
    evidence = evidence_to_json(finding.evidence) if finding else None
    settled = decisions.of_alert(connection, alert_id)
    return _json({**_problem(problem), "evidence": evidence, "decisions": settled})


@router.get("/tickets", summary="Service tickets, the first due first")
def list_tickets(connection: Database, state: TicketState | None = None) -> Response:
    """The tickets in one state, or all."""
    return _json([_ticket(t) for t in tickets.list_tickets(connection, (state,) if state else tuple(TicketState))])


@router.get("/tickets/{ticket_id}", summary="One ticket with its steps, visit, appointment and booking messages")
def show_ticket(connection: Database, ticket_id: UUID) -> Response:
    """One ticket, as complete as its page."""
    ticket = tickets.find(connection, ticket_id)
    if ticket is None:
        raise NotFoundError("There is no such ticket.")
    messages = [
        {key: value for key, value in _fields(message).items() if key != "body"}
        for message in outbox.of_visit(connection, ticket.visit_id)
    ]
    return _json(
        {
            **_ticket(ticket),
            "steps": tickets.transitions(connection, ticket_id),
            "visit": visits.find(connection, ticket.visit_id),
            "appointment": visits.find_appointment(connection, ticket.visit_id),
            "messages": messages,
        }
    )


@router.get("/vehicles", summary="Known vehicles and when they were last heard of")
def list_vehicles(connection: Database) -> Response:
    """Every known vehicle."""
    contacts = ledger.last_contact(connection)
    listed = vehicles.list_vehicles(connection)
    return _json([{**_vehicle(v), "last_contact_at": contacts.get(v.vehicle_id)} for v in listed])


@router.get("/vehicles/{vehicle_id}", summary="One vehicle with its open alerts and tickets")
def show_vehicle(connection: Database, now: Present, vehicle_id: str) -> Response:
    """One vehicle; its samples are not part of this answer."""
    vehicle = vehicles.find(connection, vehicle_id) if is_vehicle_id(vehicle_id) else None
    if vehicle is None:
        raise NotFoundError("There is no such vehicle.")
    return _json(
        {
            **_vehicle(vehicle),
            "last_contact_at": ledger.last_contact(connection).get(vehicle_id),
            "alerts": [_problem(problem) for problem in read_problems(connection, vehicle_id=vehicle_id, at=now)],
            "tickets": [_ticket(t) for t in tickets.list_tickets(connection, vehicle_id=vehicle_id)],
        }
    )


@router.get("/silences", summary="What is kept quiet now or will be, and how many findings each entry holds back")
def list_silences(connection: Database, now: Present) -> Response:
    """The entries that are not over, the last to end first."""
    counts = held_findings.counts(connection)
    listed = silences.list_silences(connection, now)
    return _json([{**_fields(one), "until": one.until, "held": counts.get(one.silence_id, 0)} for one in listed])


@router.get("/quarantine", summary="How many messages could not be stored, by reason")
def count_quarantine(connection: Database) -> Response:
    """The counts by reason, repetitions included."""
    return _json(quarantine.counts(connection))


@router.get("/freshness", summary="How much of the fleet is heard of, and how recent the data is")
def freshness(connection: Database, now: Present) -> Response:
    """The figures of the first page."""
    return _json({"now": now, **_fields(read_freshness(connection, now))})


def _json(content: Any) -> Response:
    return Response(msgspec.json.encode(content), media_type="application/json")


def _fields(record: Any) -> dict[str, Any]:
    fields: dict[str, Any] = msgspec.to_builtins(record)
    return fields


def _problem(problem: Problem) -> dict[str, Any]:
    alert = problem.alert
    return {
        **_fields(alert),
        "severity": alert.severity.name.lower(),
        "summary": problem.finding.evidence.summary if problem.finding else None,
        "failure_expected": problem.failure,
        "silence": problem.silence,
        "ticket_id": problem.ticket.ticket_id if problem.ticket else None,
        "appointment": problem.appointment,
    }


def _ticket(ticket: ServiceTicket) -> dict[str, Any]:
    return {**_fields(ticket), "severity": ticket.severity.name.lower()}


def _vehicle(vehicle: VehicleRecord) -> dict[str, Any]:
    """Without the VIN, which stays in the registry."""
    return {key: value for key, value in _fields(vehicle).items() if key != "vin"}
