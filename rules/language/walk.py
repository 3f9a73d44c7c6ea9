"""Questions about a whole tree: which series it needs, how far back it looks, whose parts it speaks of."""

from collections.abc import Iterator
from datetime import timedelta

from rules.language.functions import GroupFunction, WindowFunction
from rules.language.tree import (
    Absent,
    Absolute,
    Across,
    And,
    Baseline,
    Calculation,
    Code,
    CodeCount,
    Comparison,
    Convert,
    Expression,
    Group,
    InState,
    Negative,
    Not,
    Or,
    Over,
    Series,
    Since,
    Where,
)


def children(node: Expression) -> tuple[Expression, ...]:
    """The expressions that a node is made of."""
    match node:
        case Calculation(left=left, right=right) | Comparison(left=left, right=right):
            return (left, right)
        case And(operands=operands) | Or(operands=operands):
            return operands
        case Where(operand=operand, condition=condition):
            return (operand, condition)
        case Absent(series=series) | Baseline(series=series):
            return (series,)
        case (
            Convert(operand=operand)
            | Negative(operand=operand)
            | Absolute(operand=operand)
            | Not(operand=operand)
            | Over(operand=operand)
            | Across(operand=operand)
        ):
            return (operand,)
        case _:
            return ()


def walk(node: Expression) -> Iterator[Expression]:
    """The node and all below it, from the left."""
    yield node
    for child in children(node):
        yield from walk(child)


def series_of(node: Expression) -> tuple[Series, ...]:
    """Every series the tree needs, once each, from the left."""
    return tuple(dict.fromkeys(one for one in walk(node) if isinstance(one, Series)))


def look_back(node: Expression) -> timedelta:
    """How long before a sample the samples lie on which its value can rest; baselines and trouble codes are state."""
    inner = max((look_back(child) for child in children(node)), default=timedelta())
    return inner + (node.window if isinstance(node, Over | Since | CodeCount | Absent) else timedelta())


def group_of(node: Expression) -> Group | None:
    """The group whose members the value is told of; None: the car as a whole."""
    if isinstance(node, Series):
        return node.group
    if isinstance(node, Across):
        return None
    return next((group for child in children(node) if (group := group_of(child))), None)


def is_truth(node: Expression) -> bool:
    """Whether the value is a truth rather than a number."""
    match node:
        case Comparison() | Not() | And() | Or() | InState() | Code() | Absent():
            return True
        case Series(truth=truth):
            return truth
        case Where(operand=operand):
            return is_truth(operand)
        case Over(function=function, operand=operand):
            kept = (WindowFunction.MIN, WindowFunction.MAX, WindowFunction.LAST)
            return function in kept and is_truth(operand)
        case Across(function=function):
            return function in (GroupFunction.ANY, GroupFunction.ALL)
        case _:
            return False
