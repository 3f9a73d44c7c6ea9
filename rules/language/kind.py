"""What sort of value an expression has: a number in a unit, a truth, or one of some named values."""

from dataclasses import dataclass
from enum import StrEnum

from rules.language.tree import Expression, Group
from rules.language.units import PLAIN, Unit


class Form(StrEnum):
    """The three sorts; the values are the words for them in messages."""

    NUMBER = "a number"
    TRUTH = "true or false"
    CHOICE = "one of a list of values"


@dataclass(frozen=True, slots=True)
class Kind:
    """A form, with what belongs to it."""

    form: Form
    unit: Unit = PLAIN
    """Of a number."""
    group: Group | None = None
    """Whose members have one value each."""
    choices: tuple[str, ...] = ()
    """The names of the values of a choice; an expression's number is the index into them."""

    def __str__(self) -> str:
        """The kind in the words of a message."""
        if self.form is Form.NUMBER:
            return f"a number in {self.unit.text}" if self.unit.text else "a number without unit"
        return str(self.form.value)


@dataclass(frozen=True, slots=True)
class Typed:
    """A checked expression and its kind."""

    expression: Expression
    kind: Kind


def number(unit: Unit, group: Group | None = None) -> Kind:
    """The kind of a number."""
    return Kind(Form.NUMBER, unit, group)


def truth(group: Group | None = None) -> Kind:
    """The kind of a truth."""
    return Kind(Form.TRUTH, PLAIN, group)
