"""Appraisals as the page of `reports.fires`: one series of fires per version and view."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Final

from reports.axes import TimeAxis
from reports.fires import FireMark, FirePage, FireRow, FireSeries
from vsc.hindsight.appraisal import Appraisal
from vsc.hindsight.score import Answered, Score

HOUR: Final = timedelta(hours=1)
KNOWN: Final = "As known then, a fire stands at the time at which it was found out."
SHARED: Final = "Several rules may tell of one fault, so all rules together have no share of faults found."


def fire_page(appraisals: Mapping[str, Appraisal], vehicles: int, shift: timedelta, source: str) -> FirePage:
    """The page of one or several appraisals by their labels; those of one only are not shown.

    Args:
        appraisals: of the same history, the one that matters most last.
        vehicles: how many cars the history has.
        shift: the length of one.
        source: where the history is stored, in a few words.
    """
    labels = [label if len(appraisals) > 1 else "" for label in appraisals]
    each = [*zip(labels, appraisals.values(), strict=True)]
    titles = {rule.rule_id: rule.title for _, one in each for rule in one.rules}
    known = any(fire.known_at for _, one in each for fire in one.found.fires)
    latest = each[-1][1]
    return FirePage(
        rows=tuple(
            FireRow(name, title, tuple(_of_rule(label, one, name) for label, one in each))
            for name, title in titles.items()
        ),
        whole=FireRow("All rules", "", tuple(_all(label, one) for label, one in each)),
        axis=TimeAxis(latest.found.span[0], max(one.found.seen_span[1] for _, one in each)),
        vehicles=vehicles,
        vehicle_days=latest.found.vehicle_days,
        samples=latest.found.samples,
        shift_hours=shift / HOUR,
        reference=latest.says or "",
        source=source,
        notes=(*([KNOWN] if known else []), *([SHARED] if latest.says == "truth" else [])),
    )


def _of_rule(label: str, appraisal: Appraisal, name: str) -> FireSeries:
    score = next((one for one in appraisal.scores if one.rule_id == name), None)
    return _series(label, score, appraisal.answered.get(name, ()))


def _all(label: str, appraisal: Appraisal) -> FireSeries:
    return _series(label, appraisal.whole, [one for each in appraisal.answered.values() for one in each])


def _series(label: str, score: Score | None, answered: Sequence[Answered]) -> FireSeries:
    """A rule's series; empty where this version has no such rule."""
    if score is None:
        return FireSeries(label, (), 0.0, (0.0, 0, 0))
    load = score.per_shift
    return FireSeries(
        label,
        tuple(FireMark(one.fire.seen_at, one.fire.vehicle_id, one.answer.value) for one in answered),
        score.alerts_per_vehicle_month,
        (load.mean, load.p95, load.max),
        score.precision,
        score.recall,
        score.faults,
        score.lead_days,
    )
