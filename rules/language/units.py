"""Units: what may be added to what, and by which factor one becomes the other.

Two units go together if their dimensions agree. A temperature in degC is a point on a scale: it can be compared with
another one and subtracted from it, which gives K, a difference; nothing else can be done with it.
"""

import re
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Final

Dimension = tuple[int, int, int, int, int]
"""Exponents of kg, m, s, A and K."""


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit and what it is made of."""

    text: str
    """As rule files and people write it; empty: a plain number."""
    dimension: Dimension
    scale: float
    """So many of the SI unit of the dimension."""
    is_point: bool = False
    """A point on a scale with an origin of its own, as degC."""

    def fits(self, other: "Unit") -> bool:
        """Whether values of both may be compared, added and subtracted after a conversion."""
        return self.dimension == other.dimension and self.is_point == other.is_point

    def times(self, other: "Unit") -> "Unit":
        """The unit of a product."""
        text = "*".join(part for part in (self.text, other.text) if part)
        return Unit(text, _added(self.dimension, other.dimension, 1), self.scale * other.scale)

    def per(self, other: "Unit") -> "Unit":
        """The unit of a quotient."""
        if self.text == other.text:
            return PLAIN
        below = f"({other.text})" if set(other.text) & set("*/") else other.text
        text = f"{self.text or 1}/{below}" if below else self.text
        return Unit(text, _added(self.dimension, other.dimension, -1), self.scale / other.scale)

    def difference(self) -> "Unit":
        """The unit of the difference of two values: K of degC."""
        return KELVIN if self.is_point else self


def _added(left: Dimension, right: Dimension, sign: int) -> Dimension:
    kg, m, s, a, k = (one + sign * other for one, other in zip(left, right, strict=True))
    return (kg, m, s, a, k)


_NONE: Final[Dimension] = (0, 0, 0, 0, 0)
_TIME: Final[Dimension] = (0, 0, 1, 0, 0)
_VOLTAGE: Final[Dimension] = (1, 2, -3, -1, 0)
_RESISTANCE: Final[Dimension] = (1, 2, -3, -2, 0)
_PRESSURE: Final[Dimension] = (1, -1, -2, 0, 0)
_ENERGY: Final[Dimension] = (1, 2, -2, 0, 0)
_POWER: Final[Dimension] = (1, 2, -3, 0, 0)

PLAIN: Final = Unit("", _NONE, 1.0)
PERCENT: Final = Unit("%", _NONE, 0.01)
KELVIN: Final = Unit("K", (0, 0, 0, 0, 1), 1.0)
SECOND: Final = Unit("s", _TIME, 1.0)
DAY: Final = Unit("d", _TIME, 86_400.0)

SYMBOLS: Final = MappingProxyType(
    {
        unit.text: unit
        for unit in (
            PERCENT,
            KELVIN,
            replace(KELVIN, text="degC", is_point=True),
            Unit("ms", _TIME, 0.001),
            SECOND,
            Unit("min", _TIME, 60.0),
            Unit("h", _TIME, 3600.0),
            DAY,
            Unit("w", _TIME, 604_800.0),
            Unit("mV", _VOLTAGE, 0.001),
            Unit("V", _VOLTAGE, 1.0),
            Unit("mA", (0, 0, 0, 1, 0), 0.001),
            Unit("A", (0, 0, 0, 1, 0), 1.0),
            Unit("Ah", (0, 0, 1, 1, 0), 3600.0),
            Unit("mOhm", _RESISTANCE, 0.001),
            Unit("Ohm", _RESISTANCE, 1.0),
            Unit("kOhm", _RESISTANCE, 1e3),
            Unit("MOhm", _RESISTANCE, 1e6),
            Unit("Pa", _PRESSURE, 1.0),
            Unit("kPa", _PRESSURE, 1e3),
            Unit("bar", _PRESSURE, 1e5),
            Unit("Nm", _ENERGY, 1.0),
            Unit("Wh", _ENERGY, 3600.0),
            Unit("kWh", _ENERGY, 3.6e6),
            Unit("W", _POWER, 1.0),
            Unit("kW", _POWER, 1e3),
            Unit("mm", (0, 1, 0, 0, 0), 0.001),
            Unit("m", (0, 1, 0, 0, 0), 1.0),
            Unit("km", (0, 1, 0, 0, 0), 1e3),
            Unit("l", (0, 3, 0, 0, 0), 0.001),
            Unit("rpm", (0, 0, -1, 0, 0), 1 / 60),
        )
    }
)
"""Every unit that has a name of its own."""


def unit(text: str) -> Unit | None:
    """The unit that a text like ``Ohm/V``, ``1/d`` or nothing names; None: there is none."""
    first, *others = re.split(r"([*/])", text)
    found = PLAIN if first in {"", "1"} else SYMBOLS.get(first)
    for sign, symbol in zip(others[::2], others[1::2], strict=True):
        if found is None or symbol not in SYMBOLS:
            return None
        found = found.per(SYMBOLS[symbol]) if sign == "/" else found.times(SYMBOLS[symbol])
    return found and replace(found, text=text)
