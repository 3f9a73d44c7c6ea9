"""What detectors could not know: findings say which of a car's samples are missing from the time they looked at."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

import psycopg

from features.stays import Span, Stay, spans
from reports.wording import near_time, upper_first
from storage.gaps import SILENCE, Gap, LostSpan, lost_spans, silent_spans
from vehicle.finding import Finding


def name_missing(
    connection: psycopg.Connection[Any], vehicle_id: str, found: Sequence[Finding], stays: Sequence[Stay] = ()
) -> list[Finding]:
    """The findings of one vehicle, each with what is missing from its window, or was left out of it."""
    if not found:
        return []
    start, end = min(one.window_start for one in found), max(one.window_end for one in found)
    lost = lost_spans(connection, vehicle_id, start, end)
    silent = silent_spans(connection, vehicle_id, start, SILENCE)
    left_out = spans(stays)
    return [
        replace(
            one, evidence=replace(one.evidence, missing=in_words(_within(one, lost, silent), _during(one, left_out)))
        )
        for one in found
    ]


def _during(finding: Finding, left_out: Sequence[Span]) -> list[Span]:
    return [span for span in left_out if span[0] < finding.window_end and span[1] > finding.window_start]


def _within(finding: Finding, lost: Sequence[LostSpan], silent: Sequence[Gap]) -> tuple[list[LostSpan], list[Gap]]:
    """What overlaps the finding's window, the earliest first; a silence because of lost batches is not told twice."""
    batches = [span for span in lost if span.start < finding.window_end and span.end >= finding.window_start]
    gaps = [
        gap
        for gap in sorted(silent, key=lambda gap: gap.start)
        if gap.start < finding.window_end
        and gap.end >= finding.window_start
        and not any(span.start < gap.end and gap.start < span.end for span in batches)
    ]
    return batches, gaps


def in_words(missing: tuple[Sequence[LostSpan], Sequence[Gap]], left_out: Sequence[Span] = ()) -> str:
    """One sentence; empty where nothing is missing."""
    lost, silent = missing
    parts = []
    if lost:
        batches = sum(span.batches for span in lost)
        count = "1 batch" if batches == 1 else f"{batches} batches"
        places = "" if len(lost) == 1 else f" in {len(lost)} places"
        parts.append(f"{count} missing{places} {_between(lost[0].start, max(span.end for span in lost))}")
    if silent:
        times = "" if len(silent) == 1 else f" {len(silent)} times"
        parts.append(f"the car was silent{times} {_between(silent[0].start, max(gap.end for gap in silent))}")
    if left_out:
        times = "" if len(left_out) == 1 else f" {len(left_out)} times"
        parts.append(f"the car was in a workshop{times} {_between(left_out[0][0], left_out[-1][1])}")
    return upper_first("; ".join(parts)) + "." if parts else ""


def _between(start: datetime, end: datetime) -> str:
    if start == end:
        return f"before {near_time(end)}"
    same_day = start.date() == end.date()
    return f"between {near_time(start)} and {f'{end:%H:%M}' if same_day else near_time(end)}"
