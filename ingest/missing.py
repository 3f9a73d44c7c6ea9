"""What is missing of a boot as time goes by: when it was first seen, when it is due to be asked for; pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from agent.ranges import Range
from storage.sequence_gaps import SequenceGap


@dataclass(frozen=True, slots=True)
class GapLimits:
    """When what is missing is a gap, and how often a car is asked for it."""

    ask_after: timedelta = timedelta(seconds=30)
    """What is missing for less may be on its way; then the car is asked, and again after twice as long each time."""
    longest_pause: timedelta = timedelta(hours=1)
    heard_within: timedelta = timedelta(minutes=10)
    """A car that was not heard for so long is not asked."""

    def pause_s(self, asked: int) -> float:
        """How long to wait for an answer, having asked so often; seconds."""
        return float(min(self.ask_after * 2 ** min(asked, 30), self.longest_pause).total_seconds())


@dataclass(frozen=True, slots=True)
class Missing:
    """A closed range that is not in the ledger, with times in seconds of the monotonic clock."""

    first: int
    last: int
    ask_at: float
    """Earlier it is not asked for, and at first not held to be a gap."""
    entered: SequenceGap | None = None
    """What stands of it in the gap ledger, or is to stand there."""


def seen(before: Sequence[Missing], ranges: Sequence[Range], at: float, limits: GapLimits) -> tuple[Missing, ...]:
    """What is missing now: what is left of a range keeps what is known of it. All ascend."""
    return tuple(_seen(before, ranges, at + limits.ask_after.total_seconds()))


def _seen(before: Sequence[Missing], ranges: Sequence[Range], ask_at: float) -> Iterator[Missing]:
    older = iter(before)
    old = next(older, None)
    for first, last in ranges:
        while old is not None and old.last < first:
            old = next(older, None)
        if old is None or first < old.first or last > old.last:
            yield Missing(first, last, ask_at)
            continue
        entered = old.entered and replace(old.entered, first_seq=first, last_seq=last)
        yield Missing(first, last, old.ask_at, entered)


def restored(entered: SequenceGap, at: float, limits: GapLimits) -> Missing:
    """What a predecessor has entered; asked for no sooner than what is new."""
    return Missing(entered.first_seq, entered.last_seq, at + limits.ask_after.total_seconds(), entered)


def asked(missing: Missing, at: float, present: datetime, limits: GapLimits) -> Missing:
    """The same once the car has been asked for it."""
    if missing.entered is None:
        raise ValueError("what is not held to be a gap is not asked for")
    entered = replace(missing.entered, asked=missing.entered.asked + 1, asked_at=present)
    return replace(missing, ask_at=at + limits.pause_s(entered.asked), entered=entered)
