"""``vsc diagnose``, ``alerts`` and ``rules``: what the detectors say, and what engineers say to it."""

from dataclasses import asdict, replace
from getpass import getuser
from pathlib import Path
from typing import Annotated, Any

import typer

from vsc.commands.catalogue import RulesOption, rule_folder
from vsc.context import load_context
from vsc.failure import CommandError, WrongCallError
from vsc.moments import moment
from vsc.terminal import OUT, JsonOption, print_facts, print_json, print_rows

alerts = typer.Typer(no_args_is_help=True, help="Open problems: list, show, confirm, dismiss.")
rules = typer.Typer(no_args_is_help=True, help="The rule catalogue.")

AlertArgument = Annotated[str, typer.Argument(metavar="ALERT", help="Id of an alert; its first digits are enough.")]
ReasonOption = Annotated[str, typer.Option(help="Why: kept beside the alert.")]
AuthorOption = Annotated[str, typer.Option(help="Who decides; default: you.")]


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command(rich_help_panel="Judgement")(diagnose)


def diagnose(
    *,
    until: Annotated[str | None, typer.Option(help="Judge no day that ends later (ISO 8601).")] = None,
    rules: RulesOption = None,
    as_json: JsonOption = False,
) -> None:
    """Judge every complete day that has arrived, open alerts, and tickets for what is sure enough."""
    from flows.jobs import judge_fleet
    from rules.loader import RuleError
    from tickets.catalogue import CatalogueError

    latest, folder = moment(until, "--until") if until else None, rule_folder(rules)
    try:
        judged = judge_fleet(replace(load_context().jobs, rules=folder), latest)
    except (RuleError, CatalogueError) as error:
        raise CommandError(str(error)) from None
    if judged.diagnosis.busy:
        OUT.print("Another run is at it.")
    print_facts({**asdict(judged.diagnosis), **asdict(judged.orders)}, as_json=as_json)


@alerts.command(name="list")
def list_(
    *,
    every: Annotated[bool, typer.Option("--all", help="Settled ones too.")] = False,
    vehicle: Annotated[str | None, typer.Option(help="Of one car.")] = None,
    as_json: JsonOption = False,
) -> None:
    """List the open alerts, danger first."""
    from storage.alerts import list_alerts
    from storage.connection import connect
    from storage.silences import over_alerts
    from tickets.alert import AlertStatus
    from tickets.triage import OPEN_STATUSES

    context = load_context()
    with connect(context.database_url) as connection:
        found = list_alerts(connection, tuple(AlertStatus) if every else OPEN_STATUSES, vehicle)
        quiet = over_alerts(connection, found, context.clock.now())
    entries = {alert_id: entry.silence_id for alert_id, entry in quiet.items()}
    rows = [{**asdict(alert), "silence": entries.get(alert.alert_id)} for alert in found]
    if not as_json:
        rows = [_brief(row) for row in rows]
    print_rows(rows, as_json=as_json, empty="No alert is open.")


@alerts.command()
def show(alert_id: AlertArgument, *, as_json: JsonOption = False) -> None:
    """Show an alert with its evidence."""
    from storage.connection import connect
    from storage.findings import find as find_finding
    from storage.silences import over_alerts

    context = load_context()
    with connect(context.database_url) as connection:
        alert = _find(connection, alert_id)
        finding = find_finding(connection, alert.latest_finding_id) if alert.latest_finding_id else None
        silence = over_alerts(connection, [alert], context.clock.now()).get(alert.alert_id)
    if as_json:
        print_json({"alert": alert, "finding": finding, "silence": silence})
        return
    facts = asdict(alert)
    if finding is not None:
        facts |= {
            "detector": finding.detector,
            "evidence": finding.evidence.summary,
            "clears_when": finding.evidence.clears_when,
            "not_known": finding.evidence.missing or None,
        }
    if silence is not None:
        facts["kept_quiet"] = f"until {silence.until:%Y-%m-%d %H:%M} by {silence.author}: {silence.reason}"
    print_facts(facts, as_json=False)


@alerts.command()
def confirm(alert_id: AlertArgument, *, reason: ReasonOption, author: AuthorOption = "") -> None:
    """Say that an alert is true: it gets its ticket at the next `vsc diagnose`, however unsure the detector was."""
    _decide(alert_id, "confirm", reason, author)


@alerts.command()
def dismiss(alert_id: AlertArgument, *, reason: ReasonOption, author: AuthorOption = "") -> None:
    """Say that an alert is untrue."""
    _decide(alert_id, "dismiss", reason, author)


@rules.command()
def check(
    folder: Annotated[Path | None, typer.Argument(help="Folder of rule files; default: VSC_RULES.")] = None,
    *,
    as_json: JsonOption = False,
) -> None:
    """Read rule files and name every mistake by file and line; exit code 1 if there is one."""
    from rules.loader import RuleError, load_rules

    try:
        loaded = load_rules(rule_folder(folder))
    except RuleError as error:
        if as_json:
            print_json({"mistakes": [asdict(mistake) for mistake in error.mistakes]})
            raise typer.Exit(1) from None
        raise CommandError(str(error)) from None
    if as_json:
        print_json({"rules": [rule.rule_id for rule in loaded], "mistakes": []})
    else:
        OUT.print(f"{len(loaded)} rules, no mistakes.")


def _decide(alert_id: str, verdict: str, reason: str, author: str) -> None:
    from storage.connection import connect
    from storage.decisions import Decision, StaleAlertError, Verdict, decide

    if not reason.strip():
        raise WrongCallError("--reason must say something")
    context = load_context()
    with connect(context.database_url) as connection:
        alert = _find(connection, alert_id)
        try:
            decide(
                connection,
                Decision(alert.alert_id, context.clock.now(), author or getuser(), Verdict(verdict), reason),
            )
        except StaleAlertError as error:
            raise CommandError(str(error)) from None
    OUT.print(f"Alert {alert.alert_id} of {alert.vehicle_id}: {verdict}.")


def _find(connection: Any, prefix: str) -> Any:
    from storage.alerts import list_alerts

    return one_of(list_alerts(connection), prefix, lambda alert: alert.alert_id, "alert")


def one_of(found: list[Any], prefix: str, identify: Any, what: str) -> Any:
    """The one whose id starts with `prefix`.

    Raises:
        CommandError: if there is none, or more than one.
    """
    matching = [each for each in found if str(identify(each)).startswith(prefix.lower())]
    if len(matching) != 1:
        raise CommandError(f"{'no' if not matching else 'more than one'} {what} has an id that starts with {prefix}")
    return matching[0]


def _brief(row: dict[str, Any]) -> dict[str, Any]:
    shown = (
        "vehicle_id",
        "component",
        "failure_mode",
        "locations",
        "severity",
        "confidence",
        "status",
        "silence",
        "opened_at",
    )
    return {"alert": str(row["alert_id"])[:8], **{name: row[name] for name in shown}}
