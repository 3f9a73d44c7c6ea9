"""The words of an expression: numbers with their units, names, texts, operators and punctuation.

Errors: `ExpressionError` at the first character that begins no word.
"""

import re
from dataclasses import dataclass
from enum import Enum
from typing import Final

from rules.language.syntax import ExpressionError
from rules.language.units import SYMBOLS

KEYWORDS: Final = frozenset({"and", "or", "not", "where", "in"})

_NUMBER: Final = re.compile(r"\d+(?:\.\d+)?", re.ASCII)
_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9_]*", re.ASCII)
_UNIT: Final = re.compile(r"\s*(%|1(?=/[A-Za-z])|[A-Za-z][A-Za-z0-9_]*)", re.ASCII)
_BELOW: Final = re.compile(r"/([A-Za-z]+)(?![A-Za-z0-9_(])", re.ASCII)
_QUOTED: Final = re.compile(r"'([^']*)'|\"([^\"]*)\"")
_SYMBOL: Final = re.compile(r"<=|>=|==|!=|[-+*/<>(),]")
_MENDED: Final = {
    "=": "write == for equal",
    "&": "write `and`",
    "|": "write `or`",
    "!": "write `not`, or != for unequal",
    "^": "there are no powers: multiply",
    "[": "a group is named without brackets",
    "°": "temperatures are in degC",
    "Ω": "resistances are in Ohm",
    "µ": "write the unit with a decimal fraction instead",
    "'": "the closing quotation mark is missing",
    '"': "the closing quotation mark is missing",
}


class TokenKind(Enum):
    """What a word is."""

    NUMBER = "number"
    NAME = "name"
    QUOTED = "text"
    SYMBOL = "symbol"
    """An operator, a keyword, a parenthesis or a comma."""
    END = "end"


@dataclass(frozen=True, slots=True)
class Token:
    """One word and where it stands."""

    kind: TokenKind
    text: str
    at: int
    unit: str = ""
    """Of a number."""


def tokens(text: str) -> list[Token]:
    """The words of a text, the last one being its end."""
    found = []
    at = _skip(text, 0)
    while at < len(text):
        token, end = _token(text, at)
        found.append(token)
        at = _skip(text, end)
    return [*found, Token(TokenKind.END, "", len(text))]


def _skip(text: str, at: int) -> int:
    while at < len(text) and text[at].isspace():
        at += 1
    return at


def _token(text: str, at: int) -> tuple[Token, int]:
    if number := _NUMBER.match(text, at):
        unit, end = _unit(text, number.end())
        return Token(TokenKind.NUMBER, number[0], at, unit), end
    if name := _NAME.match(text, at):
        kind = TokenKind.SYMBOL if name[0] in KEYWORDS else TokenKind.NAME
        return Token(kind, name[0], at), name.end()
    if quoted := _QUOTED.match(text, at):
        return Token(TokenKind.QUOTED, quoted[1] or quoted[2] or "", at), quoted.end()
    if symbol := _SYMBOL.match(text, at):
        return Token(TokenKind.SYMBOL, symbol[0], at), symbol.end()
    wrong = text[at]
    raise ExpressionError(at, f"{wrong} means nothing here: {_MENDED.get(wrong, 'leave it out')}")


def _unit(text: str, at: int) -> tuple[str, int]:
    """The unit after a number, as far as its parts are units: ``kPa / x`` is a number in kPa divided by x."""
    first = _UNIT.match(text, at)
    if first is None or first[1] in KEYWORDS:
        return "", at
    unit, end = first[1], first.end()
    if unit not in SYMBOLS and unit != "1":
        near = {name.lower(): name for name in SYMBOLS}.get(unit.lower())
        hint = f"did you mean {near}" if near else f"known are {', '.join(SYMBOLS)}"
        raise ExpressionError(first.start(1), f"there is no unit {unit}: {hint}")
    while (below := _BELOW.match(text, end)) and below[1] in SYMBOLS:
        unit, end = f"{unit}/{below[1]}", below.end()
    return unit, end
