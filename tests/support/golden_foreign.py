"""Golden messages of foreign protocols: what arrives, and what must come of it."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from vehicle.batch import Event
from vehicle.foreign import ForeignMessage
from vehicle.rejection import Rejection

_FOLDER = Path(__file__).parents[1] / "golden"
RECEIVED_AT = datetime(2026, 9, 1, 8, tzinfo=UTC)


def golden(protocol: str) -> list[Any]:
    """The cases of one protocol, as parameters of a test."""
    return [
        pytest.param(case, id=f"{path.stem}-{number}-{case['topic']}")
        for path in sorted((_FOLDER / protocol).glob("*.json"))
        for number, case in enumerate(json.loads(path.read_text()))
    ]


def as_expected(case: dict[str, Any]) -> dict[str, Any]:
    """What a case says must come of its message."""
    if "rejected" in case:
        return {"rejected": case["rejected"]}
    values = {name: pytest.approx(value, nan_ok=True) for name, value in _with_nan(case.get("values", {})).items()}
    return {"values": values, "extra": case.get("extra", {}), "events": [_event(e) for e in case.get("events", ())]}


def as_read(said: ForeignMessage | Rejection) -> dict[str, Any]:
    """What came of it, in the same form."""
    if isinstance(said, Rejection):
        return {"rejected": said.reason}
    values = {name: value.tolist() if isinstance(value, np.ndarray) else value for name, value in said.values.items()}
    return {"values": values, "extra": said.extra, "events": [_shown(event) for event in said.events]}


def _with_nan(values: dict[str, Any]) -> dict[str, Any]:
    return {
        name: [np.nan if each is None else each for each in value] if isinstance(value, list) else value
        for name, value in values.items()
    }


def _event(told: dict[str, Any]) -> dict[str, Any]:
    at = RECEIVED_AT if told["at"] is None else datetime.fromisoformat(told["at"])
    return {
        "at": at,
        "received": told.get("received", told["at"] is None),
        "kind": told["kind"],
        "code": told.get("code"),
        "status": told.get("status"),
        "details": told["details"],
    }


def _shown(event: Event) -> dict[str, Any]:
    code = event.trouble_code
    return {
        "at": event.at,
        "received": event.time_received,
        "kind": event.kind,
        "code": code and code.code,
        "status": code and int(code.status),
        "details": event.details,
    }
