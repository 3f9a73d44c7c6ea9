"""A name that stands twice in an object is found, whatever surrounds it."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vehicle.json_names import name_twice

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=12,
)


@given(values, st.booleans())
def test_no_name_stands_twice_in_what_was_a_dictionary(value: Any, ascii_only: bool) -> None:  # noqa: FBT001 - drawn
    assert name_twice(json.dumps(value, ensure_ascii=ascii_only).encode("utf-8", "surrogatepass")) is None


@given(st.text(max_size=4), values, values, st.dictionaries(st.text(max_size=3), values, max_size=3))
def test_a_name_that_stands_twice_is_told(name: str, first: Any, second: Any, rest: dict[str, Any]) -> None:
    rest.pop(name, None)
    pairs = [(name, first), *rest.items(), (name, second)]
    inner = "{" + ", ".join(f"{json.dumps(key)}: {json.dumps(value)}" for key, value in pairs) + "}"
    assert name_twice(f'{{"outer": [{inner}]}}'.encode()) == name


@pytest.mark.parametrize(
    "payload",
    [
        b'{"a": ":b", "b": 1, "c": {"b": 2}}',
        b'{"a":[{"b":1},{"b":2}]}',
        b'["a", "a"]',
        b'{"a": "a"}',
        b"not JSON",
        b"[" * 100_000 + b'{"a":1,"a":2}',
    ],
    ids=["colon", "siblings", "list", "value", "text", "depth"],
)
def test_what_is_alike_but_not_a_name_of_one_object_is_none(payload: bytes) -> None:
    assert name_twice(payload) is None


def test_names_that_differ_only_in_how_they_are_written_are_the_same() -> None:
    assert name_twice(rb'{"seq": 1, "\u0073eq": 2}') == "seq"
