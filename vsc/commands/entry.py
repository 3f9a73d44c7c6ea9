"""What commands about entries share: their options, and the cars and names that people mean."""

from collections.abc import Collection
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from rules.language.suggestion import did_you_mean
from vsc.failure import CommandError, WrongCallError

if TYPE_CHECKING:
    import psycopg

    from tickets.silence import Silence
    from vehicle.vehicle import VehicleRecord

ReasonOption = Annotated[str, typer.Option(help="Why: kept beside the entry.")]
AuthorOption = Annotated[str, typer.Option(help="Who says so; default: you.")]
FromOption = Annotated[
    str | None, typer.Option("--from", help="Since when, event time (ISO 8601, UTC); default: the stack's present.")
]


def known_vehicle(connection: "psycopg.Connection[Any]", name: str) -> "VehicleRecord":
    """The registered car with a pseudonym or VIN.

    Raises:
        CommandError: if there is none.
    """
    from storage.vehicles import find, find_vin

    found = find(connection, name) or find_vin(connection, name)
    if found is None:
        raise CommandError(f"no car {name} is registered; `vsc vehicles list` names those that are")
    return found


def refuse_mistake(entry: "Silence", now: datetime) -> None:
    """Let only an entry pass that can be meant.

    Raises:
        WrongCallError: that says why another cannot.
    """
    from tickets.silence import mistake

    wrong = mistake(entry, now)
    if wrong is not None:
        raise WrongCallError(wrong)


def scope(entry: dict[str, Any]) -> str:
    """What an entry keeps quiet, in words."""
    cars = entry["vehicle_id"] or (f"every {entry['model']}" if entry["model"] else "every car")
    what = f"rule {entry['detector']}" if entry["detector"] else entry["component"]
    if entry["kind"] == "workshop":
        return f"{cars} in a workshop"
    return f"{what or 'everything'} of {cars}"


def known(name: str, names: Collection[str], what: str) -> str:
    """A name that must be one of some.

    Raises:
        WrongCallError: if it is not, with the nearest.
    """
    if name in names:
        return name
    near = did_you_mean(name, sorted(names))
    hint = f"{near}?" if near else f"there are {len(names)}, such as {', '.join(sorted(names)[:3])}"
    raise WrongCallError(f"there is no {what} {name}: {hint}")
