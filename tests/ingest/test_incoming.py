"""Any bytes on any topic become content or a rejection, under a key that is the sender's own."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.incoming import read
from storage.ledger import BatchKey
from tests.support.some_batches import BOOT, NOW, a_batch, a_message
from vehicle.batch import Hello, TelemetryBatch
from vehicle.codec import JSON, MAX_PAYLOAD_BYTES, MESSAGEPACK
from vehicle.rejection import Rejection
from vehicle.rejection import RejectionReason as Reason
from vehicle.wire import encode_hello

KEY = BatchKey("car-1", BOOT, 1)


def test_a_good_message_is_its_batch_under_its_key() -> None:
    incoming = read(a_message())
    assert isinstance(incoming.content, TelemetryBatch)
    assert incoming.key == KEY
    assert incoming.vehicle_id == "car-1"


@pytest.mark.parametrize(
    ("changes", "reason", "key"),
    [
        ({"payload": b"\xc1"}, Reason.UNREADABLE, KEY),
        ({"payload": b"{}", "content_type": JSON}, Reason.WRONG_TYPE, KEY),
        ({"payload": bytes(MAX_PAYLOAD_BYTES + 1)}, Reason.TOO_LARGE, KEY),
        ({"content_type": "text/plain"}, Reason.UNREADABLE, KEY),
        ({"topic": "vsc/v1/car-2/telemetry"}, Reason.VEHICLE_MISMATCH, BatchKey("car-2", BOOT, 1)),
        ({"user": {"boot": BOOT, "seq": "2"}}, Reason.VEHICLE_MISMATCH, BatchKey("car-1", BOOT, 2)),
        ({"user": {"boot": "f" * 16, "seq": "1"}}, Reason.VEHICLE_MISMATCH, BatchKey("car-1", "f" * 16, 1)),
        ({"topic": "vsc/v1/car-1/state"}, Reason.UNKNOWN_TOPIC, KEY),
        ({"topic": "somewhere/else"}, Reason.UNKNOWN_TOPIC, None),
        ({"payload": b"\xc1", "user": {}}, Reason.UNREADABLE, None),
        ({"payload": b"\xc1", "user": {"boot": BOOT, "seq": "0"}}, Reason.UNREADABLE, None),
        ({"payload": b"\xc1", "user": {"boot": BOOT, "seq": "9223372036854775808"}}, Reason.UNREADABLE, None),
        ({"payload": b"\xc1", "user": {"boot": BOOT + "\n", "seq": "1"}}, Reason.UNREADABLE, None),
        ({"payload": b"\xc1", "user": {"boot": BOOT, "seq": "١"}}, Reason.UNREADABLE, None),  # noqa: RUF001 - not an ASCII digit, on purpose
    ],
)
def test_a_bad_message_is_refused_under_the_key_its_sender_waits_for(
    changes: dict[str, Any], reason: Reason, key: BatchKey | None
) -> None:
    incoming = read(a_message(**changes))
    assert isinstance(incoming.content, Rejection)
    assert (incoming.content.reason, incoming.key) == (reason, key)


def test_the_payload_alone_names_a_batch_without_user_properties() -> None:
    assert read(a_message(user={})).key == KEY


def test_a_hello_has_no_key() -> None:
    hello = Hello("car-1", BOOT, "agent/1", "abc", NOW)
    incoming = read(a_message(topic="vsc/v1/car-1/hello", payload=encode_hello(hello)))
    assert (incoming.content, incoming.key) == (hello, None)


@given(
    payload=st.binary(max_size=200),
    channel=st.sampled_from(("telemetry", "event", "hello", "ack", "?")),
    content_type=st.sampled_from((None, JSON, MESSAGEPACK, "", "\0")),
    user=st.dictionaries(st.sampled_from(("boot", "seq", "x")), st.text(max_size=20)),
)
def test_reading_never_raises(payload: bytes, channel: str, content_type: str | None, user: dict[str, str]) -> None:
    message = a_message(topic=f"vsc/v1/car-1/{channel}", payload=payload, content_type=content_type, user=user)
    assert read(message).message is message


def test_a_truncated_payload_is_refused_at_every_byte() -> None:
    message = a_message(a_batch({"hv_soc_pct": [1.5], "charge_state": [0]}))
    for length in range(len(message.payload)):
        cut = read(a_message(payload=message.payload[:length]))
        assert isinstance(cut.content, Rejection)
        assert cut.key == KEY
