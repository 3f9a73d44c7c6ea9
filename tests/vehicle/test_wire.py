"""The wire format: what is encoded comes back to the last bit, and no bytes make decoding raise."""

import math
from datetime import UTC, datetime, timedelta

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vehicle.batch import Event, EventBatch, EventKind, Hello, StoredAck, TelemetryBatch
from vehicle.codec import JSON, MESSAGEPACK
from vehicle.codes import DiagnosticTroubleCode, DtcStatus
from vehicle.columns import UNKNOWN_VALUE
from vehicle.rejection import Rejection, RejectionReason
from vehicle.signals import CATALOGUE, SignalKind
from vehicle.wire import (
    decode_ack,
    decode_events,
    decode_hello,
    decode_telemetry,
    encode_ack,
    encode_events,
    encode_hello,
    encode_telemetry,
)

BOOT = "00c0ffee00c0ffee"
START = datetime(2026, 9, 1, 6, 12, 3, 500_000, tzinfo=UTC)
content_types = st.sampled_from([JSON, MESSAGEPACK])
moments = st.integers(0, 100 * 365 * 86_400_000_000).map(
    lambda microseconds: datetime(2000, 1, 1, tzinfo=UTC) + timedelta(microseconds=microseconds)
)


@st.composite
def columns(draw: st.DrawFn, length: int) -> dict[str, np.ndarray]:
    chosen = draw(st.lists(st.sampled_from(sorted(CATALOGUE)), max_size=8, unique=True))
    drawn = {}
    for name in chosen:
        signal = CATALOGUE[name]
        width = draw(st.integers(1, 5)) if signal.kind is SignalKind.ARRAY else 1
        if signal.kind in (SignalKind.NUMBER, SignalKind.ARRAY):
            value = st.floats(allow_nan=False, allow_infinity=False)
        elif signal.kind is SignalKind.INTEGER:
            value = st.integers(-(2**31), 2**31).map(float)
        else:
            value = st.integers(0, max(len(signal.values), 2) - 1).map(float)
        cells = draw(st.lists(value | st.just(np.nan), min_size=length * width, max_size=length * width))
        drawn[name] = np.array(cells).reshape((length, width) if signal.kind is SignalKind.ARRAY else (length,))
    return drawn


@st.composite
def batches(draw: st.DrawFn) -> TelemetryBatch:
    steps = draw(st.lists(st.integers(1, 3_600_000), min_size=0, max_size=6))
    elapsed = np.cumsum([0, *steps]) * np.timedelta64(1, "ms")
    start = np.datetime64(draw(moments).replace(tzinfo=None), "us")
    return TelemetryBatch(
        vehicle_id=draw(st.from_regex(r"[A-Za-z0-9_-]{1,64}", fullmatch=True)),
        boot=draw(st.from_regex(r"[0-9a-f]{16}", fullmatch=True)),
        seq=draw(st.integers(1, 2**63 - 1)),
        sent_at=draw(moments),
        times=start + elapsed,
        columns=draw(columns(len(elapsed))),
        extra={
            "new_signal": draw(
                st.lists(st.none() | st.integers(-9, 9) | st.text(), min_size=len(elapsed), max_size=len(elapsed))
            )
        },
    )


def a_message(**changes: object) -> bytes:
    message: dict[str, object] = {
        "v": 1,
        "vehicle_id": "car-0001",
        "boot": BOOT,
        "seq": 7,
        "sent_at": "2026-09-01T06:12:05Z",
        "t0": "2026-09-01T06:12:03.500Z",
        "dt_ms": [0, 1000],
        "s": {"hv_soc_pct": [63.4, None]},
    }
    return msgspec.json.encode(message | changes)


def as_stored(values: np.ndarray, name: str) -> np.ndarray:
    """What a column of the database keeps of them: a `real` has 24 bits."""
    if CATALOGUE[name].column_type not in ("real", "real[]"):
        return values
    with np.errstate(over="ignore"):
        return values.astype(np.float32).astype(np.float64)


@given(batch=batches(), content_type=content_types)
def test_a_batch_comes_back_as_it_was_sent(batch: TelemetryBatch, content_type: str) -> None:
    back = decode_telemetry(encode_telemetry(batch, content_type), content_type)
    assert isinstance(back, TelemetryBatch), back
    assert (back.vehicle_id, back.boot, back.seq, back.sent_at) == (
        batch.vehicle_id,
        batch.boot,
        batch.seq,
        batch.sent_at,
    )
    np.testing.assert_array_equal(back.times, batch.times)
    assert back.columns.keys() == batch.columns.keys()
    packed = content_type == MESSAGEPACK
    for name, sent in batch.columns.items():
        if CATALOGUE[name].kind is SignalKind.ARRAY and np.isnan(sent).all():
            assert np.isnan(back.columns[name]).all()
        else:
            np.testing.assert_array_equal(back.columns[name], as_stored(sent, name) if packed else sent)
    assert back.extra == batch.extra


@given(payload=st.binary(max_size=300), content_type=content_types | st.none() | st.text(max_size=5))
def test_no_bytes_make_a_decoder_raise(payload: bytes, content_type: str | None) -> None:
    for decode in (decode_telemetry, decode_events, decode_hello, decode_ack):
        assert isinstance(decode(payload, content_type), Rejection)


@given(cut=st.integers(0, 1000), content_type=content_types)
def test_no_truncation_makes_a_decoder_raise(cut: int, content_type: str) -> None:
    batch = decode_telemetry(a_message(), JSON)
    assert isinstance(batch, TelemetryBatch)
    whole = encode_telemetry(batch, content_type)
    part = whole[: cut % len(whole)]
    assert isinstance(decode_telemetry(part, content_type), Rejection)


def packed(values: list[float], dtype: str = "<f4") -> bytes:
    return np.array(values, dtype).tobytes()


def decoded_signals(signals: dict[str, object]) -> TelemetryBatch | Rejection:
    message = msgspec.json.decode(a_message()) | {"s": signals}
    return decode_telemetry(msgspec.msgpack.encode(message), MESSAGEPACK)


@pytest.mark.parametrize("unknown", [{}, {"cup_holder": [1, 2]}], ids=["known", "with an unknown signal"])
def test_columns_packed_in_any_way_and_lists_are_read_alike(unknown: dict[str, object]) -> None:
    batch = decoded_signals(
        {
            "hv_soc_pct": packed([63.5, math.nan]),
            "hv_voltage_v": packed([381.25, math.inf], "<f8"),
            "hv_current_a": [-1.5, None],
            "odometer_km": packed([12345678.9, math.nan], "<f8"),
            "energy_used_lifetime_kwh": packed([1.5, 2.5]),
            "bms_state": ["Drive", None],
            "hvac_on": [True, None],
            "cell_voltages_v": packed([3.75, math.nan, math.nan, math.nan]),
            **unknown,
        }
    )
    assert isinstance(batch, TelemetryBatch), batch
    expected = {
        "hv_soc_pct": [63.5, np.nan],
        "hv_voltage_v": [381.25, np.inf],
        "hv_current_a": [-1.5, np.nan],
        "odometer_km": [12345678.9, np.nan],
        "energy_used_lifetime_kwh": [1.5, 2.5],
        "bms_state": [CATALOGUE["bms_state"].values.index("Drive"), np.nan],
        "hvac_on": [1.0, np.nan],
        "cell_voltages_v": [[3.75, np.nan], [np.nan, np.nan]],
    }
    assert batch.columns.keys() == expected.keys()
    for name, values in expected.items():
        np.testing.assert_array_equal(batch.columns[name], values, err_msg=name)


@pytest.mark.parametrize("beside", [{}, {"cup_holder": [1, 2]}], ids=["known", "with an unknown signal"])
@pytest.mark.parametrize(
    ("signals", "reason"),
    [
        ({"hv_soc_pct": packed([63.4])}, RejectionReason.UNEQUAL_COLUMNS),
        ({"hv_soc_pct": packed([63.4, 1.0, 2.0])}, RejectionReason.UNEQUAL_COLUMNS),
        ({"hv_soc_pct": packed([63.4, 1.0]), "hv_voltage_v": b""}, RejectionReason.UNEQUAL_COLUMNS),
        ({"odometer_km": packed([1.0])}, RejectionReason.UNEQUAL_COLUMNS),
        ({"cell_voltages_v": packed([3.7, 3.7, 3.7])}, RejectionReason.UNEQUAL_COLUMNS),
        ({"bms_state": packed([1.0, 2.0])}, RejectionReason.WRONG_TYPE),
        ({"cell_v_max_id": packed([1.0, 2.0])}, RejectionReason.WRONG_TYPE),
    ],
)
def test_a_badly_packed_column_is_refused(
    signals: dict[str, object], reason: RejectionReason, beside: dict[str, object]
) -> None:
    refused = decoded_signals(signals | beside)
    assert isinstance(refused, Rejection), refused
    assert refused.reason is reason


def test_json_has_no_packed_columns() -> None:
    refused = decode_telemetry(a_message(s={"hv_soc_pct": packed([63.5, 64.0])}), JSON)
    assert isinstance(refused, Rejection)
    assert refused.reason is RejectionReason.WRONG_TYPE


@given(content_type=content_types)
def test_a_value_that_its_enumeration_has_not_cannot_be_encoded(content_type: str) -> None:
    batch = decode_telemetry(a_message(s={"bms_state": ["Nonsense", None]}), JSON)
    assert isinstance(batch, TelemetryBatch)
    with pytest.raises(ValueError, match="bms_state has no value -1"):
        encode_telemetry(batch, content_type)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"s": {"hv_soc_pct": ["63.4", None]}}, RejectionReason.WRONG_TYPE),
        ({"s": {"hv_soc_pct": [True, None]}}, RejectionReason.WRONG_TYPE),
        ({"s": {"hv_soc_pct": [63.4]}}, RejectionReason.UNEQUAL_COLUMNS),
        ({"s": {"hv_soc_pct": 63.4}}, RejectionReason.WRONG_TYPE),
        ({"s": {"bms_state": [1, None]}}, RejectionReason.WRONG_TYPE),
        ({"s": {"cell_voltages_v": [[3.7, 3.7], [3.7]]}}, RejectionReason.UNEQUAL_COLUMNS),
        ({"s": {f"unknown_{i}": [0, 0] for i in range(65)}}, RejectionReason.TOO_LARGE),
        ({"s": {"unknown": [0]}}, RejectionReason.UNEQUAL_COLUMNS),
        ({"dt_ms": []}, RejectionReason.UNEQUAL_COLUMNS),
        ({"dt_ms": [1000, 1000]}, RejectionReason.WRONG_TYPE),
        ({"dt_ms": [-1, 0]}, RejectionReason.WRONG_TYPE),
        ({"dt_ms": [0, 2**60]}, RejectionReason.WRONG_TYPE),
        ({"t0": "0001-01-01T00:00:00+23:59"}, RejectionReason.WRONG_TYPE),
        ({"t0": "2026-09-01T06:12:03"}, RejectionReason.WRONG_TYPE),
        ({"seq": 0}, RejectionReason.WRONG_TYPE),
        ({"seq": 2**63}, RejectionReason.WRONG_TYPE),
        ({"boot": "xyz"}, RejectionReason.WRONG_TYPE),
        ({"v": 2}, RejectionReason.WRONG_VERSION),
    ],
)
def test_a_bad_message_is_refused_with_its_reason(changes: dict[str, object], reason: RejectionReason) -> None:
    refused = decode_telemetry(a_message(**changes), JSON)
    assert isinstance(refused, Rejection)
    assert refused.reason is reason


def test_a_number_that_is_not_finite_is_not_taken_for_one_that_was_not_sampled() -> None:
    message = msgspec.json.decode(a_message()) | {"s": {"hv_soc_pct": [float("nan"), None]}}
    batch = decode_telemetry(msgspec.msgpack.encode(message), MESSAGEPACK)
    assert isinstance(batch, TelemetryBatch)
    assert batch.columns["hv_soc_pct"][0] == np.inf
    assert np.isnan(batch.columns["hv_soc_pct"][1])


def test_the_format_tells_itself_when_no_content_type_does() -> None:
    batch = decode_telemetry(a_message())
    assert isinstance(batch, TelemetryBatch)
    again = decode_telemetry(encode_telemetry(batch, MESSAGEPACK))
    assert isinstance(again, TelemetryBatch)


def test_times_between_milliseconds_cannot_be_encoded() -> None:
    batch = decode_telemetry(a_message())
    assert isinstance(batch, TelemetryBatch)
    batch.times[1] += np.timedelta64(1, "us")
    with pytest.raises(ValueError, match="milliseconds"):
        encode_telemetry(batch)


@given(content_type=content_types, status=st.integers(0, 255))
def test_events_hello_and_ack_come_back(content_type: str, status: int) -> None:
    code = DiagnosticTroubleCode.parse("P0A1F", DtcStatus(status))
    assert isinstance(code, DiagnosticTroubleCode)
    events = EventBatch(
        "car-0001",
        BOOT,
        8,
        START,
        (
            Event(START, EventKind.TROUBLE_CODE, code, {"speed_kmh": 50.5}),
            Event(START + timedelta(seconds=1), EventKind.DRIVE_STOP),
        ),
    )
    hello = Hello("car-0001", BOOT, "2026.8", "c1", START, dropped=((BOOT, 2, 3),))
    ack = StoredAck(BOOT, 12, missing=((3, 4), (9, 9)))
    assert decode_events(encode_events(events, content_type), content_type) == events
    assert decode_hello(encode_hello(hello, content_type), content_type) == hello
    assert decode_ack(encode_ack(ack, content_type), content_type) == ack


def test_a_trouble_code_event_needs_its_code() -> None:
    payload = msgspec.json.encode(
        {
            "v": 1,
            "vehicle_id": "car-1",
            "boot": BOOT,
            "seq": 1,
            "sent_at": START,
            "events": [{"at": START, "kind": "trouble_code"}],
        }
    )
    refused = decode_events(payload, JSON)
    assert isinstance(refused, Rejection)
    assert refused.reason is RejectionReason.WRONG_TYPE


def test_an_ack_covers_what_is_stored() -> None:
    ack = StoredAck(BOOT, 12, missing=((3, 4), (9, 9)))
    assert [seq for seq in range(1, 15) if not ack.covers(seq)] == [3, 4, 9, 13, 14]


def test_a_value_that_its_enumeration_has_not_is_left_to_validation_alone() -> None:
    batch = decode_telemetry(a_message(s={"bms_state": ["Nonsense", None], "hv_soc_pct": [63.4, 63.5]}), JSON)
    assert isinstance(batch, TelemetryBatch)
    assert batch.columns["bms_state"].tolist()[0] == UNKNOWN_VALUE < CATALOGUE["bms_state"].minimum
    assert batch.columns["hv_soc_pct"].tolist() == [63.4, 63.5]


@pytest.mark.parametrize("digits", ["1e400", "-1e400", "9" * 5000], ids=["exponent", "negative", "integer"])
@pytest.mark.parametrize("name", ["hv_soc_pct", "dtc_count"])
def test_a_number_beyond_float64_is_infinite_and_harms_no_other(name: str, digits: str) -> None:
    payload = a_message(s={name: [1, 7777]}).replace(b"7777", digits.encode())
    batch = decode_telemetry(payload, JSON)
    assert isinstance(batch, TelemetryBatch)
    assert batch.columns[name].tolist() == [1, -math.inf if digits[0] == "-" else math.inf]


@pytest.mark.parametrize("other", [b"true", b'"1"', b"[1]"])
def test_a_number_beyond_float64_excuses_no_wrong_type(other: bytes) -> None:
    payload = a_message(s={"hv_soc_pct": [7777, 8888]}).replace(b"7777", b"1e400").replace(b"8888", other)
    refused = decode_telemetry(payload, JSON)
    assert isinstance(refused, Rejection)
    assert refused.reason is RejectionReason.WRONG_TYPE


def test_a_number_beyond_float64_excuses_no_fraction_of_a_count() -> None:
    payload = a_message(s={"dtc_count": [7777, 1.5]}).replace(b"7777", b"1e400")
    assert isinstance(decode_telemetry(payload, JSON), Rejection)


@pytest.mark.parametrize(
    "ack",
    [
        b'{"boot": "00c0ffee00c0ffee", "through": 9223372036854775808}',
        b'{"boot": "00c0ffee00c0ffee", "through": 9, "missing": [[-9223372036854775809, 3]]}',
        b'{"boot": "00c0ffee00c0ffee", "through": 9, "missing": [[0, 3]]}',
    ],
)
def test_an_ack_of_what_cannot_be_a_sequence_number_is_refused(ack: bytes) -> None:
    assert isinstance(decode_ack(ack), Rejection)
