"""A function of the language: what it takes, what it means, and how a call of it becomes a node of the tree."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Final, Protocol

from rules.language.kind import Typed
from rules.language.syntax import Call, ExpressionError, Syntax, start
from rules.language.tree import Number, Series
from rules.language.units import SECOND

LONGEST: Final = timedelta(days=366)
"""No window reaches further back."""


class Checking(Protocol):
    """What turns an argument into a typed tree, and takes note of mistakes."""

    def check(self, node: Syntax) -> Typed | None:
        """The typed tree of a node; None after a mistake."""


Build = Callable[[Call, Checking], Typed | None]


@dataclass(frozen=True, slots=True)
class Function:
    """One function."""

    parameters: tuple[str, ...]
    meaning: str
    """One phrase for the documentation."""
    build: Build
    optional: int = 0
    """So many parameters at the end may be left out."""

    @property
    def least(self) -> int:
        """How many arguments it needs."""
        return len(self.parameters) - self.optional


def window(node: Syntax, checking: Checking) -> timedelta:
    """A literal length of time."""
    found = checking.check(node)
    if found is None or not isinstance(found.expression, Number) or not found.kind.unit.fits(SECOND):
        raise ExpressionError(
            start(node), "a window is a length of time, like 36 h; for the greatest of parts see max_of"
        )
    seconds = found.expression.value * found.kind.unit.scale
    if not 0 < seconds <= LONGEST.total_seconds():
        raise ExpressionError(start(node), f"the window is not between 0 and {LONGEST.days} d")
    return timedelta(seconds=seconds)


def series(node: Syntax, checking: Checking, function: str) -> Typed | None:
    """A signal, group or feature by its name."""
    found = checking.check(node)
    if found and not isinstance(found.expression, Series):
        raise ExpressionError(start(node), f"{function} needs a signal or feature by its name")
    return found
