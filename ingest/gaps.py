"""Waits for what is missing: enters it in the gap ledger when it is late, and asks the cars for it.

What is missing is seen from the stored-acks, so that batches in flight cost nothing but a look now and then. How far
long boots have come is noted at the same time, for the next start. All of it runs on the writer's thread.

Errors: psycopg's own; `tend` and `ask_everything` may simply be called again.
"""

import time
from collections import OrderedDict
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import islice
from typing import Any, Final, NamedTuple

import psycopg
import structlog

from config.clock import Clock
from ingest.missing import GapLimits, Missing, asked, restored, seen
from ingest.shard import Shard
from storage import boot_progress, sequence_gaps, vehicles
from storage.boot_progress import Boot
from storage.ledger import stored_ranges
from storage.sequence_gaps import SequenceGap
from vehicle.batch import StoredAck
from vehicle.command import SendAgain

NOTED_EVERY: Final = 1000
"""Batches of a boot that a start may have to read again, beyond the first gap."""
_LONGEST_LOOK_PAUSE: Final = timedelta(seconds=5)
_MOST_BOOTS: Final = 50_000
"""In memory; of one that is forgotten the tables tell again."""
_BOOTS_A_LOOK: Final = 5_000
_COMMANDS_A_TURN: Final = 200
"""Each costs the link about 0.1 ms, in which it acknowledges nothing."""

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class _Progress:
    """What is known of one boot."""

    noted: int = 0
    """In `boot_progress`."""
    missing: tuple[Missing, ...] = ()

    @property
    def entered(self) -> tuple[SequenceGap, ...]:
        """What stands, or is to stand, in the gap ledger."""
        return tuple(each.entered for each in self.missing if each.entered is not None)


class OpenGaps(NamedTuple):
    """What is entered in the gap ledger of cars heard lately."""

    ranges: int = 0
    batches: int = 0


class Gaps:
    """The gaps of the boots that one shard's process hears."""

    def __init__(
        self,
        shard: Shard,
        clock: Clock,
        limits: GapLimits | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._shard = shard
        self._clock = clock
        self._limits = limits or GapLimits()
        self._monotonic = monotonic
        self._look_every_s = min(self._limits.ask_after / 4, _LONGEST_LOOK_PAUSE).total_seconds()
        self._look_at = monotonic()
        self._noted: dict[Boot, StoredAck] = {}
        self._heard: dict[str, float] = {}
        self._boots: OrderedDict[Boot, _Progress] = OrderedDict()
        self._everything: dict[Boot, None] = {}
        self.open = OpenGaps()
        """As of the last look; any thread may read it."""

    def note(self, acks: Iterable[tuple[str, StoredAck]]) -> None:
        """Take note of what vehicles are told; none of it may be newer than what is committed."""
        at = self._monotonic()
        for vehicle_id, ack in acks:
            self._noted[vehicle_id, ack.boot] = ack
            self._heard[vehicle_id] = at

    def due(self) -> bool:
        """Whether there is something to do."""
        return bool(self._everything) or (bool(self._heard) and self._monotonic() >= self._look_at)

    def ask_everything(self, connection: psycopg.Connection[Any]) -> None:
        """Have all vehicles heard lately asked for whatever is not stored: the broker has lost what waited for us."""
        lately = boot_progress.heard_lately(connection, self._limits.heard_within)
        boots = [boot for boot in {**dict.fromkeys(lately), **self._boots} if self._shard.has(boot[0])]
        log.info("vehicles_asked_for_everything", boots=len(boots))
        self._everything |= dict.fromkeys(boots)

    def tend(self, connection: psycopg.Connection[Any]) -> list[tuple[str, SendAgain]]:
        """Do what is due; the commands that are to be sent before any later stored-ack, each with its vehicle.

        Args:
            connection: In autocommit mode.
        """
        if self._everything:
            part = list(islice(self._everything, _COMMANDS_A_TURN))
            # Read just now: what is stored and told since would count as lost, were it asked for.
            commands = [(boot[0], _everything_else(stored_ranges(connection, *boot))) for boot in part]
            for boot in part:
                del self._everything[boot]
            return commands
        at = self._monotonic()
        noted = {boot: self._noted[boot] for boot in islice(self._noted, _BOOTS_A_LOOK)}
        # Of what may be asked for the latest must be known, or what has just been stored would count as lost.
        waiting = [boot for boot, progress in self._boots.items() if progress.missing and boot in self._noted]
        noted |= {boot: self._noted[boot] for boot in waiting}
        before = self._read(connection, noted, at)
        after = {boot: self._judged(progress, noted.get(boot), at) for boot, progress in before.items()}
        after = _dated(connection, after, at)
        commands = self._ask(after, at)
        _write(connection, {boot: one for boot, one in after.items() if one != before[boot]}, before)
        self._keep(after, noted, at)
        return commands

    def _read(self, connection: psycopg.Connection[Any], noted: Collection[Boot], at: float) -> dict[Boot, _Progress]:
        """What is known of the boots just heard, and of those that something is missing of."""
        fresh = [boot for boot in noted if boot not in self._boots]
        entered: dict[Boot, list[Missing]] = {}
        for gap in sequence_gaps.of_boots(connection, fresh):
            entered.setdefault((gap.vehicle_id, gap.boot), []).append(restored(gap, at, self._limits))
        through = boot_progress.noted(connection, fresh)
        read = {boot: _Progress(through.get(boot, 0), tuple(entered.get(boot, ()))) for boot in fresh}
        waiting = {boot: progress for boot, progress in self._boots.items() if boot in noted or progress.missing}
        return read | waiting

    def _judged(self, progress: _Progress, ack: StoredAck | None, at: float) -> _Progress:
        if ack is None:
            return progress
        contiguous = ack.missing[0][0] - 1 if ack.missing else ack.through
        grown = contiguous >= progress.noted + NOTED_EVERY
        return _Progress(contiguous if grown else progress.noted, seen(progress.missing, ack.missing, at, self._limits))

    def _ask(self, boots: dict[Boot, _Progress], at: float) -> list[tuple[str, SendAgain]]:
        """Ask for what is due of the cars heard lately; `boots` then says so."""
        commands: list[tuple[str, SendAgain]] = []
        present = self._clock.now()
        for (vehicle_id, boot), progress in boots.items():
            due = [each for each in progress.missing if each.entered is not None and each.ask_at <= at]
            if not due or not self._hears(vehicle_id, at) or len(commands) == _COMMANDS_A_TURN:
                continue
            missing = tuple(
                asked(each, at, present, self._limits) if each in due else each for each in progress.missing
            )
            boots[vehicle_id, boot] = replace(progress, missing=missing)
            commands.append((vehicle_id, SendAgain(boot, tuple((each.first, each.last) for each in due))))
        return commands

    def _keep(self, boots: Mapping[Boot, _Progress], noted: Iterable[Boot], at: float) -> None:
        for boot in noted:
            del self._noted[boot]
        for boot, progress in boots.items():
            self._boots[boot] = progress
            self._boots.move_to_end(boot)
        self._heard = {
            vehicle_id: heard_at for vehicle_id, heard_at in self._heard.items() if self._hears(vehicle_id, at)
        }
        for boot in [boot for boot in self._boots if boot[0] not in self._heard]:
            del self._boots[boot]
        while len(self._boots) > _MOST_BOOTS:
            self._boots.popitem(last=False)
        entered = [gap for progress in self._boots.values() for gap in progress.entered]
        self.open = OpenGaps(len(entered), sum(gap.last_seq - gap.first_seq + 1 for gap in entered))
        if not self._noted:
            self._look_at = at + self._look_every_s

    def _hears(self, vehicle_id: str, at: float) -> bool:
        return at - self._heard.get(vehicle_id, float("-inf")) <= self._limits.heard_within.total_seconds()


def _everything_else(stored: StoredAck) -> SendAgain:
    return SendAgain(stored.boot, stored.missing, stored.through + 1)


def _dated(connection: psycopg.Connection[Any], boots: Mapping[Boot, _Progress], at: float) -> dict[Boot, _Progress]:
    """The same with an entry for each range that has become a gap."""
    late = {
        (*boot, each.last): each
        for boot, progress in boots.items()
        for each in progress.missing
        if each.entered is None and each.ask_at <= at
    }
    since = sequence_gaps.stored_behind(connection, list(late)) if late else {}
    return {
        boot: replace(
            progress,
            missing=tuple(
                replace(each, entered=SequenceGap(*boot, each.first, each.last, since[*boot, each.last]))
                if (*boot, each.last) in since
                else each
                for each in progress.missing
            ),
        )
        for boot, progress in boots.items()
    }


def _write(
    connection: psycopg.Connection[Any], changed: Mapping[Boot, _Progress], before: Mapping[Boot, _Progress]
) -> None:
    further = [(*boot, one.noted) for boot, one in changed.items() if one.noted != before[boot].noted]
    other = [boot for boot, one in changed.items() if one.entered != before[boot].entered]
    if not further and not other:
        return
    with connection.transaction():
        held = vehicles.hold(connection, {vehicle_id for vehicle_id, _ in changed})
        boot_progress.note(connection, [one for one in further if one[0] in held])
        gaps = [gap for boot in other if boot[0] in held for gap in changed[boot].entered]
        sequence_gaps.replace(connection, other, gaps)
