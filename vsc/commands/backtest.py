"""``vsc rules backtest``: what rules would have said, before they are switched on."""

from contextlib import AbstractContextManager, nullcontext
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from vsc.commands.catalogue import RulesOption, chosen, load
from vsc.context import load_context
from vsc.failure import CommandError, WrongCallError
from vsc.moments import moment
from vsc.runtime.progress import progress_bars
from vsc.terminal import ERR, OUT, JsonOption, print_json

if TYPE_CHECKING:
    from vsc.hindsight.appraisal import Appraisal
    from vsc.hindsight.archive import Archive, Part, View

VIEWS = ("final", "known", "both")
HOURS_A_DAY = 24


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command()(backtest)


def backtest(
    history: Annotated[
        Path | None,
        typer.Argument(help="Folder that `vsc simulate --to` has written; default: the stack's database."),
    ] = None,
    *,
    rules: RulesOption = None,
    against: Annotated[Path | None, typer.Option(help="Folder of another version, set beside it.")] = None,
    only: Annotated[list[str] | None, typer.Option("--rule", help="Only this rule; repeatable.")] = None,
    since: Annotated[str | None, typer.Option(help="Judge from this day on (ISO 8601, UTC).")] = None,
    until: Annotated[str | None, typer.Option(help="Judge no day that ends later.")] = None,
    vehicle: Annotated[list[str] | None, typer.Option(help="Only this car; repeatable.")] = None,
    view: Annotated[
        str,
        typer.Option(
            help="final: all samples are known. known: at each full hour what had arrived by then, as `vsc diagnose` "
            "saw it; of the database only. both: beside each other."
        ),
    ] = "final",
    shift: Annotated[int, typer.Option(help="Hours of a shift, of which a day has a whole number.")] = 8,
    plot: Annotated[Path | None, typer.Option(help="Write an HTML page that shows what would have fired.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Run rules over a stored history: when they would have fired, and what that is worth.

    A folder's truth.jsonl says which fires were right. Over the database it
    is what engineers said of the alerts of that time (`vsc alerts confirm`,
    `dismiss`) and what workshops have seen to; precision counts only fires
    of which somebody has said something.

    Set a changed catalogue beside the shipped one, over your own fleet:

      vsc rules backtest --rules mine --against rules/catalogue --view both

    Try rules over a simulated fleet, of which the truth is known:

      vsc simulate --vehicles 200 --days 60 --incidence 50 --to fleet

      vsc rules backtest fleet --plot fires.html
    """
    from flows.history import HistoryError
    from simulator.truth import TruthError
    from vsc.hindsight.archive import Part
    from vsc.hindsight.tables import plain, print_results

    length, views = _shift(shift), _views(view)
    versions = {"after": chosen(load(rules), only)}
    if against is not None:
        versions = {"before": chosen(load(against), only), **versions}
    part = Part(_moment(since, "--since"), _moment(until, "--until"), vehicle)
    try:
        with _opened(history, part, views) as archive:
            results = {
                seen: {
                    label: _appraised(archive, seen, loaded, length, f"Cars, {seen}, {label}")
                    for label, loaded in versions.items()
                }
                for seen in views
            }
            cars = len(archive.vehicles)
    except (HistoryError, TruthError) as error:
        raise CommandError(str(error)) from None
    if plot is not None:
        _draw(plot, results, cars, length, archive.where)
    if as_json:
        print_json(plain(results))
    else:
        print_results(results)
        if plot is not None:
            OUT.print(f"What would have fired: {plot}")


def _shift(hours: int) -> timedelta:
    if hours < 1 or HOURS_A_DAY % hours:
        raise WrongCallError(f"--shift {hours}: expected a number of hours that divides a day, like 8 or 12")
    return timedelta(hours=hours)


def _moment(text: str | None, option: str) -> datetime | None:
    return None if text is None else moment(text, option)


def _views(view: str) -> "list[View]":
    from vsc.hindsight.archive import View

    if view not in VIEWS:
        raise WrongCallError(f"--view {view}: expected {', '.join(VIEWS)}")
    return [*View] if view == "both" else [View(view)]


def _opened(history: Path | None, part: "Part", views: "list[View]") -> "AbstractContextManager[Archive]":
    from vsc.hindsight.archive import View, database_archive, folder_archive

    if history is None:
        context = load_context()
        return database_archive(context.database_url, context.clock.now(), part)
    if View.KNOWN in views:
        raise WrongCallError(
            f"{history} has the final view only: Parquet files do not say when their samples arrived; the database does"
        )
    return nullcontext(folder_archive(history, part))


def _appraised(archive: "Archive", view: "View", loaded: Any, shift: timedelta, what: str) -> "Appraisal":
    from vsc.hindsight.appraisal import appraise

    with progress_bars(ERR) as report:
        found = archive.run(view, loaded, lambda share: report(what, share))
    return appraise(loaded, found, archive.vehicles, archive.reference, shift)


def _draw(plot: Path, results: "dict[View, dict[str, Appraisal]]", cars: int, shift: timedelta, where: str) -> None:
    from reports.fires import write_fire_page
    from vsc.hindsight.page import fire_page

    several = len(results) > 1
    series = {
        f"{label}, {view}" if several and len(versions) > 1 else str(view) if several else label: one
        for view, versions in results.items()
        for label, one in versions.items()
    }
    try:
        write_fire_page(fire_page(series, cars, shift, where), plot)
    except OSError as error:
        raise CommandError(f"{plot} cannot be written: {error}") from None
