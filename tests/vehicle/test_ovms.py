"""OVMS's metrics and notifications are read as they are documented; whatever else arrives is refused, never raised."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.golden_foreign import RECEIVED_AT, as_expected, as_read, golden
from vehicle import ovms
from vehicle.foreign import ForeignMessage
from vehicle.rejection import Rejection
from vehicle.signals import CATALOGUE, SignalKind

METRICS = sorted({signal.ovms.partition("[")[0] for signal in CATALOGUE.values() if signal.ovms})
levels = st.sampled_from(["metric", "notify", "data", "alert", "event", "client", "-42", "17"]) | st.text(max_size=9)
texts = st.text(alphabet="0123456789.,-+eE yesno", max_size=40) | st.text()
paths = st.lists(levels, max_size=6) | st.sampled_from(METRICS).map(lambda name: ["metric", *name.split(".")])


@pytest.mark.parametrize("case", golden("ovms"))
def test_golden_messages(case: dict[str, Any]) -> None:
    said = ovms.decode(case["topic"].split("/"), case["payload"].encode(), RECEIVED_AT)
    assert as_read(said) == as_expected(case)


def test_every_metric_of_the_catalogue_is_read() -> None:
    words = {SignalKind.BOOLEAN: "yes", SignalKind.ENUMERATION: "charging"}
    for signal in CATALOGUE.values():
        if signal.ovms:
            name, _, place = signal.ovms.partition("[")
            shown = "1,1,1,1" if place else words.get(signal.kind, "1")
            if name == "v.e.serv.time":
                shown = str(int(RECEIVED_AT.timestamp()))
            said = ovms.decode(["metric", *name.split(".")], shown.encode(), RECEIVED_AT)
            assert isinstance(said, ForeignMessage), signal.name
            assert signal.name in said.values


@given(paths, st.binary() | texts.map(lambda text: text.encode("utf-8", "replace")))
def test_reading_never_raises_and_keeps_to_the_ranges(path: list[str], payload: bytes) -> None:
    said = ovms.decode(path, payload, RECEIVED_AT)
    assert isinstance(said, ForeignMessage | Rejection)
    if isinstance(said, ForeignMessage):
        for name, ours in said.values.items():
            elements = ours.tolist() if not isinstance(ours, float) else [ours]
            assert all(not CATALOGUE[name].minimum > each for each in elements)
            assert all(not CATALOGUE[name].maximum < each for each in elements)


def test_a_list_without_end_is_refused() -> None:
    said = ovms.decode(["metric", "v", "b", "c", "voltage"], b"3.6," * 10_000, RECEIVED_AT)
    assert isinstance(said, Rejection)
