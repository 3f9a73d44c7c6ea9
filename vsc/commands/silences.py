"""``vsc silences``: what is kept quiet, by whom, why and until when."""

from dataclasses import asdict
from getpass import getuser
from typing import TYPE_CHECKING, Annotated, Any

import typer

from vehicle.failure import Component
from vsc.commands.entry import AuthorOption, FromOption, ReasonOption, known, known_vehicle, refuse_mistake, scope
from vsc.context import Context, load_context
from vsc.failure import CommandError, WrongCallError
from vsc.moments import moment, moment_or_span
from vsc.terminal import OUT, JsonOption, print_facts, print_json, print_rows

if TYPE_CHECKING:
    from rules.rule import Rule

app = typer.Typer(
    no_args_is_help=True,
    help="What is kept quiet for a while: list, show, held, add, lift. Findings are stored all the same; what still "
    "holds when an entry ends is raised then. Danger is never kept quiet.",
)

NumberArgument = Annotated[int, typer.Argument(metavar="NUMBER", help="Of the entry, as `vsc silences list` shows it.")]


@app.command(name="list")
def list_(
    *,
    every: Annotated[bool, typer.Option("--all", help="Those that are over, too.")] = False,
    vehicle: Annotated[str | None, typer.Option(help="For one car, its model's and all cars' included.")] = None,
    as_json: JsonOption = False,
) -> None:
    """List what is kept quiet now or will be, with who said so, why and until when."""
    from storage.connection import connect
    from storage.held_findings import counts
    from storage.silences import list_silences, of_vehicle

    context = load_context()
    now = context.clock.now()
    with connect(context.database_url) as connection:
        entries = of_vehicle(connection, known_vehicle(connection, vehicle)) if vehicle else list_silences(connection)
        held = counts(connection)
    listed = [entry for entry in entries if every or entry.until > now]
    rows = [{**asdict(entry), "until": entry.until, "held": held.get(entry.silence_id, 0)} for entry in listed]
    if not as_json:
        rows = [_brief(row) for row in rows]
    print_rows(rows, as_json=as_json, empty="Nothing is kept quiet.")


@app.command()
def show(number: NumberArgument, *, as_json: JsonOption = False) -> None:
    """Show an entry, its end, and what became of every finding that it held back."""
    from storage.connection import connect
    from storage.held_findings import list_held

    with connect(load_context().database_url) as connection:
        entry = _find(connection, number)
        held = list_held(connection, silence_id=number)
    rows = [
        {
            "observed_at": one.finding.observed_at,
            "vehicle_id": one.finding.vehicle_id,
            "detector": one.finding.detector,
            "outcome": one.outcome or "held",
            "evidence": one.finding.evidence.summary,
        }
        for one in held
    ]
    if as_json:
        print_json({"entry": entry, "held": rows})
        return
    print_facts({**asdict(entry), "until": entry.until}, as_json=False)
    print_rows(rows, as_json=False, empty="It has held nothing back.")


@app.command()
def held(
    *,
    vehicle: Annotated[str | None, typer.Option(help="Of one car: then also what its rules inhibit.")] = None,
    as_json: JsonOption = False,
) -> None:
    """List what is found and not told: why did no alert come?"""
    from reports.quiet import read_held, read_inhibited
    from storage.connection import connect

    context = load_context()
    with connect(context.database_url) as connection:
        car = known_vehicle(connection, vehicle).vehicle_id if vehicle else None
        kept = read_held(connection, car)
        kept += read_inhibited(connection, car, lambda: _rules(connection, context)) if car else []
    rows: list[dict[str, Any]] = [
        {
            "vehicle_id": one.vehicle_id,
            "detector": one.detector,
            "failure_mode": one.failure_mode,
            "since": one.since,
            "kept_quiet_by": f"entry {one.silence.silence_id}" if one.silence else ", ".join(one.inhibited_by),
            "until": one.silence.until if one.silence else None,
            "author": one.silence.author if one.silence else None,
            "reason": one.silence.reason if one.silence else "those rules say it more plainly",
            "evidence": one.summary,
        }
        for one in kept
    ]
    print_rows(rows, as_json=as_json, empty="Nothing is held back.")


@app.command()
def add(
    *,
    to: Annotated[str, typer.Option("--to", help="Until when, exclusive: a time, or a span from its start like 14 d.")],
    reason: ReasonOption,
    vehicle: Annotated[str | None, typer.Option(help="Of one car, by pseudonym or VIN.")] = None,
    model: Annotated[str | None, typer.Option(help="Of all cars of a model.")] = None,
    rule: Annotated[str | None, typer.Option(help="What one rule or model finds, by its id.")] = None,
    component: Annotated[str | None, typer.Option(help="What is found of one component.")] = None,
    start: FromOption = None,
    author: AuthorOption = "",
    as_json: JsonOption = False,
) -> None:
    """Keep something quiet for a while: of one car, a model or all; of one rule, one component or all.

    For example, for a car whose sensor is known to be wrong, and for a fleet in a cold week:

    vsc silences add --vehicle car-3 --rule tyre_far_below_others --to "14 d" --reason "sensor rl is on order"

    vsc silences add --model Kombi --component tyre --to 2026-02-01 --reason "cold snap, owners are told"
    """
    from storage.connection import connect
    from storage.silences import add as store
    from tickets.silence import Silence, SilenceKind

    _one_of("--vehicle", vehicle, "--model", model)
    _one_of("--rule", rule, "--component", component)
    if not (vehicle or model or rule or component):
        raise WrongCallError("name what is to be quiet: --vehicle or --model, and --rule or --component")
    context = load_context()
    now = context.clock.now()
    starts_at = moment(start, "--from") if start else now
    with connect(context.database_url) as connection:
        car = known_vehicle(connection, vehicle).vehicle_id if vehicle else None
        entry = Silence(
            silence_id=0,
            kind=SilenceKind.SUPPRESSION if car else SilenceKind.SILENCE,
            starts_at=starts_at,
            ends_at=moment_or_span(to, "--to", starts_at),
            author=author or getuser(),
            reason=reason,
            created_at=now,
            vehicle_id=car,
            model=known(model, _models(connection), "model") if model else None,
            detector=known(rule, _detectors(connection, context), "rule") if rule else None,
            component=known(component, {*Component}, "component") if component else None,
        )
        refuse_mistake(entry, now)
        stored = store(connection, entry)
    if as_json:
        print_json(stored)
    else:
        OUT.print(f"Entry {stored.silence_id}: {scope(asdict(stored))}, until {stored.until:%Y-%m-%d %H:%M} UTC.")


@app.command()
def lift(
    number: NumberArgument,
    *,
    reason: ReasonOption,
    seen_to: Annotated[
        list[str] | None,
        typer.Option(help="What the workshop has seen to: a component, or all; ends rules that are latched there."),
    ] = None,
    author: AuthorOption = "",
) -> None:
    """End an entry before its time, or say afterwards what a workshop has seen to; both are kept."""
    from features.stays import EVERYTHING
    from storage.connection import connect
    from storage.silences import SilenceOverError
    from storage.silences import lift as store
    from tickets.silence import Lift, SilenceKind

    if not reason.strip():
        raise WrongCallError("--reason must say something")
    done = tuple(known(one, {EVERYTHING, *Component}, "component") for one in seen_to or ())
    context = load_context()
    with connect(context.database_url) as connection:
        entry = _find(connection, number)
        if done and entry.kind is not SilenceKind.WORKSHOP:
            raise WrongCallError(f"entry {number} is no stay in a workshop: --seen-to is for those")
        try:
            store(connection, Lift(number, context.clock.now(), author or getuser(), reason, done))
        except SilenceOverError as error:
            raise CommandError(str(error)) from None
        ended = _find(connection, number)
    OUT.print(f"Entry {number} ends {ended.until:%Y-%m-%d %H:%M} UTC; the next `vsc diagnose` goes by it.")


def _find(connection: Any, number: int) -> Any:
    from storage.silences import find

    found = find(connection, number)
    if found is None:
        raise CommandError(f"there is no entry {number}; `vsc silences list --all` shows those that are")
    return found


def _one_of(one: str, first: object, other: str, second: object) -> None:
    if first and second:
        raise WrongCallError(f"{one} and {other} are two ways to say it: take one")


def _models(connection: Any) -> set[str]:
    from storage.vehicles import list_vehicles

    return {vehicle.model for vehicle in list_vehicles(connection) if vehicle.model}


def _detectors(connection: Any, context: Context) -> set[str]:
    from flows.diagnose import all_detectors

    return {detector.name for detector in all_detectors(_rules(connection, context))}


def _rules(connection: Any, context: Context) -> "tuple[Rule, ...]":
    from reports.rules_in_use import rules_in_use
    from rules.loader import RuleError

    try:
        return rules_in_use(connection, context.rules)
    except RuleError as error:
        raise CommandError(str(error)) from None


def _brief(row: dict[str, Any]) -> dict[str, Any]:
    shown = ("starts_at", "until", "held", "author", "reason")
    return {"entry": row["silence_id"], "quiet": scope(row), **{name: row[name] for name in shown}}
