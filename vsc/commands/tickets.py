"""``vsc tickets``: service tickets, and pushing them to the booking desk."""

from dataclasses import asdict
from typing import Annotated, Any

import typer

from vsc.commands.judgement import one_of
from vsc.context import load_context
from vsc.terminal import OUT, JsonOption, print_facts, print_json, print_rows

app = typer.Typer(no_args_is_help=True, help="Service tickets: list, show, push.")

TicketArgument = Annotated[str, typer.Argument(metavar="TICKET", help="Id of a ticket; its first digits are enough.")]


@app.command(name="list")
def list_(
    *,
    vehicle: Annotated[str | None, typer.Option(help="Of one car.")] = None,
    as_json: JsonOption = False,
) -> None:
    """List the tickets with their appointments."""
    from storage.connection import connect
    from storage.tickets import list_tickets
    from storage.visits import list_appointments

    with connect(load_context().database_url) as connection:
        found = list_tickets(connection, vehicle_id=vehicle)
        booked = {appointment.visit_id: appointment for appointment in list_appointments(connection)}
    rows: list[dict[str, Any]] = []
    for ticket in found:
        appointment = booked.get(ticket.visit_id)
        rows.append(
            {
                **asdict(ticket),
                "appointment_at": appointment.starts_at if appointment else None,
                "place": appointment.place if appointment else None,
            }
        )
    if not as_json:
        rows = [_brief(row) for row in rows]
    print_rows(rows, as_json=as_json, empty="There is no ticket.")


@app.command()
def show(ticket_id: TicketArgument, *, as_json: JsonOption = False) -> None:
    """Show a ticket, its appointment and every step it has taken."""
    from storage.connection import connect
    from storage.tickets import list_tickets, transitions
    from storage.visits import find_appointment

    with connect(load_context().database_url) as connection:
        ticket = one_of(list_tickets(connection), ticket_id, lambda each: each.ticket_id, "ticket")
        steps = transitions(connection, ticket.ticket_id)
        appointment = find_appointment(connection, ticket.visit_id)
    if as_json:
        print_json({"ticket": ticket, "appointment": appointment, "steps": steps})
        return
    print_facts(asdict(ticket), as_json=False)
    if appointment is not None:
        print_facts(asdict(appointment), as_json=False)
    print_rows([asdict(step) for step in steps], as_json=False, empty="It has taken no step.")


@app.command()
def push(*, as_json: JsonOption = False) -> None:
    """Send what waits for the booking desk; exit code 1 if something was refused for good."""
    from flows.jobs import book_visits

    summary = book_visits(load_context().jobs)
    print_facts(asdict(summary), as_json=as_json)
    if summary.halted:
        OUT.print(f"Stopped early: {summary.halted}")
    if summary.dead or summary.halted:
        raise typer.Exit(1)


def _brief(row: dict[str, Any]) -> dict[str, Any]:
    shown = ("vehicle_id", "title", "channel", "severity", "state", "due_at", "appointment_at", "place")
    return {"ticket": str(row["ticket_id"])[:8], **{name: row[name] for name in shown}}
