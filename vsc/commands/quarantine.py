"""``vsc quarantine``: what arrived and was not stored, and storing it after all."""

import json
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from vehicle.rejection import RejectionReason
from vsc.context import load_context
from vsc.failure import CommandError, WrongCallError
from vsc.terminal import OUT, JsonOption, print_facts, print_json, print_rows

if TYPE_CHECKING:
    from storage.quarantine import QuarantineEntry, Selection

app = typer.Typer(no_args_is_help=True, help="What arrived and could not be stored: list, show, replay.")

ReasonOption = Annotated[RejectionReason | None, typer.Option(help="Refused for this reason.")]
VehicleOption = Annotated[str | None, typer.Option(metavar="ID", help="Of one car.")]
_PREVIEW_BYTES: Final = 512
_PREVIEW_CHARACTERS: Final = 4000
_LONGEST_OFFSET: Final = timedelta(days=200 * 366)


@app.command(name="list")
def list_(
    *,
    reason: ReasonOption = None,
    vehicle: VehicleOption = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="At most so many, the latest.")] = 50,
    as_json: JsonOption = False,
) -> None:
    """List what is kept, the latest first; one line for the same bytes refused for the same reason."""
    from storage.connection import connect
    from storage.quarantine import Selection, entries

    with connect(load_context().database_url) as connection:
        found = entries(connection, limit, Selection(reason=reason, vehicle_id=vehicle))
    rows = [_facts(entry) for entry in found]
    if not as_json:
        shown = ("id", "last_received_at", "count", "vehicle_id", "reason", "bytes", "detail")
        rows = [{name: row[name] for name in shown} for row in rows]
    print_rows(rows, as_json=as_json, empty="Nothing is in quarantine.")


@app.command()
def show(
    entry_id: Annotated[int, typer.Argument(metavar="ID", help="As the list tells it.")],
    *,
    raw: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the bytes as they came; they may hold a VIN.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Show one entry with what it says; with the beginning of its bytes where they cannot be read."""
    from storage.connection import connect
    from storage.quarantine import Selection, entries
    from vsc.payloads import decoded, hexdump

    with connect(load_context().database_url) as connection:
        found = entries(connection, 1, Selection(ids=[entry_id]))
    if not found:
        raise CommandError(f"no entry {entry_id} is in quarantine")
    (entry,) = found
    if raw is not None:
        raw.write_bytes(entry.payload)
    says = decoded(entry.payload, entry.content_type)
    dump = [] if says is not None else hexdump(entry.payload, _PREVIEW_BYTES)
    if as_json:
        print_json({**_facts(entry), "says": says, "begins_with": dump})
        return
    print_facts(_facts(entry), as_json=False)
    text = json.dumps(says, indent=1) if says is not None else "\n".join(dump)
    OUT.print(text[:_PREVIEW_CHARACTERS], markup=False, soft_wrap=True)
    if len(text) > _PREVIEW_CHARACTERS or len(entry.payload) > _PREVIEW_BYTES > len(dump) > 0:
        OUT.print("... (--json shows all that can be read, --raw writes the bytes)", markup=False)


@app.command()
def replay(
    ids: Annotated[list[int] | None, typer.Argument(metavar="[ID]...", help="As the list tells them.")] = None,
    *,
    reason: ReasonOption = None,
    vehicle: VehicleOption = None,
    everything: Annotated[bool, typer.Option("--all", help="All that is in quarantine.")] = False,
    clock_offset: Annotated[
        float | None,
        typer.Option(
            metavar="SECONDS", help="To be added to times before 2000, which a clock showed that was not set."
        ),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Find out what would be stored, and store nothing.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Store what can be stored by today's rules, once; exit code 1 if something of it stays in quarantine."""
    import numpy as np

    from ingest.foreign_replay import ForeignReader
    from ingest.replay import Replay
    from ingest.validation import TimeLimits
    from storage.connection import connect
    from vehicle.foreign_address import ForeignTopics

    which = _selection(ids, reason, vehicle, everything=everything)
    context = load_context()
    settings = context.settings
    limits = TimeLimits(settings.late_limit, settings.future_limit, by_sender=settings.clock == "data")
    with connect(context.database_url, application="vsc quarantine replay", autocommit=True) as connection:
        _demand(connection, ids)
        topics = ForeignTopics(settings.tesla_topic_base, settings.ovms_topic_prefix)
        foreign = ForeignReader(connection, topics, np.random.default_rng())
        offset = _offset(clock_offset, ids)
        result = Replay(connection, limits, clock_offset=offset, dry_run=dry_run, foreign=foreign).run(which)
    if result.newest is not None and not dry_run:
        context.clock.advance(result.newest)
    facts = {
        "stored": result.stored,
        "in_part": result.in_part,
        "left": result.left,
        "reasons": {reason.value: count for reason, count in result.kept.items()},
        "foreign": result.foreign,
        "samples": result.samples,
        "events": result.events,
        "dry_run": dry_run,
    }
    print_facts(facts, as_json=as_json)
    if result.in_part or result.left:
        raise typer.Exit(1)


def _selection(
    ids: list[int] | None, reason: RejectionReason | None, vehicle: str | None, *, everything: bool
) -> "Selection":
    from storage.quarantine import EVERYTHING, Selection

    named = bool(ids) or reason is not None or vehicle is not None
    if named == everything:
        raise WrongCallError("name entries by id, --reason or --vehicle, or all of them by --all")
    return EVERYTHING if everything else Selection(ids or None, reason, vehicle)


def _offset(seconds: float | None, ids: list[int] | None) -> timedelta:
    if seconds is None:
        return timedelta(0)
    if not ids or not 0 < seconds <= _LONGEST_OFFSET.total_seconds():
        raise WrongCallError("--clock-offset is of entries named by id, and more than 0 seconds")
    return timedelta(seconds=seconds)


def _demand(connection: Any, ids: list[int] | None) -> None:
    from storage.quarantine import Selection, entries

    there = {entry.id for entry in entries(connection, len(ids), Selection(ids=ids))} if ids else set()
    missing = [str(each) for each in ids or () if each not in there]
    if missing:
        raise CommandError(f"not in quarantine: {', '.join(missing)}")


def _facts(entry: "QuarantineEntry") -> dict[str, Any]:
    from vsc.payloads import escaped

    facts = asdict(entry) | {"bytes": len(entry.payload), "sha256": entry.sha256.hex(), "reason": entry.reason.value}
    facts.pop("payload")
    return {
        name: escaped(value) if isinstance(value, str) and name != "sha256" else value for name, value in facts.items()
    }
