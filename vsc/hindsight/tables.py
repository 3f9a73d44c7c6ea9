"""Appraisals as a person reads them in a terminal, and as a script does."""

from collections.abc import Mapping
from typing import Any

from vsc.hindsight.appraisal import Appraisal
from vsc.hindsight.archive import View
from vsc.hindsight.score import Score, beside
from vsc.terminal import OUT, print_rows

Results = Mapping[View, Mapping[str, Appraisal]]
"""By view and version: ``after``, and ``before`` if two are set beside each other."""


def plain(results: Results) -> dict[str, Any]:
    """By view if there are both, and by version if there are two."""
    views = {
        str(view): versions["after"].plain()
        if len(versions) == 1
        else {label: one.plain() for label, one in versions.items()}
        for view, versions in results.items()
    }
    return views if len(views) > 1 else next(iter(views.values()))


def print_results(results: Results) -> None:
    """Print a table per view, and what is to be said of all rules together."""
    for view, versions in results.items():
        if len(results) > 1:
            OUT.print(f"{'All samples known' if view == 'final' else 'As known then'}:", style="bold")
        after = versions["after"]
        if "before" in versions:
            rows = beside(versions["before"].scores, after.scores)
        else:
            rows = _filled([_brief(one) for one in after.scores])
        print_rows(rows, as_json=False, empty="There are no rules.")
        for label, one in versions.items():
            _print_whole(f"{label.capitalize()}: " if len(versions) > 1 else "", one)


def _brief(one: Score) -> dict[str, Any]:
    """What of a score has room in a terminal."""
    return {
        "rule": one.rule_id,
        "fires": one.fires,
        "cars": one.vehicles,
        "true": one.true_fires,
        "precision": one.precision,
        "faults": one.faults,
        "recall": one.recall,
        "lead_days": one.lead_days,
        "on_confounders": one.on_confounders,
        "a_vehicle_month": one.alerts_per_vehicle_month,
        "a_shift": one.per_shift.mean,
        "busiest_shift": one.per_shift.max,
        "no_verdict": one.without_verdict or None,
        "taken_back": one.taken_back,
    }


def _filled(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The rows without the columns in which none of them has anything."""
    names = [name for name in rows[0] if any(row[name] is not None for row in rows)] if rows else []
    return [{name: row[name] for name in names} for row in rows]


def _print_whole(label: str, one: Appraisal) -> None:
    """The sentences under the table."""
    score, load = one.whole, one.whole.per_shift
    OUT.print(
        f"{label}{score.fires} fires on {score.vehicles} cars in {one.found.vehicle_days} vehicle-days; a shift sees "
        f"{load.mean:.2g} on average, 19 of 20 shifts {load.p95} or fewer, the busiest {load.max}."
    )
    if one.says == "verdicts":
        OUT.print(
            f"From verdicts of engineers and workshops, not from the truth: nobody has said anything of "
            f"{score.without_verdict} of the {score.fires} fires."
        )
    if score.delay_hours is not None:
        OUT.print(
            f"Known {score.delay_hours:.3g} hours after the event time (median); {score.taken_back} were taken back, "
            "as what arrived later did not bear them out."
        )
