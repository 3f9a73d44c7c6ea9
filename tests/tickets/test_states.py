from datetime import timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.a_visit import NOW, a_ticket
from tickets.states import ALLOWED, ForbiddenMoveError, made, move
from tickets.ticket import TicketState


@given(st.lists(st.sampled_from(TicketState)))
def test_only_listed_moves_happen_and_every_one_is_kept(wished: list[TicketState]) -> None:
    ticket = a_ticket()
    history = [made(ticket, "found")]
    for number, state in enumerate(wished):
        allowed = state in ALLOWED[ticket.state]
        try:
            ticket, step = move(ticket, state, NOW + timedelta(hours=number), "because")
        except ForbiddenMoveError:
            assert not allowed
        else:
            assert allowed
            history.append(step)
    assert history[-1].after is ticket.state
    assert all(before.after is after.before for before, after in pairwise(history))


def test_every_state_is_in_the_table_and_can_be_reached() -> None:
    assert set(ALLOWED) == set(TicketState)
    assert {TicketState.OPEN, *(state for states in ALLOWED.values() for state in states)} == set(TicketState)


@pytest.mark.parametrize("state", [TicketState.DONE, TicketState.CANCELLED])
def test_what_is_over_stays_over(state: TicketState) -> None:
    assert not ALLOWED[state]


def test_a_ticket_begins_open() -> None:
    with pytest.raises(ForbiddenMoveError):
        made(a_ticket(state=TicketState.BOOKED), "found")
