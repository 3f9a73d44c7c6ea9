"""Whether something that ingest needs is there, and since when: told by the thread that knows, read by any."""

from datetime import datetime
from typing import NamedTuple

from config.clock import Clock


class Standing(NamedTuple):
    """What a condition says."""

    works: bool
    since: datetime


class Condition:
    """Of one thing: whether it works, and since when it does or does not."""

    def __init__(self, clock: Clock, *, works: bool) -> None:
        self._clock = clock
        self._standing = Standing(works, clock.now())

    def tell(self, *, works: bool) -> None:
        """Take note of how it is now."""
        if works != self._standing.works:
            self._standing = Standing(works, self._clock.now())

    @property
    def standing(self) -> Standing:
        """How it is, in one piece."""
        return self._standing

    def away_s(self) -> float:
        """For how many seconds it has not worked; 0 while it does."""
        works, since = self._standing
        return 0.0 if works else max(0.0, (self._clock.now() - since).total_seconds())
