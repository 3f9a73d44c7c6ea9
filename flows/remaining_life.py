"""How long what a rule has found will last, where the rule says what functional failure is."""

from dataclasses import replace

from diagnostics.prognosis import remaining_life
from rules.rule import Rule, Scale
from vehicle.finding import Finding


def with_life(rule: Rule, finding: Finding) -> Finding:
    """A rule's finding with the remaining useful life."""
    limit = rule.limit
    if limit is None or finding.cleared:
        return finding
    course = finding.evidence.traces[0]
    life = remaining_life(course.times, course.values, limit.value, logarithmic=limit.scale is Scale.LOGARITHMIC)
    return replace(finding, remaining_useful_life=life)
