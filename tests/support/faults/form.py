"""How much of a scenario is run: all that it says, or enough to notice when something has broken."""

from dataclasses import dataclass
from typing import Final

QUICK_MESSAGES: Final = 600


@dataclass(frozen=True, slots=True)
class Form:
    """The full form, or the quick one."""

    full: bool
    messages: int
    """How many a run sends."""

    def times(self, full: int, *, quick: int) -> int:
        """How often the fault strikes in this form."""
        return full if self.full else quick
