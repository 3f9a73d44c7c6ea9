"""Tesla's fleet-telemetry is read as it is documented, and whatever else arrives is refused, never raised."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.golden_foreign import RECEIVED_AT, as_expected, as_read, golden
from vehicle import tesla
from vehicle.foreign import ForeignMessage
from vehicle.rejection import Rejection
from vehicle.signals import CATALOGUE

FIELDS = [signal.tesla for signal in CATALOGUE.values() if signal.tesla]
levels = st.sampled_from(["v", "alerts", "errors", "connectivity", "current", "history", *FIELDS]) | st.text(max_size=9)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


@pytest.mark.parametrize("case", golden("tesla"))
def test_golden_messages(case: dict[str, Any]) -> None:
    said = tesla.decode(case["topic"].split("/"), case["payload"].encode(), RECEIVED_AT)
    assert as_read(said) == as_expected(case)


def test_every_field_of_the_catalogue_is_read() -> None:
    words = {"boolean": "true", "enumeration": None}
    for signal in CATALOGUE.values():
        if signal.tesla:
            payload = words.get(signal.kind, "1") or json.dumps(signal.values[0])
            said = tesla.decode(("v", signal.tesla), payload.encode(), RECEIVED_AT)
            assert isinstance(said, ForeignMessage), signal.name
            assert list(said.values) == [signal.name]


@given(st.lists(levels, max_size=4), st.binary() | json_values.map(lambda value: json.dumps(value).encode()))
def test_reading_never_raises(path: list[str], payload: bytes) -> None:
    assert isinstance(tesla.decode(path, payload, RECEIVED_AT), ForeignMessage | Rejection)


@given(st.sampled_from(FIELDS), json_values)
def test_a_value_is_in_its_signals_range_or_refused(field: str, value: Any) -> None:
    said = tesla.decode(("v", field), json.dumps(value).encode(), RECEIVED_AT)
    if isinstance(said, ForeignMessage):
        for name, ours in said.values.items():
            assert CATALOGUE[name].minimum <= ours <= CATALOGUE[name].maximum


def test_deep_and_endless_json_is_refused() -> None:
    for payload in (b"[" * 50_000, b"[" * 5_000 + b"]" * 5_000, b"9" * 5_000, b'"' + b"\\ud800" + b'"'):
        assert isinstance(tesla.decode(("v", "Soc"), payload, RECEIVED_AT), Rejection)
        assert isinstance(tesla.decode(("v", "Elsewhere"), payload, RECEIVED_AT), ForeignMessage | Rejection)
