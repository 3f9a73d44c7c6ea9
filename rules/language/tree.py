"""The checked syntax tree of a rule's expressions: what the checker makes, and the engine evaluates.

Units are settled when the tree is made: where two units of one dimension meet, a literal is written in the other side's
unit or a `Convert` stands. Whoever evaluates a tree sees plain numbers, truths (true, false, unknown) and nothing else.
An expression over a group has one value per member; one without a group holds for every member. Two nodes are equal if
they mean the same: positions in the text are not part of them.
"""

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from rules.language.functions import GroupFunction, WindowFunction
from vehicle.codes import DtcStatus


@dataclass(frozen=True, slots=True)
class Group:
    """Like parts of a car, of which a series has one value each."""

    name: str
    """``wheel``, ``axle``, ``cell`` or ``module``."""
    members: tuple[str, ...] = ()
    """As findings name them (``fl``); empty where only the data tells how many there are, numbered from 1."""
    prefix: str = ""
    """Of the members' names where they are numbered: ``V_`` gives ``V_1``, ``V_2``, ..."""

    def member(self, number: int) -> str:
        """The name of the member with a number, from 1; empty where there is none."""
        if self.members:
            return self.members[number - 1] if 0 < number <= len(self.members) else ""
        return f"{self.prefix}{number}" if number > 0 else ""


class Source(StrEnum):
    """Where a series comes from."""

    SIGNAL = "signal"
    """One scalar signal, or several with one location each."""
    ARRAY = "array"
    FEATURE = "feature"


class CarState(StrEnum):
    """What a car can be doing."""

    DRIVING = "driving"
    CHARGING = "charging"
    FAST_CHARGING = "fast_charging"
    PARKED = "parked"
    """Neither driving nor charging."""
    ASLEEP = "asleep"
    """Parked, and silent because it sleeps."""


class Arithmetic(StrEnum):
    """On two numbers; unknown if either is, or divided by zero."""

    ADD = "+"
    SUBTRACT = "-"
    MULTIPLY = "*"
    DIVIDE = "/"


class Relation(StrEnum):
    """Between two numbers; unknown if either is."""

    LESS = "<"
    AT_MOST = "<="
    GREATER = ">"
    AT_LEAST = ">="
    EQUAL = "=="
    UNEQUAL = "!="


@dataclass(frozen=True, slots=True)
class Number:
    """A literal, in the unit of what it meets; durations in seconds where nothing else is said."""

    value: float


@dataclass(frozen=True, slots=True)
class Series:
    """The value of a signal or feature at the sample itself: unknown where it was not sampled."""

    name: str
    source: Source
    members: tuple[str, ...]
    """The signals or the feature that hold the columns, in the order of the group's members."""
    group: Group | None = None
    truth: bool = False
    """Its 1 and 0 are true and false."""


@dataclass(frozen=True, slots=True)
class Fact:
    """A number the registry knows of a vehicle, by its field in `VehicleRecord`; unknown where that is None."""

    name: str


@dataclass(frozen=True, slots=True)
class Clock:
    """The sample's own time, seconds since 1970, UTC."""


@dataclass(frozen=True, slots=True)
class InState:
    """Whether the car is in a state; unknown where it cannot be told."""

    state: CarState


@dataclass(frozen=True, slots=True)
class Since:
    """Seconds for which the car has been in a state without a break, at most the window; 0 while it is not in it."""

    state: CarState
    window: timedelta


@dataclass(frozen=True, slots=True)
class Code:
    """Whether a trouble code was last told with all of these status bits; false where none was ever told."""

    code: str
    """One code, or the beginning of several and ``*``."""
    status: DtcStatus


@dataclass(frozen=True, slots=True)
class CodeCount:
    """How often such a code has newly got all of these status bits within the window."""

    code: str
    status: DtcStatus
    window: timedelta


@dataclass(frozen=True, slots=True)
class Absent:
    """Whether a series has not been heard for longer than the window while the car was awake to send it."""

    series: Series
    window: timedelta


@dataclass(frozen=True, slots=True)
class Convert:
    """The operand in another unit: multiplied by the factor."""

    operand: "Expression"
    factor: float


@dataclass(frozen=True, slots=True)
class Negative:
    """Minus a number."""

    operand: "Expression"


@dataclass(frozen=True, slots=True)
class Absolute:
    """A number without its sign."""

    operand: "Expression"


@dataclass(frozen=True, slots=True)
class Calculation:
    """Arithmetic on two numbers."""

    operator: Arithmetic
    left: "Expression"
    right: "Expression"


@dataclass(frozen=True, slots=True)
class Comparison:
    """A relation between two numbers."""

    relation: Relation
    left: "Expression"
    right: "Expression"
    unit: str = ""
    """Of both sides, for people; empty: plain numbers."""


@dataclass(frozen=True, slots=True)
class Not:
    """The contrary of a truth; of unknown unknown."""

    operand: "Expression"


@dataclass(frozen=True, slots=True)
class And:
    """Kleene's and: false if any is false, true if all are true."""

    operands: tuple["Expression", ...]


@dataclass(frozen=True, slots=True)
class Or:
    """Kleene's or: true if any is true, false if all are false."""

    operands: tuple["Expression", ...]


@dataclass(frozen=True, slots=True)
class Where:
    """The operand where the condition is true, unknown elsewhere."""

    operand: "Expression"
    condition: "Expression"


@dataclass(frozen=True, slots=True)
class Over:
    """A function over an event-time window that ends at the sample, itself included."""

    function: WindowFunction
    operand: "Expression"
    window: timedelta
    share: float = 0.5
    """Of a quantile: 0 to 1."""


@dataclass(frozen=True, slots=True)
class Across:
    """A function across the members of the operand's group."""

    function: GroupFunction
    operand: "Expression"


@dataclass(frozen=True, slots=True)
class Baseline:
    """The median of a series' first `count` known values of the car (per member), from the one after them on."""

    series: Series
    count: int


Expression = (
    Number
    | Series
    | Fact
    | Clock
    | InState
    | Since
    | Code
    | CodeCount
    | Absent
    | Convert
    | Negative
    | Absolute
    | Calculation
    | Comparison
    | Not
    | And
    | Or
    | Where
    | Over
    | Across
    | Baseline
)
