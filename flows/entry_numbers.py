"""Which entries of the batch ledger have been seen, although they do not become visible in the order of their numbers.

Several ingest processes commit at once, so a lower number can appear after a higher one. What was skipped is asked for
again for as long as a transaction can take; after that it was rolled back.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

PATIENCE_S: Final = 60.0
"""Longer than any transaction of ingest: the database ends a statement after 30 s."""


@dataclass(slots=True)
class EntryNumbers:
    """All up to `through` but the missing ones."""

    through: int = 0
    missing: dict[int, float] = field(default_factory=dict)
    """Numbers that were skipped, and when that was noticed, on a monotonic clock in s."""

    def take(self, numbers: Iterable[int], now_s: float) -> None:
        """Note that entries were seen; forget the missing ones that will not come."""
        seen = set(numbers)
        top = max(seen, default=self.through)
        if top > self.through:
            skipped = set(range(self.through + 1, top)) - seen
            self.missing |= dict.fromkeys(skipped, now_s)
            self.through = top
        self.missing = {
            number: since for number, since in self.missing.items() if number not in seen and now_s - since < PATIENCE_S
        }
