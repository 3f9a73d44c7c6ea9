"""Expressions in words: what is measured, for a finding's sentence, a chart's label and the documentation."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from features.table import FEATURES
from rules.language.functions import GroupFunction, WindowFunction
from rules.language.tree import (
    Absolute,
    Across,
    Arithmetic,
    Baseline,
    Calculation,
    Clock,
    CodeCount,
    Convert,
    Expression,
    Fact,
    Negative,
    Number,
    Over,
    Series,
    Since,
    Source,
    Where,
)
from vehicle.signals import CATALOGUE

_OVER: Final = {
    WindowFunction.AVG: "mean",
    WindowFunction.MIN: "least",
    WindowFunction.MAX: "greatest",
    WindowFunction.DELTA: "change",
    WindowFunction.SLOPE: "slope",
    WindowFunction.TREND: "proven trend",
    WindowFunction.QUANTILE: "quantile",
    WindowFunction.COUNT: "number",
    WindowFunction.LAST: "latest",
    WindowFunction.TIME_SINCE: "time since the latest",
}
_ACROSS: Final = {
    GroupFunction.MAX: "greatest of",
    GroupFunction.MIN: "least of",
    GroupFunction.MEDIAN: "median of",
    GroupFunction.SPREAD: "spread of",
    GroupFunction.ARGMAX: "number of the part with the greatest",
    GroupFunction.ARGMIN: "number of the part with the least",
    GroupFunction.COUNT: "number of parts of",
    GroupFunction.ANY: "any of",
    GroupFunction.ALL: "all of",
}
_SIGNS: Final = {
    Arithmetic.ADD: "plus",
    Arithmetic.SUBTRACT: "less",
    Arithmetic.MULTIPLY: "times",
    Arithmetic.DIVIDE: "per",
}


def in_words(node: Expression) -> str:
    """What an expression is the value of."""
    words = "condition"
    match node:
        case Series():
            words = _series(node)
        case Convert(operand=operand) | Where(operand=operand):
            words = in_words(operand)
        case Over(function=function, operand=operand, window=window):
            words = f"{_OVER[function]} of {in_words(operand)} over {length(window)}"
        case Across(function=function, operand=operand):
            words = f"{_ACROSS[function]} {in_words(operand)}"
        case Calculation():
            words = _calculation(node)
        case Absolute(operand=operand):
            words = f"size of {in_words(operand)}"
        case Negative(operand=operand):
            words = f"minus {in_words(operand)}"
        case Baseline(series=series):
            words = f"usual {in_words(series)}"
        case Number() | Fact() | Clock() | Since() | CodeCount():
            words = _leaf(node)
        case _:
            pass
    return words


def changed_series(node: Expression) -> Series | None:
    """The series of whose relative change since the first observations an expression is."""
    match node:
        case Convert(operand=operand):
            return changed_series(operand)
        case Calculation(
            operator=Arithmetic.SUBTRACT,
            left=Calculation(operator=Arithmetic.DIVIDE, left=Series() as series, right=Baseline(series=usual)),
            right=Number(value=1.0),
        ) if series == usual:
            return series
        case _:
            return None


def length(span: timedelta) -> str:
    """A span of time as rule files write it."""
    for unit, seconds in (("d", 86_400), ("h", 3600), ("min", 60)):
        if span.total_seconds() % seconds == 0 and (unit != "d" or span.total_seconds()):
            return f"{span.total_seconds() / seconds:g} {unit}"
    return f"{span.total_seconds():g} s"


def _series(node: Series) -> str:
    if node.source is Source.FEATURE:
        return FEATURES[node.name].title
    title = _common([CATALOGUE[member].title for member in node.members])
    return title if title[:2].isupper() else f"{title[0].lower()}{title[1:]}"


def _common(titles: Sequence[str]) -> str:
    """The words that titles of like parts end with: of front left and rear right tyre pressure the last two."""
    words = [title.split() for title in titles]
    same = 0
    while same < min(map(len, words)) and len({tuple(word[-same - 1 :]) for word in words}) == 1:
        same += 1
    return " ".join(words[0][-same:]) if same else titles[0]


def _calculation(node: Calculation) -> str:
    changed = changed_series(node)
    if changed:
        return f"change of {in_words(changed)} since the first observations"
    return f"{in_words(node.left)} {_SIGNS[node.operator]} {in_words(node.right)}"


def _leaf(node: Number | Fact | Clock | Since | CodeCount) -> str:
    match node:
        case Fact(name=name):
            return name.replace("_", " ")
        case Clock():
            return "time"
        case Since(state=state):
            return f"time {state.replace('_', ' ')}"
        case CodeCount(code=code, window=window):
            return f"times {code} was set in {length(window)}"
        case Number(value=value):
            return f"{value:g}"
