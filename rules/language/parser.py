"""Text into syntax by precedence.

From loosest to tightest: ``where``, ``or``, ``and``, ``not``, ``< <= > >= == != in``, ``+ -``, ``* /``, a minus sign,
and names, numbers, calls and parentheses.

Errors: `ExpressionError` at the first word that cannot stand where it stands.
"""

from dataclasses import dataclass
from typing import Final

from rules.language.syntax import Call, ExpressionError, Literal, Name, Operation, Quoted, Syntax
from rules.language.tokens import Token, TokenKind, tokens

MAX_DEPTH: Final = 40
"""Parentheses, signs and calls inside each other; what nests deeper is not meant to be read."""

_STRENGTH: Final = {"where": 1, "or": 2, "and": 3, "+": 6, "-": 6, "*": 7, "/": 7}
_RELATIONS: Final = frozenset({"<", "<=", ">", ">=", "==", "!=", "in"})
_NOT, _RELATION, _SIGN = 4, 5, 8


def parse(text: str) -> Syntax:
    """The syntax of one whole expression."""
    parser = _Parser(tokens(text))
    found = parser.expression(0, 0)
    if parser.token.kind is not TokenKind.END:
        raise ExpressionError(parser.token.at, f"{parser.token.text} does not belong here: an operator is missing")
    return found


@dataclass(slots=True)
class _Parser:
    words: list[Token]
    position: int = 0

    @property
    def token(self) -> Token:
        return self.words[self.position]

    def take(self) -> Token:
        """The word at hand; the end stays at hand."""
        token = self.token
        self.position += token.kind is not TokenKind.END
        return token

    def accepts(self, symbol: str) -> bool:
        """Whether the word at hand is this symbol, which is then taken."""
        found = self.token.kind is TokenKind.SYMBOL and self.token.text == symbol
        self.position += found
        return found

    def expect(self, symbol: str, after: str) -> None:
        """Take this symbol."""
        if not self.accepts(symbol):
            found = self.token.text or "the end"
            raise ExpressionError(self.token.at, f"a {symbol} is missing {after}, before {found}")

    def expression(self, strength: int, depth: int) -> Syntax:
        """An expression whose operators bind more tightly than `strength`."""
        if depth > MAX_DEPTH:
            raise ExpressionError(self.token.at, "this is nested too deeply: make two rules of it")
        left = self.prefix(depth + 1)
        while (operator := self.operator()) and self.strength(operator) > strength:
            at = self.take().at
            if operator == "in":
                left = Operation(operator, (left, *self.names()), at)
            else:
                left = Operation(operator, (left, self.expression(self.strength(operator), depth + 1)), at)
            if operator in _RELATIONS and self.operator() in _RELATIONS:
                raise ExpressionError(self.token.at, "a comparison has two sides: join two of them with `and`")
        return left

    def operator(self) -> str:
        """The operator at hand; empty: none is."""
        known = self.token.kind is TokenKind.SYMBOL and self.token.text in {*_STRENGTH, *_RELATIONS}
        return self.token.text if known else ""

    @staticmethod
    def strength(operator: str) -> int:
        """How tightly an operator binds."""
        return _STRENGTH.get(operator, _RELATION)

    def prefix(self, depth: int) -> Syntax:
        """A name, number, text, call, parenthesis, or one with a sign before it."""
        token = self.take()
        match token.kind:
            case TokenKind.NUMBER:
                return Literal(float(token.text), token.unit, token.at)
            case TokenKind.QUOTED:
                return Quoted(token.text, token.at)
            case TokenKind.NAME:
                return self.call(token, depth) if self.accepts("(") else Name(token.text, token.at)
            case TokenKind.END:
                raise ExpressionError(token.at, "the expression ends too early: a value is missing")
        if token.text == "(":
            inner = self.expression(0, depth)
            self.expect(")", "after what began with (")
            return inner
        if token.text in {"-", "not"}:
            return Operation(token.text, (self.expression(_SIGN if token.text == "-" else _NOT, depth),), token.at)
        raise ExpressionError(token.at, f"a value is missing before {token.text}")

    def call(self, name: Token, depth: int) -> Call:
        """The arguments of a function."""
        arguments: list[Syntax] = []
        while not self.accepts(")"):
            if arguments:
                self.expect(",", f"between the arguments of {name.text}, or a )")
            arguments.append(self.expression(0, depth))
        return Call(name.text, tuple(arguments), name.at)

    def names(self) -> tuple[Syntax, ...]:
        """What stands in the parentheses after ``in``."""
        self.expect("(", "after in")
        call = self.call(Token(TokenKind.NAME, "in", self.token.at), MAX_DEPTH)
        return call.arguments
