"""Payloads that are no telemetry: cut, garbled, of another format, or with a field of another type.

Each is refused for one of a few reasons and never coerced; none is the same as another.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import msgspec
import numpy as np

from vehicle.codec import JSON, MESSAGEPACK
from vehicle.rejection import RejectionReason as Reason

BOOT: Final = "00000000000000ba"
CBOR: Final = "application/cbor"
_AT: Final = "2026-09-01T00:00:00Z"
_UNREAD: Final = frozenset({Reason.UNREADABLE, Reason.WRONG_TYPE})
"""A cut or garbled payload may still be a whole value of its format, only not an object of ours."""
_ENCODE: Final = {JSON: msgspec.json.encode, MESSAGEPACK: msgspec.msgpack.encode}
_BLANKS: Final = frozenset(b" \t\r\n")


@dataclass(frozen=True, slots=True)
class BadPayload:
    """One payload that must be kept in quarantine, whole."""

    what: str
    payload: bytes
    content_type: str | None
    reasons: frozenset[Reason]


def a_payload(vehicle_id: str, seq: int, **changes: Any) -> dict[str, Any]:
    """A good message of two samples as it stands on the wire, with the fields that a test wants otherwise."""
    message: dict[str, Any] = {
        "v": 1,
        "vehicle_id": vehicle_id,
        "boot": BOOT,
        "seq": seq,
        "sent_at": _AT,
        "t0": _AT,
        "dt_ms": [0, 1000],
        "s": {"hv_soc_pct": [60.5, 60.0], "hvil_ok": [True, None], "cell_voltages_v": [[3.5, 3.6], None]},
    }
    return message | changes


def malformed(vehicle_id: str, count: int, rng: np.random.Generator) -> list[BadPayload]:
    """At least every named kind, and as many garbled payloads as make `count` in all."""
    distinct = {bad.payload: bad for bad in _named_kinds(vehicle_id)}
    while len(distinct) < count:
        bad = _garbled(vehicle_id, len(distinct) + 1, rng)
        distinct.setdefault(bad.payload, bad)
    return list(distinct.values())[:count]


def _named_kinds(vehicle_id: str) -> Iterator[BadPayload]:
    message = a_payload(vehicle_id, 1)
    for content_type, encode in _ENCODE.items():
        whole = encode(message)
        for length in range(len(whole)):
            yield BadPayload(f"cut to {length} bytes", whole[:length], content_type, _UNREAD)
        yield BadPayload("trailing byte", whole + b"\x00", content_type, _UNREAD)
        yield BadPayload("two objects", whole + whole, content_type, _UNREAD)
    text = msgspec.json.encode(message).decode()
    yield BadPayload("blanks", b" \r\n\t", JSON, _UNREAD)
    yield BadPayload("two objects in lines", f"{text}\n{text}".encode(), JSON, _UNREAD)
    yield BadPayload("comma after the last field", f"{text[:-1]},}}".encode(), JSON, _UNREAD)
    yield BadPayload("comment", f"{text[:-1]}/* 1 */}}".encode(), JSON, _UNREAD)
    yield BadPayload("single quotes", text.replace('"', "'").encode(), JSON, _UNREAD)
    yield BadPayload("nested without end", b"[" * 50_000, JSON, _UNREAD)
    for encoding in ("utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"):
        yield BadPayload(encoding, text.encode(encoding), JSON, _UNREAD)
    yield BadPayload("CBOR by name", as_cbor(message), CBOR, _UNREAD)
    yield BadPayload("CBOR as JSON", as_cbor(message | {"seq": 2}), JSON, _UNREAD)
    yield BadPayload("CBOR as MessagePack", as_cbor(message | {"seq": 3}), MESSAGEPACK, _UNREAD)
    yield BadPayload("CBOR untold", as_cbor(message | {"seq": 4}), None, _UNREAD)


def _garbled(vehicle_id: str, seq: int, rng: np.random.Generator) -> BadPayload:
    """A good payload in JSON with one byte that JSON has nowhere, in one of its places, or with a byte too many."""
    whole = msgspec.json.encode(a_payload(vehicle_id, seq))
    place = int(rng.integers(len(whole)))
    kind = rng.choice(["control character", "no UTF-8", "cut", "trailing"])
    if kind == "cut":
        return BadPayload("cut", whole[:place], JSON, _UNREAD)
    if kind == "trailing":
        # Beyond what ASCII calls a blank, so that it cannot be one.
        return BadPayload(
            "trailing bytes", whole + rng.integers(33, 256, 1 + place % 9, np.uint8).tobytes(), JSON, _UNREAD
        )
    foreign = rng.choice([byte for byte in range(32) if byte not in _BLANKS]) if kind == "control character" else 0xFF
    return BadPayload(str(kind), whole[:place] + bytes([foreign]) + whole[place + 1 :], JSON, _UNREAD)


def duplicate_names(vehicle_id: str) -> list[BadPayload]:
    """Objects with a name twice: whichever value were taken, the other would be lost without a word."""
    whole = msgspec.json.encode(a_payload(vehicle_id, 1)).decode()
    again = [
        ("a field twice", whole.replace('"seq":1', '"seq":1,"seq":2')),
        ("a field twice alike", whole.replace('"seq":1', '"seq":1,"seq":1')),
        ("a signal twice", whole.replace('"s":{', '"s":{"hv_soc_pct":[1.5,2.5],')),
        ("the samples twice", whole.replace('"s":{', '"s":{"speed_kmh":[1.5,2.5]},"s":{')),
    ]
    return [BadPayload(what, text.encode(), JSON, _UNREAD) for what, text in again]


def wrong_types(vehicle_id: str) -> list[BadPayload]:
    """Every field missing and of every other type, in both formats."""
    found: dict[bytes, BadPayload] = {}
    for content_type, encode in _ENCODE.items():
        for what, message, reasons in _wrong_messages(vehicle_id):
            payload = encode(message)
            found.setdefault(payload, BadPayload(what, payload, content_type, reasons))
    return list(found.values())


_NO_MOMENT: Final[tuple[Any, ...]] = (
    0,
    1.5,
    True,
    [],
    "",
    "now",
    "infinity",
    "yesterday",
    "2026-09-01T12:00:00",
    "2026-13-01T00:00:00Z",
)
_OTHERWISE: Final[dict[str, tuple[Any, ...]]] = {
    "v": ("1", True, 1.5, [1], {}),
    "vehicle_id": (5, True, ["car"], {}),
    "boot": (5, True, [], "", "BA" * 8, "0" * 15, "0" * 17, "ba ba ba ba ba b"),
    "seq": ("1", True, 1.5, [1], {}, 0, -1, 2**63, 2**64 - 1),
    "sent_at": _NO_MOMENT,
    "t0": _NO_MOMENT,
    "dt_ms": (0, "0", {}, [True, False], ["0", "1"], [0, 0.5], [0, None], [0, 0], [1000, 0], [-1, 0], [0, 2**63]),
    "s": (0, "x", [], True),
}
"""Per field what it must not be; null and nothing at all come on top."""
_WRONG_COLUMNS: Final[tuple[tuple[str, Any], ...]] = (
    ("hv_soc_pct", None),
    ("hv_soc_pct", 5),
    ("hv_soc_pct", {"0": 5}),
    ("hv_soc_pct", ["12.5", 1]),
    ("hv_soc_pct", [True, 1]),
    ("hv_soc_pct", [[1], 1]),
    ("hv_soc_pct", [{}, 1]),
    ("dtc_count", [1.5, 1]),
    ("dtc_count", ["1", 1]),
    ("dtc_count", [True, 1]),
    ("hvil_ok", [1, 0]),
    ("hvil_ok", ["true", None]),
    ("charge_state", [1, 0]),
    ("charge_state", [True, None]),
    ("cell_voltages_v", [3.5, 3.6]),
    ("cell_voltages_v", [["3.5"], ["3.6"]]),
    ("cell_voltages_v", [[True], [False]]),
)
_OF_ANOTHER_LENGTH: Final[tuple[tuple[str, Any], ...]] = (
    ("hv_soc_pct", []),
    ("hv_soc_pct", [1.5]),
    ("hv_soc_pct", [1.5, 2.5, 3.5]),
    ("cell_voltages_v", [[3.5], [3.5, 3.6]]),
    ("not_in_the_catalogue", [1]),
)


def _wrong_messages(vehicle_id: str) -> Iterator[tuple[str, Any, frozenset[Reason]]]:
    good = a_payload(vehicle_id, 1)
    wrong_type = frozenset({Reason.WRONG_TYPE})
    for name, values in _OTHERWISE.items():
        yield f"no {name}", {field: value for field, value in good.items() if field != name}, wrong_type
        for value in (None, *values):
            yield f"{name} is {value!r}", good | {name: value}, wrong_type
    for name, column in _WRONG_COLUMNS:
        yield f"{name} is {column!r}", good | {"s": {name: column}}, wrong_type
    for name, column in _OF_ANOTHER_LENGTH:
        yield f"{name} is {column!r}", good | {"s": {name: column}}, frozenset({Reason.UNEQUAL_COLUMNS})
    yield "no times", good | {"dt_ms": [], "s": {}}, frozenset({Reason.UNEQUAL_COLUMNS})
    yield "another version", good | {"v": 2}, frozenset({Reason.WRONG_VERSION})
    others: tuple[Any, ...] = ([], [good], "text", 5, 1.5, True, None, {})
    for other in others:
        yield f"{type(other).__name__} for an object", other, wrong_type


def as_cbor(value: Any) -> bytes:
    """RFC 8949, as far as our messages need it."""
    if value is None or isinstance(value, bool):
        return {None: b"\xf6", True: b"\xf5", False: b"\xf4"}[value]
    if isinstance(value, int):
        return _cbor_head(0, value)
    if isinstance(value, float):
        return b"\xfb" + np.array(value, ">f8").tobytes()
    if isinstance(value, str):
        return _cbor_head(3, len(value.encode())) + value.encode()
    if isinstance(value, list):
        return _cbor_head(4, len(value)) + b"".join(map(as_cbor, value))
    return _cbor_head(5, len(value)) + b"".join(as_cbor(key) + as_cbor(item) for key, item in value.items())


def _cbor_head(major: int, count: int) -> bytes:
    if count < 24:
        return bytes([major << 5 | count])
    size = 1 if count < 2**8 else 2 if count < 2**16 else 4
    return bytes([major << 5 | {1: 24, 2: 25, 4: 26}[size]]) + count.to_bytes(size, "big")
