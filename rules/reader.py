"""Reads the fields of one table of a rule file, and takes note of every one that is wrong."""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import Enum
from typing import Any, TypeVar

from rules.language.checker import check
from rules.language.kind import Form, Typed
from rules.language.suggestion import did_you_mean
from rules.language.units import Unit
from rules.literals import LiteralError, quantity, span
from rules.nodes import Place, Table, Text

_E = TypeVar("_E", bound=Enum)
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Mistake:
    """One thing wrong with one file."""

    file: str
    line: int
    column: int
    rule_id: str
    """Empty where the rule cannot be told."""
    text: str
    """What is wrong, and where it is not plain, how to mend it."""

    def __str__(self) -> str:
        subject = f"{self.rule_id}: " if self.rule_id else ""
        return f"{self.file}:{self.line}:{self.column}: {subject}{self.text}"


@dataclass(slots=True)
class Reader:
    """A table being read; fields that are missing or wrong give a placeholder and a mistake."""

    table: Table
    file: str
    rule_id: str
    mistakes: list[Mistake]
    _asked: set[str] = field(default_factory=set)

    def complain(self, key: str, text: str) -> None:
        """Take note of a mistake at a key."""
        self.complain_at(self.table.place_of(key), text)

    def complain_at(self, at: Place, text: str) -> None:
        """Take note of a mistake at a place of the file."""
        self.mistakes.append(Mistake(self.file, at.line, at.column, self.rule_id, text))

    def has(self, key: str) -> bool:
        """Whether an optional field is there."""
        self._asked.add(key)
        return key in self.table

    def text(self, key: str) -> str:
        """A field that is a non-empty text."""
        value = self._value(key)
        if isinstance(value, str) and value.strip():
            return " ".join(value.split())
        return self._wrong(key, "is not a text", "")

    def texts(self, key: str, known: Collection[str] | None = None) -> tuple[str, ...]:
        """A field that is a list of texts, each one of `known` where that is given."""
        values = self._value(key)
        if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
            return self._wrong(key, "is not a list of names", ())
        for value in values:
            if known is not None and value not in known:
                near = did_you_mean(value, known)
                at = value.place(0) if isinstance(value, Text) else self.table.place_of(key)
                self.complain_at(at, f"{key}: there is no {value}{f': {near}' if near else ''}")
        return tuple(map(str, values))

    def flag(self, key: str) -> bool:
        """A field that is true or false."""
        value = self._value(key)
        return value if isinstance(value, bool) else self._wrong(key, "is not true or false", False)

    def whole(self, key: str, least: int) -> int:
        """A field that is a whole number of at least `least`."""
        value = self._value(key)
        if isinstance(value, int) and not isinstance(value, bool) and value >= least:
            return value
        return self._wrong(key, f"is not a whole number from {least}", least)

    def share(self, key: str) -> float:
        """A field that is a number from 0 to 1."""
        value = self._value(key)
        if isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 1:
            return float(value)
        return self._wrong(key, "is not a number from 0 to 1", 0.0)

    def expression(self, key: str, form: Form = Form.TRUTH) -> Typed | None:
        """A field that is an expression of this form; None after a mistake, each told at its own place."""
        value = self._value(key)
        if not isinstance(value, Text) or not value.strip():
            return self._wrong(key, "is not an expression: write it like lv_rest_voltage < 12.4 V", None)
        checked = check(value, form)
        for mistake in checked.mistakes:
            self.complain_at(value.place(mistake.at), f"{key}: {mistake}")
        return checked.typed

    def quantity(self, key: str, unit: Unit) -> float:
        """A field that is a number with a unit, in this unit."""
        return self._literal(key, lambda value: quantity(value, unit), 0.0)

    def span(self, key: str) -> timedelta:
        """A field that is a length of time."""
        return self._literal(key, span, timedelta())

    def choice(self, key: str, kind: Iterable[_E]) -> _E:
        """A field that names a member of an enumeration, or of several, by its value or in lower case by its name."""
        value = self._value(key)
        members = tuple(kind)
        for member in members:
            if value in (member.value, member.name.lower()) and isinstance(value, str):
                return member
        names = [str(member.value) if isinstance(member.value, str) else member.name.lower() for member in members]
        return self._none_of(key, names, members[0])

    def named(self, key: str, things: Mapping[str, _T]) -> _T:
        """A field that names one of some things."""
        value = self._value(key)
        if isinstance(value, str) and value in things:
            return things[value]
        return self._none_of(key, things, next(iter(things.values())))

    def plain(self, key: str) -> str:
        """A field as it is written, in one line; empty if it is no text."""
        value = self._value(key)
        return " ".join(value.split()) if isinstance(value, str) else ""

    def inner(self, key: str, otherwise: str = "is not a table") -> "Reader":
        """A field that is a table."""
        value = self._value(key)
        if not isinstance(value, Table):
            self._wrong(key, otherwise, None)
            value = None
        return self.within(value if value is not None else Table(self.table.place_of(key)))

    def inners(self, key: str) -> list["Reader"]:
        """A field that is a list of tables, at least one."""
        values = self._value(key)
        if not isinstance(values, list) or not values or not all(isinstance(value, Table) for value in values):
            return self._wrong(key, "is not a list of tables", [])
        return [self.within(value) for value in values]

    def within(self, table: Table) -> "Reader":
        """A reader of a table inside this one."""
        return Reader(table, self.file, self.rule_id, self.mistakes)

    def finish(self) -> None:
        """Complain of every field that nobody asked for."""
        for key in self.table:
            if key not in self._asked:
                hint = did_you_mean(key, self._asked, f"known are {', '.join(sorted(self._asked))}")
                self.complain(key, f"{key} is no field here: {hint}")

    def _value(self, key: str) -> Any:
        self._asked.add(key)
        return self.table.get(key)

    def _literal(self, key: str, read: Callable[[object], _T], placeholder: _T) -> _T:
        value = self._value(key)
        if value is None:
            return self._wrong(key, "", placeholder)
        try:
            return read(value)
        except LiteralError as error:
            self.complain(key, f"{key}: {error}")
            return placeholder

    def _none_of(self, key: str, names: Iterable[str], placeholder: _T) -> _T:
        value, known = self._value(key), list(names)
        near = did_you_mean(str(value), known)
        return self._wrong(key, f"is no {value}: {near}" if near else f"is none of {', '.join(known)}", placeholder)

    def _wrong(self, key: str, text: str, placeholder: _T) -> _T:
        self.complain(key, f"{key} {text}" if key in self.table else f"{key} is missing")
        return placeholder
