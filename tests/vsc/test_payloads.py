"""Payloads are shown without control characters and without VINs, whatever their bytes are."""

import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vehicle.codec import JSON, MESSAGEPACK
from vsc.payloads import decoded, escaped, hexdump

VIN = "WVWZZZ1JZ3W386752"


@pytest.mark.parametrize("content_type", [JSON, MESSAGEPACK, ""])
def test_what_can_be_read_is_decoded_without_vins(content_type: str) -> None:
    says = {"car": f"it is {VIN}", "soc": [63.4, None], VIN: True}
    encode = msgspec.msgpack.encode if content_type == MESSAGEPACK else msgspec.json.encode
    assert decoded(encode(says), content_type) == {"car": "it is [vin]", "soc": [63.4, None], "[vin]": True}


def test_what_cannot_be_read_is_not_decoded() -> None:
    assert decoded(b"\xc1\x00", MESSAGEPACK) is None
    assert decoded(b"{}", "text/plain") is None
    assert decoded(b"[" * 10_000, JSON) is None


def test_a_dump_has_place_bytes_and_text() -> None:
    assert hexdump(b"0123456789abcdef\n\x1b[31m", 18) == [
        "00000000  30 31 32 33 34 35 36 37 38 39 61 62 63 64 65 66  0123456789abcdef",
        "00000010  0a 1b                                            ..",
    ]


@given(before=st.binary(max_size=5), after=st.binary(max_size=5), at_most=st.integers(0, 40))
def test_no_dump_shows_a_vin(before: bytes, after: bytes, at_most: int) -> None:
    dump = hexdump(before + VIN.encode() + after, at_most)
    assert VIN[-6:].encode().hex(" ") not in "\n".join(dump)
    assert VIN[-6:] not in "".join(line[60:] for line in dump)


@given(st.binary(max_size=60), st.sampled_from([JSON, MESSAGEPACK, ""]))
def test_whatever_is_decoded_can_be_written_as_json(payload: bytes, content_type: str) -> None:
    json.dumps(decoded(payload, content_type), allow_nan=False)


@given(st.text())
def test_escaped_text_is_printable(text: str) -> None:
    assert escaped(text).isprintable()
    assert escaped(f"a {VIN}\x1b[2J\u202e") == "a [vin]\\x1b[2J\\u202e"
