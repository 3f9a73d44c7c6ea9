"""Vehicle ids, VINs and the pseudonyms made of them."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vehicle.identity import Vin, check_digit, is_vehicle_id, pseudonym
from vehicle.rejection import Rejection

PUBLISHED = "1M8GDM9AXKP042788"
"""The example of 49 CFR 565's check digit that is used everywhere."""
LETTERS = "ABCDEFGHJKLMNPRSTUVWXYZ0123456789"
american = st.tuples(
    st.sampled_from("12345L"),
    st.text(LETTERS, min_size=12, max_size=12),
    st.text(string.digits, min_size=4, max_size=4),
).map("".join)


@pytest.mark.parametrize("text", ["a", "car-1", "A" * 64, "0_-z"])
def test_vehicle_ids(text: str) -> None:
    assert is_vehicle_id(text)


@pytest.mark.parametrize("text", ["", "A" * 65, "a b", "a/b", "+", "#", "\u00e9", "e\u0301", "\uff11", "a\n", "a\0"])
def test_what_no_vehicle_is_called(text: str) -> None:
    assert not is_vehicle_id(text)


def test_the_parts_of_a_vin() -> None:
    vin = Vin.parse(PUBLISHED)
    assert isinstance(vin, Vin)
    assert (vin.wmi, vin.vds, vin.vis) == ("1M8", "GDM9AX", "KP042788")


@pytest.mark.parametrize("text", ["", PUBLISHED[:-1], PUBLISHED.lower(), "WVWZZZ1JZ3W38675I", "WVWZZZ1JZ3W38675A"])
def test_what_is_no_vin(text: str) -> None:
    assert isinstance(Vin.parse(text), Rejection)


def test_makers_elsewhere_need_no_check_digit() -> None:
    assert isinstance(Vin.parse("WVWZZZ1JZ3W386752"), Vin)


@pytest.mark.parametrize("text", [PUBLISHED, "11111111111111111", "5GZCZ43D13S812715", "LJCPCBLCX11000237"])
def test_published_vins_have_their_check_digit(text: str) -> None:
    assert check_digit(text) == text[8]
    assert isinstance(Vin.parse(text), Vin)


@given(american, st.sampled_from(LETTERS))
def test_no_other_check_digit_passes(text: str, digit: str) -> None:
    vin = Vin.parse(text[:8] + digit + text[9:])
    assert isinstance(vin, Vin) == (digit == check_digit(text))


def test_a_pseudonym_needs_the_secret() -> None:
    vin = Vin(PUBLISHED)
    name = pseudonym(vin, b"secret")
    assert is_vehicle_id(name)
    assert name == pseudonym(vin, b"secret")
    assert name != pseudonym(vin, b"another")
    assert name != pseudonym(Vin("1M8GDM9A1KP042789"), b"secret")
    assert PUBLISHED not in name
