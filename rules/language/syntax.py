"""An expression as it is written: names and operators with their places, nothing looked up yet."""

from dataclasses import dataclass


class ExpressionError(Exception):
    """A text is no expression; the message says why and how to mend it."""

    def __init__(self, at: int, text: str) -> None:
        super().__init__(text)
        self.at = at


@dataclass(frozen=True, slots=True)
class Literal:
    """A number with the unit it is written in; empty: none."""

    number: float
    unit: str
    at: int
    """Characters from the beginning of the text, as in every node."""


@dataclass(frozen=True, slots=True)
class Name:
    """A signal, a group, a feature, a state, a value of an enumeration, or a mistake."""

    text: str
    at: int


@dataclass(frozen=True, slots=True)
class Quoted:
    """A text in quotation marks: a trouble code."""

    text: str
    at: int


@dataclass(frozen=True, slots=True)
class Call:
    """A function and what it is applied to."""

    name: str
    arguments: tuple["Syntax", ...]
    at: int


@dataclass(frozen=True, slots=True)
class Operation:
    """An operator and what stands around it; ``in`` has the name to the left and all those in parentheses."""

    operator: str
    operands: tuple["Syntax", ...]
    at: int
    """Of the operator."""


Syntax = Literal | Name | Quoted | Call | Operation


def start(node: Syntax) -> int:
    """Where an expression begins."""
    if isinstance(node, Operation):
        return min(node.at, start(node.operands[0]))
    return node.at
