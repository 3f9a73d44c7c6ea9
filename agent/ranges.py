"""Closed ranges of sequence numbers: what a stored-ack covers, what a command asks for, and what is left out; pure."""

from collections.abc import Iterable, Iterator

from vehicle.batch import StoredAck
from vehicle.command import SendAgain

Range = tuple[int, int]
"""First and last, both included."""


def covered(ack: StoredAck) -> Iterator[Range]:
    """What a stored-ack says is safe."""
    return holes(1, ack.through, sorted(ack.missing))


def asked_for(command: SendAgain, last_seq: int) -> list[Range]:
    """What a command asks for of a boot that has come as far as `last_seq`; disjoint and ascending."""
    ranges = [*command.ranges, *([(command.beyond, last_seq)] if command.beyond is not None else [])]
    merged: list[Range] = []
    for first, last in sorted((first, min(last, last_seq)) for first, last in ranges):
        if first > last:
            continue
        if merged and first <= merged[-1][1] + 1:
            merged[-1] = (merged[-1][0], max(last, merged[-1][1]))
        else:
            merged.append((first, last))
    return merged


def holes(first: int, last: int, taken: Iterable[Range]) -> Iterator[Range]:
    """What of first..last no range of `taken`, which ascend by their first, holds."""
    for taken_first, taken_last in taken:
        if taken_first > first:
            yield first, min(taken_first - 1, last)
        first = max(first, taken_last + 1)
        if first > last:
            return
    if first <= last:
        yield first, last
