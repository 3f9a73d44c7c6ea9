"""What is kept quiet: the page that shows all of it, the form that keeps an alert quiet, the one that ends that."""

from datetime import UTC, datetime
from http import HTTPStatus
from typing import Final
from uuid import UUID

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from starlette.exceptions import HTTPException

from console.alerts import others, queue
from console.failures import NotFoundError
from console.forms import Form, filled, remember_author, remembered_author
from console.present import Connection, Database, Present
from console.rendering import page
from features.stays import EVERYTHING
from reports.problems import Problem, read_problem
from reports.quiet import read_held
from storage import held_findings, silences
from storage.silences import SilenceOverError
from tickets.alert import AlertStatus
from tickets.silence import Lift, Silence, SilenceKind, mistake
from vehicle.failure import Component

router = APIRouter(include_in_schema=False)
MOST_OVER: Final = 50
"""Entries that are over, on the page of all."""
WHAT: Final = ("component", "detector")
"""What an alert's form can keep quiet: all that is found of the component, or what the one detector finds."""


@router.get("/silences")
def list_all(request: Request, connection: Database, now: Present) -> HTMLResponse:
    """What is kept quiet now or will be, what that holds back, and what is over."""
    entries = silences.list_silences(connection)
    over = [one for one in entries if one.until <= now]
    return page(
        "silences.html",
        here="silences",
        now=now,
        entries=[one for one in entries if one.until > now],
        over=over[:MOST_OVER],
        over_count=len(over),
        counts=held_findings.counts(connection),
        held=read_held(connection),
        author=remembered_author(request),
        components=list(Component),
        everything=EVERYTHING,
    )


@router.post("/alerts/{alert_id}/silence")
def keep_quiet(connection: Database, now: Present, alert_id: UUID, form: Form) -> Response:
    """Keep an open alert's problem quiet on its car until a day, and go on to the next alert that waits."""
    author, reason, until = filled(form, "author"), filled(form, "reason"), _midnight(filled(form, "until"))
    problem = _open_problem(connection, alert_id)
    what = filled(form, "what")
    detector = problem.finding.detector if problem.finding and what == "detector" else None
    entry = Silence(
        silence_id=0,
        kind=SilenceKind.SUPPRESSION,
        starts_at=now,
        ends_at=until,
        author=author,
        reason=reason,
        created_at=now,
        vehicle_id=problem.alert.vehicle_id,
        detector=detector,
        component=None if detector else problem.alert.component,
    )
    wrong = mistake(entry, now) if what in WHAT else f"“{what}” is nothing that can be kept quiet"
    if wrong is not None:
        raise HTTPException(HTTPStatus.UNPROCESSABLE_ENTITY, f"{wrong[:1].upper()}{wrong[1:]}; nothing was changed.")
    following = others(queue(connection, now), alert_id)
    silences.add(connection, entry)
    response = RedirectResponse(f"/alerts/{next(iter(following), alert_id)}?after={alert_id}", HTTPStatus.SEE_OTHER)
    remember_author(response, author)
    return response


@router.post("/silences/{number}/lift")
def lift(connection: Database, now: Present, number: int, form: Form) -> Response:
    """End an entry now; what it held back is told at the next run of the detectors, if it still holds.

    Of a stay in a workshop the form may say what has been seen to.
    """
    author, reason = filled(form, "author"), filled(form, "reason")
    entry = silences.find(connection, number)
    if entry is None:
        raise NotFoundError("There is no such entry.")
    seen_to = (form["seen_to"],) if form.get("seen_to") else ()
    if seen_to and (entry.kind is not SilenceKind.WORKSHOP or seen_to[0] not in {EVERYTHING, *Component}):
        raise HTTPException(HTTPStatus.UNPROCESSABLE_ENTITY, "No workshop sees to that; nothing was changed.")
    try:
        silences.lift(connection, Lift(number, now, author, reason, seen_to))
    except SilenceOverError:
        raise HTTPException(HTTPStatus.CONFLICT, "The entry is over already; nothing was changed.") from None
    response = RedirectResponse("/silences", HTTPStatus.SEE_OTHER)
    remember_author(response, author)
    return response


def _open_problem(connection: Connection, alert_id: UUID) -> Problem:
    problem = read_problem(connection, alert_id)
    if problem is None:
        raise NotFoundError("There is no such alert.")
    if problem.is_danger:
        raise HTTPException(HTTPStatus.CONFLICT, "Danger is never kept quiet; nothing was changed.")
    if problem.alert.status is not AlertStatus.OPEN:
        raise HTTPException(HTTPStatus.CONFLICT, "The alert is settled already; nothing was changed.")
    return problem


def _midnight(text: str) -> datetime:
    """The beginning of a day as a browser writes it."""
    try:
        return datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC)
    except ValueError:
        raise HTTPException(
            HTTPStatus.UNPROCESSABLE_ENTITY, "The field “until” is no day like 2026-10-09; nothing was changed."
        ) from None
