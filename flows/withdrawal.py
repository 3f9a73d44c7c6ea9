"""Claims that nobody stands by any more: they are taken back, by a finding that says why."""

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime

from vehicle.finding import Finding


def withdrawn(stored: Sequence[Finding], found: Sequence[Finding], span: tuple[datetime, datetime]) -> list[Finding]:
    """The end of every claim of a span that does not hold any more, now that all of the span was judged again.

    Args:
        stored: all claims about a car so far, in the order of event time.
        found: what is found in the span now.
        span: half open.
    """
    start, end = span
    earlier = [one for one in stored if one.observed_at < start]
    # What was taken back before says so as of the end of what was judged then.
    known = [one for one in stored if one.observed_at < end or (one.cleared and one.observed_at == end)]
    told = {one.detector: one for one in known}
    true = {one.detector: one for one in (*earlier, *found)}
    return [
        _taken_back(one, end, "What has become known since does not bear this out")
        for name, one in told.items()
        if not one.cleared and not _is_borne_out(one, true.get(name))
    ]


def _is_borne_out(claim: Finding, latest: Finding | None) -> bool:
    """Whether a claim still holds, or has an end of its own, going by the latest that its detector says now."""
    return latest is not None and (not latest.cleared or latest.observed_at > claim.observed_at)


def abandoned(stored: Sequence[Finding], detectors: Collection[str], at: datetime) -> list[Finding]:
    """The end of every claim of a detector that is at work no more, and so could not see its end.

    Args:
        stored: all claims about a car so far, in the order of event time.
        detectors: those at work.
        at: until when they have judged.
    """
    latest = {one.detector: one for one in stored if one.observed_at <= at}
    return [
        _taken_back(one, at, "The rule that said so is no longer in use")
        for name, one in latest.items()
        if name not in detectors and not one.cleared
    ]


def _taken_back(finding: Finding, at: datetime, why: str) -> Finding:
    evidence = replace(finding.evidence, summary=f"{why}: {finding.evidence.summary}")
    return replace(finding, cleared=True, observed_at=at, window_end=at, evidence=evidence)
