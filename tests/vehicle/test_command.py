"""The command message: what is encoded comes back, and no bytes make decoding raise."""

import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vehicle.codec import JSON, MAX_PAYLOAD_BYTES, MESSAGEPACK
from vehicle.command import MOST_RANGES, SendAgain, decode_command, encode_command
from vehicle.rejection import Rejection, RejectionReason

BOOT = "00c0ffee00c0ffee"
content_types = st.sampled_from([JSON, MESSAGEPACK])
seqs = st.integers(1, 2**63 - 1)
ranges = st.lists(st.tuples(seqs, seqs).map(lambda ends: (min(ends), max(ends))), max_size=5).map(tuple)
commands = st.builds(SendAgain, st.just(BOOT), ranges, st.none() | seqs)


@given(command=commands, content_type=content_types, named=st.booleans())
def test_a_command_comes_back(command: SendAgain, content_type: str, named: bool) -> None:  # noqa: FBT001 - hypothesis
    payload = encode_command(command, content_type)
    assert decode_command(payload, content_type if named else None) == command


@given(payload=st.binary(max_size=200), content_type=st.sampled_from([JSON, MESSAGEPACK, None, "text/plain"]))
def test_no_bytes_make_decoding_raise(payload: bytes, content_type: str | None) -> None:
    assert isinstance(decode_command(payload, content_type), SendAgain | Rejection)


@given(payload=st.data(), content_type=content_types)
def test_a_command_cut_short_is_refused(payload: st.DataObject, content_type: str) -> None:
    whole = encode_command(SendAgain(BOOT, ((7, 9),), 12), content_type)
    cut = payload.draw(st.integers(0, len(whole) - 1))
    assert isinstance(decode_command(whole[:cut], content_type), Rejection)


def test_the_wire_is_as_documented() -> None:
    asked = {"v": 1, "send_again": {"boot": BOOT, "ranges": [[7, 9]]}}
    assert json.loads(encode_command(SendAgain(BOOT, ((7, 9),)))) == asked
    asked = {"v": 1, "send_again": {"boot": BOOT, "from": 12}}
    assert msgspec.msgpack.decode(encode_command(SendAgain(BOOT, (), 12), MESSAGEPACK)) == asked


def test_a_command_never_names_more_ranges_than_a_car_takes() -> None:
    many = SendAgain(BOOT, tuple((seq, seq) for seq in range(1, 3 * MOST_RANGES, 2)))
    assert decode_command(encode_command(many)) == SendAgain(BOOT, many.ranges[:MOST_RANGES])


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        ({"v": 2, "send_again": {"boot": BOOT}}, RejectionReason.WRONG_VERSION),
        ({"v": 1}, RejectionReason.WRONG_TYPE),
        ({"v": 1, "capture": {"signals": ["hv_soc_pct"]}}, RejectionReason.WRONG_TYPE),
        ({"v": 1, "send_again": {"boot": "other"}}, RejectionReason.WRONG_TYPE),
        ({"v": 1, "send_again": {"boot": BOOT, "ranges": [[9, 7]]}}, RejectionReason.WRONG_TYPE),
        ({"v": 1, "send_again": {"boot": BOOT, "ranges": [[0, 7]]}}, RejectionReason.WRONG_TYPE),
        ({"v": 1, "send_again": {"boot": BOOT, "ranges": [["1", 7]]}}, RejectionReason.WRONG_TYPE),
        ({"v": 1, "send_again": {"boot": BOOT, "from": 2**63}}, RejectionReason.WRONG_TYPE),
        (
            {"v": 1, "send_again": {"boot": BOOT, "ranges": [[1, 1]] * (MOST_RANGES + 1)}},
            RejectionReason.WRONG_TYPE,
        ),
        ({"v": 1, "send_again": {"boot": BOOT}, "more": "x" * MAX_PAYLOAD_BYTES}, RejectionReason.TOO_LARGE),
    ],
    ids=[
        "version",
        "empty",
        "other kind",
        "boot",
        "turned range",
        "zero",
        "text for number",
        "2^63",
        "ranges",
        "bytes",
    ],
)
def test_what_is_no_command_is_refused_with_its_reason(message: object, reason: RejectionReason) -> None:
    for content_type, encode in ((JSON, msgspec.json.encode), (MESSAGEPACK, msgspec.msgpack.encode)):
        refused = decode_command(encode(message), content_type)
        assert isinstance(refused, Rejection)
        assert refused.reason is reason
