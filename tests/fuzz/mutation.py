"""Changes to the meaning of a message rather than to its bytes: fields that go, come twice, or hold something odd."""

import copy
import random
from collections.abc import Callable
from typing import Any, Final

import msgspec

from vehicle.signals import CATALOGUE
from vehicle.topics import Channel

ODD: Final[tuple[Any, ...]] = (
    None,
    True,
    0,
    -1,
    1,
    255,
    256,
    2**31,
    2**63 - 1,
    -(2**63),
    2**64 - 1,
    0.5,
    -0.0,
    5e-324,
    1.7e308,
    float("inf"),
    float("nan"),
    "",
    "12.5",
    "NaN",
    "infinity",
    "\0",
    "\u202e\U0001f697",
    "e\u0301",
    "0001-01-01T00:00:00+14:00",
    "9999-12-31T23:59:59.999999-14:00",
    "2026-09-01T06:12:03",
    b"\xff",
    [],
    {},
    [[]],
    [None],
    "x" * 300,
)
"""What no sender should send where something else is meant."""
MOST_BYTES_TO_REPEAT: Final = 2000
"""Of a message of which a part may come tenfold, three times over."""
WORDS: Final = (*CATALOGUE, *Channel, "v", "vehicle_id", "boot", "seq", "sent_at", "t0", "dt_ms", "s", "events")


def mutated(payload: bytes, rng: random.Random, flat: Callable[[bytes], bytes]) -> bytes:
    """The payload, changed in one to three places; `flat` changes what has no structure that we can read."""
    if rng.random() < 0.3:
        return flat(payload)
    kind: Any = msgspec.json if payload.lstrip()[:1] in {b"{", b"["} else msgspec.msgpack
    try:
        root = [kind.decode(payload)]
        for _ in range(rng.randint(1, 3)):
            _change(root, rng, flat, repeatable=len(payload) <= MOST_BYTES_TO_REPEAT)
        return bytes((kind if rng.random() < 0.9 else msgspec.msgpack).encode(root[0] if root else None))
    except (msgspec.MsgspecError, TypeError, ValueError, OverflowError, RecursionError):
        return flat(payload)


def _change(root: list[Any], rng: random.Random, flat: Callable[[bytes], bytes], *, repeatable: bool) -> None:
    """Change one node of a tree of lists and dictionaries in place."""
    holders = _holders(root)
    if not holders:
        return
    holder = rng.choice(holders)
    keys = list(holder) if isinstance(holder, dict) else list(range(len(holder)))
    key = rng.choice(keys)
    match rng.randrange(6):
        case 0:
            holder[key] = rng.choice(ODD)
        case 1:
            del holder[key]
        case 2 if isinstance(holder, dict):
            holder[rng.choice(WORDS)] = holder[key]
        case 2:
            holder.insert(key, holder[key])
        case 3:
            # A copy, because nothing may hold itself.
            holder[key] = copy.deepcopy(rng.choice(holders))
        case 4:
            holder[key] = _nearby(holder[key], rng, flat)
        case _ if repeatable:
            holder[key] = [holder[key]] * rng.randint(0, 10)


def _nearby(value: Any, rng: random.Random, flat: Callable[[bytes], bytes]) -> Any:
    """Another value of the same type."""
    match value:
        case bool():
            return not value
        case int() | float():
            return value * rng.choice([-1, 2, 1000, 1e300, 1e-300]) + rng.choice([0, 1, -1])
        case str():
            return flat(value.encode()).decode(errors="replace")
        case bytes():
            return mutated(value, rng, flat)
    return rng.choice(ODD)


def _holders(root: Any) -> list[Any]:
    """Every list and dictionary with something in it, once however often it occurs."""
    holders: dict[int, Any] = {}
    left = [root]
    while left:
        node = left.pop()
        if isinstance(node, list | dict) and node and id(node) not in holders:
            holders[id(node)] = node
            left.extend(node.values() if isinstance(node, dict) else node)
    return list(holders.values())
