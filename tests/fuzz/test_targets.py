"""The quick part of `make fuzz`: every decoder given good, changed and random bytes, without coverage to guide them."""

import random
from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.fuzz import seeds
from tests.fuzz.mutation import mutated
from tests.fuzz.run import Result, table
from tests.fuzz.targets import TARGETS, _round_trip
from vehicle.wire import decode_ack, encode_ack

SEEDS = {name: list(target.seeds()) for name, target in TARGETS.items()}


@pytest.mark.parametrize("name", TARGETS)
def test_good_inputs_pass(name: str) -> None:
    for data in SEEDS[name]:
        TARGETS[name].check(data)


@pytest.mark.parametrize("name", TARGETS)
@given(data=st.binary(max_size=300))
@example(b"")
@settings(max_examples=100)
def test_random_bytes_pass(name: str, data: bytes) -> None:
    TARGETS[name].check(data)


@pytest.mark.parametrize("name", TARGETS)
@given(seed=st.integers(0, 2**32))
@settings(max_examples=150)
def test_good_inputs_that_were_changed_pass(name: str, seed: int) -> None:
    rng = random.Random(seed)
    data = rng.choice(SEEDS[name])
    head = 0 if data and data[0] >= 0x90 else 1
    TARGETS[name].check(data[:head] + mutated(data[head:], rng, _flat(rng)))


@given(seed=st.integers(0, 2**32))
@settings(max_examples=100)
def test_a_change_never_fails_and_mostly_keeps_the_form(seed: int) -> None:
    rng = random.Random(seed)
    for data in SEEDS["hello"]:
        assert isinstance(mutated(data[1:], rng, _flat(rng)), bytes)


def test_what_is_forgotten_on_the_way_is_found_out() -> None:
    forgetful = _round_trip(decode_ack, lambda ack, kind: encode_ack(replace(ack, missing=()), kind))
    with pytest.raises(AssertionError):
        list(map(forgetful, seeds.acks()))


def test_the_report_has_a_line_for_each_decoder() -> None:
    lines = list(table([Result("telemetry", inputs=1234), Result("hello", failure="ValueError: x")]))
    assert [line.split()[0] for line in lines] == ["decoder", "telemetry", "hello"]
    assert "1,234" in lines[1]
    assert lines[2].endswith("ValueError: x")


def _flat(rng: random.Random) -> Callable[[bytes], bytes]:
    """Changes of bytes, as the fuzzer makes them."""

    def change(payload: bytes) -> bytes:
        place = rng.randint(0, len(payload))
        return rng.choice(
            [payload[:place], payload[:place] + rng.randbytes(rng.randint(1, 4)) + payload[place + 1 :], payload * 2]
        )

    return change
