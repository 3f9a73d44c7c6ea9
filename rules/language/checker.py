"""Syntax into a checked tree: names are looked up, units agree, every mistake is told and not only the first.

What cannot be made sense of is `None` to what stands around it, which then says nothing of its own.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Final, TypeVar

from rules.language.agreement import calculated, common_group, compared
from rules.language.calls import CALLS
from rules.language.kind import Form, Kind, Typed, number, truth
from rules.language.parser import parse
from rules.language.suggestion import did_you_mean
from rules.language.syntax import Call, ExpressionError, Literal, Name, Operation, Quoted, Syntax, start
from rules.language.tree import (
    And,
    Arithmetic,
    Comparison,
    Expression,
    Negative,
    Not,
    Number,
    Or,
    Relation,
    Where,
)
from rules.language.units import unit
from rules.language.vocabulary import NAMES
from vehicle.codes import DiagnosticTroubleCode

_T = TypeVar("_T")
_RELATIONS: Final = frozenset(map(str, Relation))


@dataclass(frozen=True, slots=True)
class Checked:
    """What became of a text."""

    typed: Typed | None
    """None if there are mistakes."""
    mistakes: tuple[ExpressionError, ...] = ()


def check(text: str, form: Form = Form.TRUTH) -> Checked:
    """The checked tree of an expression that must have this form."""
    try:
        syntax = parse(text)
    except ExpressionError as error:
        return Checked(None, (error,))
    checker = Checker()
    typed = checker.check(syntax)
    if typed and typed.kind.form is not form:
        wanted = "compare it with something" if form is Form.TRUTH else "leave the comparison out"
        checker.complain(start(syntax), f"this is {typed.kind}, where {form.value} is needed: {wanted}")
    return Checked(None if checker.mistakes else typed, tuple(checker.mistakes))


@dataclass(slots=True)
class Checker:
    """Collects mistakes while it goes through the syntax."""

    mistakes: list[ExpressionError] = field(default_factory=list)

    def complain(self, at: int, text: str) -> None:
        """Take note of a mistake."""
        self.mistakes.append(ExpressionError(at, text))

    def check(self, node: Syntax) -> Typed | None:
        """The typed tree of a node; None after a mistake."""
        match node:
            case Literal():
                return self._literal(node)
            case Name():
                return self._name(node)
            case Quoted():
                self.complain(node.at, 'a text in quotation marks is a trouble code: write code("...", confirmed)')
                return None
            case Call():
                return self._call(node)
            case Operation(operator="in"):
                return self._membership(node)
            case Operation():
                return self._operation(node)

    def _literal(self, node: Literal) -> Typed | None:
        found = unit(node.unit)
        if found is None:
            self.complain(node.at, f"there is no unit {node.unit}")
            return None
        return Typed(Number(node.number), number(found))

    def _name(self, node: Name) -> Typed | None:
        if node.text not in NAMES:
            hint = did_you_mean(node.text, [*NAMES, *CALLS], "docs/signals.md and docs/rules.md list what there is")
            if isinstance(DiagnosticTroubleCode.parse(node.text, 0), DiagnosticTroubleCode):
                hint = f'a trouble code is asked for by code("{node.text}", confirmed)'
            self.complain(node.at, f"there is no {node.text}: {hint}")
        return NAMES.get(node.text)

    def _call(self, node: Call) -> Typed | None:
        call = CALLS.get(node.name)
        if call is None:
            hint = did_you_mean(node.name, CALLS, f"known are {', '.join(CALLS)}")
            self.complain(node.at, f"there is no function {node.name}: {hint}")
            return None
        if not call.least <= len(node.arguments) <= len(call.parameters):
            self.complain(node.at, f"write {node.name}({', '.join(call.parameters)})")
            return None
        return self._guarded(node.at, lambda: call.build(node, self))

    def _operation(self, node: Operation) -> Typed | None:
        if node.operator in _RELATIONS and _names_value(node.operands):
            return self._membership(node)
        operands = [self.check(operand) for operand in node.operands]
        known = [operand for operand in operands if operand]
        if len(known) < len(operands):
            return None
        if node.operator in {"and", "or", "not", "where"} and not self._are_truths(node, known):
            return None
        return self._guarded(node.at, lambda: _combined(node.operator, known))

    def _are_truths(self, node: Operation, operands: list[Typed]) -> bool:
        judged = list(zip(node.operands, operands, strict=True))[node.operator == "where" :]
        wrong = [(syntax, operand) for syntax, operand in judged if operand.kind.form is not Form.TRUTH]
        for syntax, operand in wrong:
            where = f"beside `{node.operator}`"
            self.complain(start(syntax), f"this is {operand.kind}, no condition {where}: compare it with something")
        return not wrong

    def _membership(self, node: Operation) -> Typed | None:
        """Whether a choice is one of the values named."""
        left = self.check(node.operands[0])
        if left is None:
            return None
        if left.kind.form is not Form.CHOICE:
            if node.operator == "in":
                self.complain(node.at, f"this is {left.kind}, which has no named values: compare it with a number")
            else:
                self.check(node.operands[1])
            return None
        if node.operator in {"<", "<=", ">", ">="}:
            self.complain(node.at, "named values have no order: write ==, != or in")
            return None
        negated = node.operator == "!="
        numbers = [self._index(value, left.kind) for value in node.operands[1:]]
        relation = Relation.UNEQUAL if negated else Relation.EQUAL
        tests = tuple(Comparison(relation, left.expression, Number(one)) for one in numbers if one is not None)
        if not tests or len(tests) < len(numbers):
            return None
        return Typed(tests[0] if len(tests) == 1 else Or(tests), truth(left.kind.group))

    def _index(self, value: Syntax, kind: Kind) -> float | None:
        if isinstance(value, Name) and value.text in kind.choices:
            return float(kind.choices.index(value.text))
        what = value.text if isinstance(value, Name) else "this"
        self.complain(start(value), f"{what} is none of {', '.join(kind.choices)}")
        return None

    def _guarded(self, at: int, build: Callable[[], _T]) -> _T | None:
        """What `build` makes; its error is told at its own place, or at this one."""
        try:
            return build()
        except ExpressionError as error:
            self.complain(error.at or at, str(error))
            return None


def _names_value(operands: tuple[Syntax, ...]) -> bool:
    """Whether the right side is no name of its own, as the values of a choice are."""
    right = operands[-1]
    return isinstance(right, Name) and right.text not in NAMES


def _combined(operator: str, operands: list[Typed]) -> Typed:
    group = common_group(*(operand.kind for operand in operands))
    parts: list[Expression] = [operand.expression for operand in operands]
    first = operands[0]
    if operator == "not":
        return Typed(Not(parts[0]), truth(group))
    if operator in {"and", "or"}:
        kind = And if operator == "and" else Or
        return Typed(kind(tuple(flat for part in parts for flat in _flat(kind, part))), truth(group))
    if operator == "where":
        return Typed(Where(parts[0], parts[1]), replace(first.kind, group=group))
    if len(operands) == 1:
        return _negative(first)
    if operator in _RELATIONS:
        return Typed(compared(Relation(operator), operands[0], operands[1]), truth(group))
    return calculated(Arithmetic(operator), operands[0], operands[1])


def _flat(kind: type[And | Or], part: Expression) -> tuple[Expression, ...]:
    return part.operands if isinstance(part, And | Or) and isinstance(part, kind) else (part,)


def _negative(operand: Typed) -> Typed:
    if operand.kind.form is not Form.NUMBER:
        raise ExpressionError(0, f"this is {operand.kind}, which has no negative: write `not`")
    if isinstance(operand.expression, Number):
        return Typed(Number(-operand.expression.value), operand.kind)
    if operand.kind.unit.is_point:
        raise ExpressionError(0, f"a temperature in {operand.kind.unit.text} has no negative: take a difference")
    return Typed(Negative(operand.expression), operand.kind)
