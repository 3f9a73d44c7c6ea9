"""The topics that a session listens to, and what the broker must be told when they change."""

from collections.abc import Iterable
from typing import Final

from agent.connection import Connection

_FILTERS_A_PACKET: Final = 100
"""Topic filters in one packet: at most about 9 KB."""


class Subscriptions:
    """Wanted by one thread, told to the broker by the link's."""

    def __init__(self, wanted: Iterable[tuple[str, int]]) -> None:
        """Want these topic filters, each with its greatest QoS."""
        self._wanted = tuple(wanted)
        self._told: tuple[tuple[str, int], ...] | None = None

    def want(self, wanted: Iterable[tuple[str, int]]) -> None:
        """Want these from now on, and no others."""
        self._wanted = tuple(wanted)

    def begin(self, connection: Connection) -> None:
        """Tell a new connection all of them, also those that the broker may have kept."""
        self._told = ()
        self.tell(connection)

    def tell(self, connection: Connection) -> None:
        """Tell the broker what has changed."""
        wanted = self._wanted
        if wanted is self._told:
            return
        before = self._told or ()
        added = sorted(set(wanted) - set(before))
        left = sorted({name for name, _ in before} - {name for name, _ in wanted})
        for start in range(0, len(added), _FILTERS_A_PACKET):
            connection.subscribe(added[start : start + _FILTERS_A_PACKET])
        for start in range(0, len(left), _FILTERS_A_PACKET):
            connection.unsubscribe(left[start : start + _FILTERS_A_PACKET])
        self._told = wanted
