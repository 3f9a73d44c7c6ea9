"""Numbers with units and spans."""

from datetime import timedelta

import pytest

from rules.literals import LiteralError, quantity, span


@pytest.mark.parametrize(
    ("text", "unit", "number"),
    [("12.4 V", "V", 12.4), ("-1.5 kPa/d", "kPa/d", -1.5), (" 20% ", "%", 20.0), ("+500 Ohm/V", "Ohm/V", 500.0)],
)
def test_a_quantity_is_a_number_and_its_unit(text: str, unit: str, number: float) -> None:
    assert quantity(text, unit) == number


@pytest.mark.parametrize(
    "text", ["12.4", 12.4, "V", "12,4 V", "1e3 V", "nan V", "inf V", None, True, ["1 V"], "12.4 v"]
)
def test_anything_else_is_refused(text: object) -> None:
    with pytest.raises(LiteralError):
        quantity(text, "V")


@pytest.mark.parametrize(
    ("text", "length"),
    [("90 min", timedelta(minutes=90)), ("36 h", timedelta(hours=36)), ("0 d", timedelta()), ("2 w", timedelta(14))],
)
def test_a_span_is_a_length_of_time(text: str, length: timedelta) -> None:
    assert span(text) == length


@pytest.mark.parametrize("text", ["-1 d", "1 s", "1", "d", "1e9 d", "99999999999999999999 w", 3])
def test_no_other_span_is_read(text: object) -> None:
    with pytest.raises(LiteralError):
        span(text)
