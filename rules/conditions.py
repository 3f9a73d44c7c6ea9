"""Reads the expressions of a rule, which must all speak of the same parts of a car."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from itertools import chain
from typing import Final

from rules.language.functions import WindowFunction
from rules.language.kind import Form
from rules.language.tree import (
    Absent,
    And,
    Code,
    CodeCount,
    Comparison,
    Expression,
    Group,
    InState,
    Number,
    Over,
    Relation,
    Series,
    Since,
)
from rules.language.units import PLAIN
from rules.language.vocabulary import GROUPS
from rules.language.walk import group_of, look_back, series_of, walk
from rules.reader import Reader
from rules.rule import Latch, Latching, Part
from rules.span import read_span

UNREADABLE: Final[Expression] = And(())
"""Stands for an expression that cannot be read; the rule that holds it never leaves the reader."""


@dataclass(frozen=True, slots=True)
class Conditions:
    """All expressions of one rule."""

    when: Expression
    until: Expression
    valid_when: Expression | None
    rungs: tuple[Expression, ...]
    """Of the ladder, from its second step on."""
    latch: Latch
    part: Part | None

    def every(self) -> Iterator[Expression]:
        """Each of them."""
        optional = (self.valid_when, self.latch.exposure, self.part.number if self.part else None)
        return chain((self.when, self.until), self.rungs, (one for one in optional if one is not None))

    @property
    def group(self) -> Group | None:
        """Whose members are judged each by itself."""
        return group_of(self.when)

    @property
    def look_back(self) -> timedelta:
        """The longest time that any of them looks back."""
        return max(map(look_back, self.every()))


def read_conditions(reader: Reader, rungs: tuple[Reader, ...]) -> Conditions:
    """The expressions of a rule, and of its ladder's steps after the first."""
    when = _condition(reader, "when")
    if when is not UNREADABLE and not any(_speaks_of_the_car(node) for node in walk(when)):
        reader.complain("when", "when names no signal, feature, state or trouble code")
    conditions = Conditions(
        when=when,
        until=_condition(reader, "until"),
        valid_when=_valid_when(reader, when),
        rungs=tuple(_condition(rung, "when") for rung in rungs),
        latch=_latch(reader) if reader.has("latching") else Latch(),
        part=_part(reader) if reader.has("part") else None,
    )
    if when is not UNREADABLE:
        for key, condition in (("until", conditions.until), ("valid_when", conditions.valid_when)):
            _check_parts(reader, key, condition, conditions.group)
        for rung, condition in zip(rungs, conditions.rungs, strict=True):
            _check_parts(rung, "when", condition, conditions.group)
        _check_parts(reader, "latching", conditions.latch.exposure, conditions.group)
        if conditions.part and conditions.group:
            reader.complain("part", f"part: when speaks of each {conditions.group.name}, which names it: leave it out")
    return conditions


def _check_parts(reader: Reader, key: str, condition: Expression | None, group: Group | None) -> None:
    """A condition beside `when` speaks of the same parts, or of the car."""
    other = group_of(condition) if condition is not None else None
    if other and other != group:
        whose = f"each {group.name}" if group else "the car as a whole"
        reader.complain(key, f"{key} speaks of each {other.name}, when of {whose}: take any_of, max_of or the like")


def _condition(reader: Reader, key: str) -> Expression:
    typed = reader.expression(key)
    return UNREADABLE if typed is None else typed.expression


def _speaks_of_the_car(node: Expression) -> bool:
    return isinstance(node, Series | InState | Since | Code | CodeCount | Absent)


def _valid_when(reader: Reader, when: Expression) -> Expression | None:
    """`valid_when`, and that so many values are known as `min_data` asks for."""
    needed = [_condition(reader, "valid_when")] if reader.has("valid_when") else []
    if reader.has("min_data"):
        table = reader.inner("min_data")
        least, within = table.whole("values", least=1), read_span(table, "within")
        table.finish()
        counts = (Over(WindowFunction.COUNT, series, within) for series in series_of(when))
        needed += [Comparison(Relation.AT_LEAST, count, Number(float(least))) for count in counts]
    if len(needed) > 1:
        return And(tuple(needed))
    return needed[0] if needed else None


def _latch(reader: Reader) -> Latch:
    if reader.table["latching"] == Latching.WORKSHOP:
        return Latch(Latching.WORKSHOP)
    table = reader.inner("latching", "is neither `workshop` nor a table of `exposure` and `for`")
    if not table.table:
        return Latch()
    latch = Latch(Latching.EXPOSURE, _condition(table, "exposure"), read_span(table, "for"), table.plain("exposure"))
    table.finish()
    return latch


def _part(reader: Reader) -> Part:
    """Which part a rule on the car as a whole means."""
    table = reader.inner("part")
    group = table.named("group", GROUPS)
    typed = table.expression("number", Form.NUMBER)
    table.finish()
    if typed and typed.kind.unit != PLAIN:
        table.complain("number", f"number: this is {typed.kind}, which numbers nothing")
    if typed and typed.kind.group:
        table.complain("number", f"number: this is of each {typed.kind.group.name}: take argmin_of or the like")
    return Part(group, UNREADABLE if typed is None else typed.expression, table.plain("number"))
