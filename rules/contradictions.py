"""Names what is wrong with a rule as a whole, each field by itself being right."""

from itertools import pairwise
from typing import Final

from rules.language.tree import Comparison, Number, Relation, Series, Source
from rules.language.walk import series_of, walk
from rules.reader import Reader
from rules.rule import Rule, Schedule
from vehicle.signals import CATALOGUE, SignalKind

_ORDERED: Final = (Relation.LESS, Relation.AT_MOST, Relation.GREATER, Relation.AT_LEAST)


def name_contradictions(reader: Reader, rule: Rule) -> None:
    """Take note of all that contradicts itself."""
    _check_exit(reader, rule)
    _check_ladder(reader, rule)
    _check_ranges(reader, rule)
    if rule.rule_id in rule.inhibited_by:
        reader.complain("inhibited_by", "inhibited_by: a rule cannot inhibit itself")
    if rule.schedule is not Schedule.DAILY and any(one.source is Source.FEATURE for one in series_of(rule.when)):
        reader.complain("schedule", "schedule: features are known once a day: write daily")


def _check_exit(reader: Reader, rule: Rule) -> None:
    if rule.until == rule.when:
        reader.complain("until", "until is the same as when: the rule would end where it begins")
    gauge = rule.gauge
    if gauge and gauge.leave is not None and gauge.beyond(gauge.leave, gauge.enter):
        reader.complain("until", "until lies beyond when: the rule would end where it begins")


def _check_ladder(reader: Reader, rule: Rule) -> None:
    for lower, upper in pairwise(rule.ladder):
        if upper.severity <= lower.severity:
            reader.complain("ladder", "ladder does not climb: each step is worse than the last")
        thresholds = (lower.threshold, upper.threshold)
        if rule.gauge and None not in thresholds and not rule.gauge.beyond(thresholds[1] or 0, thresholds[0] or 0):
            reader.complain("ladder", "ladder does not climb: each step lies beyond the last")


def _check_ranges(reader: Reader, rule: Rule) -> None:
    """A signal is never found outside what its sensor can show."""
    for key, condition in (("when", rule.when), ("until", rule.until), ("valid_when", rule.valid_when)):
        for node in walk(condition) if condition else ():
            match node:
                case Comparison(left=Series() as series, right=Number(value=value)) if (
                    node.relation in _ORDERED and series.source is not Source.FEATURE
                ):
                    _check_range(reader, key, series, value)


def _check_range(reader: Reader, key: str, series: Series, value: float) -> None:
    signal = CATALOGUE[series.members[0]]
    if signal.kind is not SignalKind.ENUMERATION and not signal.minimum <= value <= signal.maximum:
        reach = f"{signal.minimum:g} to {signal.maximum:g} {signal.unit}".strip()
        reader.complain(key, f"{key}: {series.name} goes from {reach}, so this says nothing")
