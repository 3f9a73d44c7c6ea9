"""Lengths as MQTT 5 writes them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from paho.mqtt.properties import VariableByteIntegers

from agent.framing import read_length, write_length

lengths = st.integers(0, 2**28 - 1) | st.sampled_from([0, 127, 128, 16_383, 16_384, 2_097_151, 2_097_152])


@given(value=lengths, before=st.binary(max_size=5), behind=st.binary(max_size=5))
def test_a_length_is_written_as_by_paho_and_read_back(value: int, before: bytes, behind: bytes) -> None:
    written = write_length(value)
    assert written == VariableByteIntegers.encode(value)
    assert read_length(before + written + behind, len(before)) == (value, len(before) + len(written))


@given(value=lengths)
def test_a_length_that_is_not_all_there_is_told(value: int) -> None:
    with pytest.raises(IndexError):
        read_length(write_length(value)[:-1], 0)


def test_a_length_of_more_than_four_bytes_is_refused() -> None:
    with pytest.raises(ValueError, match="four bytes"):
        read_length(b"\xff\xff\xff\xff\x01", 0)
