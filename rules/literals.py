"""Numbers with units and spans of time as rule files write them: `12.2 V`, `-1.5 kPa/d`, `36 h`."""

import re
from datetime import timedelta
from types import MappingProxyType
from typing import Final

_QUANTITY: Final = re.compile(r"\s*([+-]?\d+(?:\.\d+)?)\s*(\S.*?)?\s*")
SPANS: Final = MappingProxyType(
    {"min": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(weeks=1)}
)


class LiteralError(ValueError):
    """The text is no quantity or span; the message says how to write one."""


def quantity(text: object, unit: str) -> float:
    """The number in a text like `12.2 V`, whose unit must be `unit`.

    Raises:
        LiteralError: if it is not a number with that unit.
    """
    number, found = _split(text, f"12.5 {unit}")
    if found != unit:
        raise LiteralError(f"{text!s} is in {found or 'no unit'}, not in {unit}")
    return number


def span(text: object) -> timedelta:
    """The duration in a text like `36 h`.

    Raises:
        LiteralError: if it is not a length of time.
    """
    number, unit = _split(text, "36 h")
    if unit not in SPANS or number < 0:
        raise LiteralError(f"{text!s} is no span of time: write it in {', '.join(SPANS)}, like 36 h")
    try:
        return number * SPANS[unit]
    except OverflowError:
        raise LiteralError(f"{text!s} is longer than any history") from None


def _split(text: object, example: str) -> tuple[float, str]:
    match = _QUANTITY.fullmatch(text) if isinstance(text, str) else None
    if match is None:
        raise LiteralError(f"{text!s} is no number with a unit: write it like {example}")
    return float(match[1]), match[2] or ""
