"""What a proxy can do to a transaction's end: the server commits, and the client never hears of it."""

import threading
from collections.abc import Callable
from typing import Final

_COMMIT: Final = b"COMMIT\0"


class CommitRepliesLost:
    """Makes the fates of connections whose COMMIT arrives while its reply is lost, every other time, for a while."""

    def __init__(self, most: int, instead: Callable[[], None] = lambda: None) -> None:
        """Make fates.

        Args:
            most: How many replies are lost.
            instead: Called when the server has committed and the reply is thrown away.
        """
        self._left = most
        self._spare_next = False
        self._instead = instead
        self._lock = threading.Lock()

    @property
    def left(self) -> int:
        """How many replies are still to be lost."""
        return self._left

    def fate(self) -> "_Fate":
        """Of one more connection."""
        return _Fate(self)

    def lose(self) -> bool:
        """Whether the reply to this COMMIT is lost: no two in a row, or the client would wait longer and longer."""
        with self._lock:
            lost = self._left > 0 and not self._spare_next
            self._spare_next = lost
            self._left -= lost
            return lost

    def lost(self) -> None:
        """Take note that the server has committed."""
        self._instead()


class _Fate:
    def __init__(self, plan: CommitRepliesLost) -> None:
        self._plan = plan
        self._taken_hold = False
        self._keep_back = False
        self._tail = b""

    def up(self, data: bytes) -> tuple[bytes, bool]:
        seen = self._tail + data
        # An end that has been seen must not be seen again.
        self._tail = b"" if _COMMIT in seen else seen[-len(_COMMIT) + 1 :]
        if _COMMIT in seen:
            # The first is that of taking hold of the shard: losing it says nothing about what is stored.
            self._keep_back = self._taken_hold and self._plan.lose()
            self._taken_hold = True
        return data, False

    def down(self, data: bytes) -> tuple[bytes, bool]:
        if not self._keep_back:
            return data, False
        self._plan.lost()
        return b"", True
