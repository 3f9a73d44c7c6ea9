"""The schedule against a plain list."""

from hypothesis import given
from hypothesis import strategies as st

from agent.schedule import Schedule

PATIENCE_S = 10.0


@given(
    steps=st.lists(st.tuples(st.sampled_from(("put_off", "hurry", "remove", "wait")), st.integers(1, 5)), max_size=40)
)
def test_what_is_due_comes_in_its_order(steps: list[tuple[str, int]]) -> None:
    schedule = Schedule(PATIENCE_S)
    plain: list[tuple[bool, float, int]] = []
    now = 0.0
    for step, number in steps:
        if step == "wait":
            now += number
        else:
            plain = [entry for entry in plain if entry[2] != number]
        if step == "put_off":
            schedule.put_off(number, now)
            plain.append((False, now + PATIENCE_S, number))
        elif step == "hurry":
            schedule.hurry(number)
            plain.append((True, now, number))
        elif step == "remove":
            schedule.remove(number)
        first = next((e for e in plain if e[0]), None) or next((e for e in plain if e[1] <= now), None)
        assert schedule.due(now) == (None if first is None else first[2])
        assert len(schedule) == len(plain)
        assert all((position in schedule) == any(e[2] == position for e in plain) for position in range(1, 6))
        if first is not None:
            assert schedule.wait_s(now) == 0
        else:
            assert schedule.wait_s(now) == min((e[1] - now for e in plain), default=PATIENCE_S)
