"""Why no alert came: what detectors see of a car and nobody is told, with who keeps it quiet and until when."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import psycopg

from rules.engine.inhibition import withheld
from rules.rule import Rule
from storage import detectors, held_findings, silences
from tickets.silence import Silence


@dataclass(frozen=True, slots=True)
class Quiet:
    """One thing that is held back."""

    vehicle_id: str
    component: str
    failure_mode: str
    detector: str
    summary: str
    since: datetime | None = None
    """Event time; None: not known, as of what a rule inhibits."""
    silence: Silence | None = None
    """The entry because of which."""
    inhibited_by: tuple[str, ...] = ()
    """Or the rules because of which."""


def read_held(connection: psycopg.Connection[Any], vehicle_id: str | None = None) -> list[Quiet]:
    """The findings that entries hold back, of one car or of all: the latest first."""
    held = held_findings.list_held(connection, vehicle_id, settled=False)
    entries = {number: silences.find(connection, number) for number in {one.silence_id for one in held}}
    return [
        Quiet(
            finding.vehicle_id,
            finding.component,
            finding.failure_mode,
            finding.detector,
            finding.evidence.summary,
            finding.observed_at,
            entries[one.silence_id],
        )
        for one in held
        for finding in [one.finding]
    ]


def read_inhibited(
    connection: psycopg.Connection[Any], vehicle_id: str, load_rules: Callable[[], Sequence[Rule]]
) -> list[Quiet]:
    """The rules that hold on a car and are kept quiet by others that say the same more plainly.

    The rules are loaded only where there is one.
    """
    place = detectors.find(connection, detectors.DIAGNOSIS, vehicle_id)
    states: Mapping[str, Any] = place.state["states"] if place else {}
    if not any(isinstance(state, dict) and state.get("withheld") for state in states.values()):
        return []
    rules = load_rules()
    kept = withheld(rules, states)
    return [
        Quiet(
            vehicle_id,
            rule.failure_mode.component,
            rule.failure_mode,
            rule.rule_id,
            f"{rule.title}.",
            inhibited_by=kept[rule.rule_id],
        )
        for rule in rules
        if rule.rule_id in kept
    ]
