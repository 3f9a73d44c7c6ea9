"""The fields of a rule file: what each holds and means, for the reader's messages, the schema and the documentation."""

from dataclasses import dataclass
from enum import Enum
from typing import Final

from rules.language.vocabulary import GROUPS
from rules.rule import Schedule
from vehicle.failure import OCCASIONS, Component, FailureMode


class Shape(Enum):
    """What a field holds."""

    IDENTIFIER = "lower-case letters, digits and _"
    TEXT = "text"
    NAMES = "list of names"
    EXPRESSION = "expression that is true or false"
    NUMBER = "expression that is a number"
    SPAN = "length of time"
    QUANTITY = "number with its unit"
    WHOLE = "whole number from 1"
    SHARE = "number from 0 to 1"
    FLAG = "true or false"
    CHOICE = "one of a list"
    TABLE = "table"
    TABLES = "list of tables"
    FACTS = "facts of the registry with the value, or the list of values, that a car must have"
    LATCH = "workshop, or a table"


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a table."""

    name: str
    shape: Shape
    meaning: str
    """One phrase."""
    required: bool = True
    choices: tuple[str, ...] = ()
    inner: tuple["Field", ...] = ()
    """Of a table, or of each table of a list."""


_SEVERITIES: Final = ("info", "warning", "critical", "danger")

LADDER_FIELDS: Final = (
    Field("severity", Shape.CHOICE, "how bad; danger: do not drive, or do not charge", choices=_SEVERITIES),
    Field("confidence", Shape.SHARE, "how sure the rule is once this far"),
    Field("when", Shape.EXPRESSION, "what lifts it to this step; the first step has the rule's own", required=False),
)
LIMIT_FIELDS: Final = (
    Field("at", Shape.QUANTITY, "the measured value at functional failure"),
    Field("scale", Shape.CHOICE, "on which its course there is straight", choices=("linear", "logarithmic")),
)
MIN_DATA_FIELDS: Final = (
    Field("values", Shape.WHOLE, "how many values each signal of `when` must have"),
    Field("within", Shape.SPAN, "in the time up to the sample"),
)
PART_FIELDS: Final = (
    Field("group", Shape.CHOICE, "what it is one of", choices=tuple(GROUPS)),
    Field("number", Shape.NUMBER, "which of them, from 1"),
)
LATCH_FIELDS: Final = (
    Field("exposure", Shape.EXPRESSION, "what brings the fault out if it is there"),
    Field("for", Shape.SPAN, "how much of that without the fault ends it"),
)
RULE_FIELDS: Final = (
    Field("id", Shape.IDENTIFIER, "its name, of no other rule"),
    Field("title", Shape.TEXT, "what is wrong, as an engineer would say it"),
    Field("component", Shape.CHOICE, "what fails", choices=tuple(Component)),
    Field("failure_mode", Shape.CHOICE, "how it fails, or which service is due", choices=OCCASIONS),
    Field(
        "applies_to", Shape.FACTS, "the cars it is for, `unknown` where it is not known; default: all", required=False
    ),
    Field("valid_when", Shape.EXPRESSION, "where this is not true, all else is unknown", required=False),
    Field("min_data", Shape.TABLE, "how much must be known first", required=False, inner=MIN_DATA_FIELDS),
    Field("when", Shape.EXPRESSION, "what makes it fire"),
    Field("for", Shape.SPAN, "how long that must hold at every sample; default: not at all", required=False),
    Field("observations", Shape.WHOLE, "at how many samples at least; default: 1", required=False),
    Field("until", Shape.EXPRESSION, "what ends it"),
    Field("keep_firing_for", Shape.SPAN, "how long that must hold; default: not at all", required=False),
    Field(
        "latching", Shape.LATCH, "what else it takes to end it; default: nothing", required=False, inner=LATCH_FIELDS
    ),
    Field("ladder", Shape.TABLES, "how bad it is, step by step", inner=LADDER_FIELDS),
    Field("inhibited_by", Shape.NAMES, "rules that say the same more plainly, by their ids", required=False),
    Field(
        "schedule", Shape.CHOICE, "how often it is evaluated; default: live", required=False, choices=tuple(Schedule)
    ),
    Field("measured", Shape.TEXT, "the number that it watches, in words; default: from `when`", required=False),
    Field(
        "part",
        Shape.TABLE,
        "the part that is meant, where `when` speaks of the car as a whole; default: none",
        required=False,
        inner=PART_FIELDS,
    ),
    Field("history", Shape.SPAN, "how much of that number a finding shows; default: 14 d", required=False),
    Field(
        "limit", Shape.TABLE, "where the component fails, for its remaining life", required=False, inner=LIMIT_FIELDS
    ),
    Field("evidence", Shape.NAMES, "signals that an engineer should look at"),
    Field("explanation", Shape.TEXT, "why this means what it means"),
    Field("clears_when", Shape.TEXT, "what ends it, in words"),
    Field("source", Shape.TEXT, "where the thresholds come from"),
    Field("estimate", Shape.FLAG, "whether that is an engineering estimate"),
    Field(
        "triggered_by",
        Shape.CHOICE,
        "the fault, simulated or injected into a recording, that must make it fire; needed, but of service items",
        required=False,
        choices=tuple(FailureMode),
    ),
    Field("must_not_fire_on", Shape.NAMES, "simulated confounders that must not"),
)
