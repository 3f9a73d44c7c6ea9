"""Which messages have been published without a stored-ack yet, and when each is due again."""


class Schedule:
    """Positions in the outbox, each due once; those put off last come last, those that are urgent first."""

    def __init__(self, patience_s: float) -> None:
        """An empty schedule.

        Args:
            patience_s: How long after `put_off` a position is due.
        """
        self._patience_s = patience_s
        # Python's dicts keep their order, and everything is put off for as long: the first is due first.
        self._due: dict[int, float] = {}
        self._urgent: dict[int, None] = {}

    def __len__(self) -> int:
        """How many there are."""
        return len(self._due) + len(self._urgent)

    def __contains__(self, position: int) -> bool:
        """Whether the position is still to come."""
        return position in self._due or position in self._urgent

    def put_off(self, position: int, now: float) -> None:
        """Make the position, new or not, due after the whole patience."""
        self.remove(position)
        self._due[position] = now + self._patience_s

    def hurry(self, position: int) -> None:
        """Make the position due at once."""
        self.remove(position)
        self._urgent[position] = None

    def remove(self, position: int) -> None:
        """Forget the position, if it is here."""
        self._due.pop(position, None)
        self._urgent.pop(position, None)

    def due(self, now: float) -> int | None:
        """The first position that is due, if any."""
        if self._urgent:
            return next(iter(self._urgent))
        first = next(iter(self._due.items()), None)
        return None if first is None or first[1] > now else first[0]

    def wait_s(self, now: float) -> float:
        """How long nothing will be due."""
        if self._urgent:
            return 0.0
        return max(0.0, next(iter(self._due.values()), now + self._patience_s) - now)
