"""Numbers with units and spans."""

from datetime import timedelta

import pytest

from rules.language.units import Unit, unit
from rules.literals import LiteralError, quantity, span


def _unit(text: str) -> Unit:
    found = unit(text)
    assert found
    return found


@pytest.mark.parametrize(
    ("text", "wanted", "number"),
    [
        ("12.4 V", "V", 12.4),
        ("12400 mV", "V", 12.4),
        ("-1.5 kPa/d", "kPa/d", -1.5),
        (" 20% ", "%", 20.0),
        ("+500 Ohm/V", "kOhm/V", 0.5),
        ("90 degC", "degC", 90.0),
        (3, "", 3.0),
        (2.5, "", 2.5),
    ],
)
def test_a_quantity_is_a_number_in_the_unit_that_is_wanted(text: object, wanted: str, number: float) -> None:
    assert quantity(text, _unit(wanted)) == number


@pytest.mark.parametrize(
    "text",
    [
        "12.4",
        12.4,
        "V",
        "12,4 V",
        "1e3 V",
        "nan V",
        "inf V",
        None,
        True,
        ["1 V"],
        "12.4 v",
        "12.4 kPa",
        "300 K",
        float("inf"),
    ],
)
def test_anything_else_is_refused(text: object) -> None:
    with pytest.raises(LiteralError):
        quantity(text, _unit("V"))


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("90 min", timedelta(minutes=90)),
        ("36 h", timedelta(hours=36)),
        ("0 d", timedelta()),
        ("5 s", timedelta(seconds=5)),
        ("2 w", timedelta(14)),
    ],
)
def test_a_span_is_a_length_of_time(text: str, length: timedelta) -> None:
    assert span(text) == length


@pytest.mark.parametrize("text", ["-1 d", "1 V", "1", "d", "1e9 d", "99999999999999999999 w", 3])
def test_no_other_span_is_read(text: object) -> None:
    with pytest.raises(LiteralError):
        span(text)
