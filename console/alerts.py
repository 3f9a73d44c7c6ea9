"""The alert pages: all that decides whether it is true, and the form that settles it."""

from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Final
from uuid import UUID

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from starlette.exceptions import HTTPException

from console.failures import NotFoundError
from console.forms import Form, filled, remember_author, remembered_author
from console.present import Connection, Database, Present
from console.rendering import page
from reports.evidence import evidence_charts, score_chart
from reports.problems import problems_of, read_problem, read_problems
from storage import alerts, decisions, findings, vehicles
from storage.decisions import Decision, StaleAlertError, Verdict
from tickets.alert import AlertStatus

router = APIRouter(prefix="/alerts", include_in_schema=False)
CLOSED: Final = (AlertStatus.DISMISSED, AlertStatus.RESOLVED)
MOST_CLOSED: Final = 100
"""Alerts that are over, on the list of all."""
QUIET_FOR: Final = timedelta(days=14)
"""For how long the form for keeping quiet proposes."""


@router.get("")
def list_all(connection: Database, now: Present) -> HTMLResponse:
    """The open alerts, and those that were settled last."""
    closed = sorted(alerts.list_alerts(connection, CLOSED), key=lambda alert: alert.last_seen_at, reverse=True)
    return page(
        "alerts.html",
        here="alerts",
        now=now,
        open=read_problems(connection, at=now),
        closed=problems_of(connection, closed[:MOST_CLOSED]),
        closed_count=len(closed),
    )


@router.get("/{alert_id}")
def show(
    request: Request, connection: Database, now: Present, alert_id: UUID, after: UUID | None = None
) -> HTMLResponse:
    """One alert; `after` is the one that was settled just before."""
    problem = read_problem(connection, alert_id, now)
    if problem is None:
        raise NotFoundError("There is no such alert.")
    alert = problem.alert
    history = findings.of_problem(connection, alert.vehicle_id, alert.component, alert.failure_mode, alert.opened_at)
    return page(
        "alert.html",
        here="alerts",
        now=now,
        problem=problem,
        charts=evidence_charts(problem, now, "evidence", height=210),
        scores=score_chart(history, "scores"),
        history=history[::-1],
        vehicle=vehicles.find(connection, alert.vehicle_id),
        decisions=decisions.of_alert(connection, alert_id),
        settled=read_problem(connection, after, now) if after else None,
        others=others(queue(connection, now), alert_id),
        author=remembered_author(request),
        quiet_until=f"{now + QUIET_FOR:%Y-%m-%d}",
    )


@router.post("/{alert_id}/{verdict}")
def settle(connection: Database, now: Present, alert_id: UUID, verdict: Verdict, form: Form) -> Response:
    """Confirm or dismiss an alert, and go on to the next one that waits."""
    author, reason = filled(form, "author"), filled(form, "reason")
    if alerts.find(connection, alert_id) is None:
        raise NotFoundError("There is no such alert.")
    following = others(queue(connection, now), alert_id)
    try:
        decisions.decide(connection, Decision(alert_id, now, author, verdict, reason))
    except StaleAlertError:
        raise HTTPException(HTTPStatus.CONFLICT, "The alert is settled already; nothing was changed.") from None
    target = next(iter(following), alert_id)
    response = RedirectResponse(f"/alerts/{target}?after={alert_id}", HTTPStatus.SEE_OTHER)
    remember_author(response, author)
    return response


def queue(connection: Connection, now: datetime) -> list[UUID]:
    """The alerts that wait for a decision, in the order they should be read; those kept quiet wait for nobody."""
    waiting = read_problems(connection, (AlertStatus.OPEN,), with_evidence=False, at=now)
    return [problem.alert.alert_id for problem in waiting if problem.silence is None]


def others(waiting: list[UUID], alert_id: UUID) -> list[UUID]:
    """What waits beside one alert, beginning with what comes after it."""
    place = waiting.index(alert_id) if alert_id in waiting else -1
    return waiting[place + 1 :] + waiting[: max(place, 0)]
