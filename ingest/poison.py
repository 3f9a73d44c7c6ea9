"""Messages at which the process ends again and again are found out, and put in quarantine unread.

What is at work is noted in a file that is mapped into memory: the kernel keeps it when the process ends, however
that happens, and a note costs no system call. A process that starts finds there what its predecessor had at work
when it ended. A message that was at work at three ends is a suspect: it is not read with the others, but alone.
If the process has ended twice with nothing else at work, the message is the culprit.

A process that waits for the database or ends in order has nothing at work.
"""

import json
import mmap
import os
import struct
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Final

import structlog

from agent.connection import Message
from ingest.incoming import Incoming, unread
from vehicle.codec import MAX_PAYLOAD_BYTES
from vehicle.rejection import Rejection, RejectionReason

SUSPECT_AFTER: Final = 3
"""Ends of the process at which a message was at work, until it is handled alone."""
CULPRIT_AFTER: Final = 2
"""Of these ends, those at which nothing else was at work."""
READERS: Final = 2
"""Threads that read messages while others are stored."""
_MOST_AT_WORK: Final = 1024
"""Messages of one flush that are noted."""
_MOST_REMEMBERED: Final = 10_000
_HASH_BYTES: Final = 32
_COUNT: Final = struct.Struct("<I")
_STORING_AT: Final = 0
_FLUSH_BYTES: Final = _COUNT.size + _MOST_AT_WORK * _HASH_BYTES
_READING_AT: Final = _STORING_AT + _FLUSH_BYTES
_READER_BYTES: Final = _COUNT.size + MAX_PAYLOAD_BYTES
_PREPARING_AT: Final = _READING_AT + READERS * _READER_BYTES
_FILE_BYTES: Final = _PREPARING_AT + _FLUSH_BYTES

log = structlog.get_logger()


@dataclass(slots=True, eq=False)
class Suspect(Incoming):
    """A message that is not to be read before it is alone at work."""

    read: Callable[[Message], Incoming]


@dataclass(slots=True)
class _Record:
    ends: int = 0
    alone: int = 0

    @property
    def suspect(self) -> bool:
        return self.ends >= SUSPECT_AFTER

    @property
    def culprit(self) -> bool:
        return self.suspect and self.alone >= CULPRIT_AFTER


class PoisonGuard:
    """What one shard's process has at work, and what its predecessors ended with."""

    def __init__(self, folder: Path | None, name: str) -> None:
        """Make a guard that suspects nobody; `open` before it is used.

        Args:
            folder: Where the notes are; None: nothing outlives the process.
            name: Of the notes, one for each process.
        """
        self._folder = folder
        self._name = name
        self._notes: mmap.mmap = mmap.mmap(-1, _FILE_BYTES)
        self._records: dict[bytes, _Record] = {}
        self._suspects: set[bytes] = set()
        self._readers = 0
        self.culprits: list[bytes] = []
        """Payloads (SHA-256) that the predecessor's end has shown to be culprits."""

    def open(self) -> None:
        """Take note of how the predecessor ended, which must have; if that cannot be done, nobody is suspected."""
        if self._folder is not None:
            try:
                self._read_notes(self._folder)
            except OSError as error:
                log.warning("poison_notes_impossible", error=str(error))
        self._suspects = {hashed for hashed, record in self._records.items() if record.suspect}

    def reader(self, read: Callable[[Message], Incoming]) -> Callable[[Message], Incoming]:
        """`read`, for use by one thread, with the message noted while it is being read."""
        place = _READING_AT + self._readers * _READER_BYTES
        self._readers += 1
        if self._readers > READERS:
            raise ValueError(f"no more than {READERS} threads may read")
        notes, start = self._notes, place + _COUNT.size

        def read_noted(message: Message) -> Incoming:
            payload = message.payload
            size = len(payload)
            if size > MAX_PAYLOAD_BYTES:
                return read(message)
            if self._suspects and (hashed := sha256(payload).digest()) in self._suspects:
                return self._accused(message, hashed, read)
            notes[start : start + size] = payload
            _COUNT.pack_into(notes, place, size)
            incoming = read(message)
            # Not in a `finally`: an exception ends the process, and is to be seen by the next one.
            _COUNT.pack_into(notes, place, 0)
            return incoming

        return read_noted

    def portions(self, flush: Sequence[Incoming]) -> Iterator[Sequence[Incoming]]:
        """The flush in the portions that may be at work together."""
        if not self._suspects:
            yield flush
            return
        unsuspected = [incoming for incoming in flush if not isinstance(incoming, Suspect)]
        if unsuspected:
            yield unsuspected
        for incoming in flush:
            if isinstance(incoming, Suspect):
                yield [incoming]

    @contextmanager
    def at_work(self, portion: Sequence[Incoming]) -> Iterator[Sequence[Incoming]]:
        """Note a portion while it is stored, and give it back, read."""
        self._note(_STORING_AT, portion)
        yield [each.read(each.message) if isinstance(each, Suspect) else each for each in portion]
        self.rest()
        for each in portion:
            if isinstance(each, Suspect):
                self._suspects.discard(each.sha256)

    @contextmanager
    def preparing(self, flush: Sequence[Incoming]) -> Iterator[Sequence[Incoming]]:
        """Note a flush while it is made ready, and give it back; nothing of it where somebody is suspected."""
        if self._suspects:
            yield ()
            return
        self._note(_PREPARING_AT, flush)
        yield flush
        _COUNT.pack_into(self._notes, _PREPARING_AT, 0)

    def rest(self) -> None:
        """Note that nothing is being stored: what follows is not the fault of a message."""
        _COUNT.pack_into(self._notes, _STORING_AT, 0)

    def close(self) -> None:
        """Note that the process ends in order."""
        self.rest()
        _COUNT.pack_into(self._notes, _PREPARING_AT, 0)
        for reader in range(READERS):
            _COUNT.pack_into(self._notes, _READING_AT + reader * _READER_BYTES, 0)

    def _note(self, place: int, flush: Sequence[Incoming]) -> None:
        """The hashes first, then their number: what is half written counts for nothing."""
        hashes = b"".join([incoming.sha256 for incoming in flush[:_MOST_AT_WORK]])
        start = place + _COUNT.size
        self._notes[start : start + len(hashes)] = hashes
        _COUNT.pack_into(self._notes, place, len(hashes) // _HASH_BYTES)

    def _accused(self, message: Message, hashed: bytes, read: Callable[[Message], Incoming]) -> Incoming:
        record = self._records[hashed]
        rejection = Rejection(RejectionReason.POISON, f"the process has ended {record.ends} times with it at work")
        incoming = unread(message, hashed, rejection)
        if record.culprit:
            return incoming
        return Suspect(message, hashed, incoming.vehicle_id, incoming.key, rejection, read)

    def _read_notes(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        memory = folder / f"{self._name}.ends"
        descriptor = os.open(folder / f"{self._name}.work", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            # A hole in the file would end the process when it is written to and the disk is full.
            os.posix_fallocate(descriptor, 0, _FILE_BYTES)
            self._notes = mmap.mmap(descriptor, _FILE_BYTES)
        finally:
            os.close(descriptor)
        self._records = _remembered(memory)
        storing, reading = self._left_at_work()
        if storing or reading:
            self._blame(storing, reading)
            fresh = memory.with_suffix(".new")
            rows = {hashed.hex(): [record.ends, record.alone] for hashed, record in self._records.items()}
            fresh.write_text(json.dumps(rows))
            fresh.replace(memory)
        self.close()

    def _left_at_work(self) -> tuple[list[bytes], list[bytes]]:
        """Hashes of what was being stored or made ready, and of what was being read, when the predecessor ended."""
        storing = []
        for place in (_STORING_AT, _PREPARING_AT):
            count = min(_COUNT.unpack_from(self._notes, place)[0], _MOST_AT_WORK)
            start = place + _COUNT.size
            storing += [
                self._notes[at : at + _HASH_BYTES] for at in range(start, start + count * _HASH_BYTES, _HASH_BYTES)
            ]
        reading = []
        for place in range(_READING_AT, _PREPARING_AT, _READER_BYTES):
            size = min(_COUNT.unpack_from(self._notes, place)[0], MAX_PAYLOAD_BYTES)
            if size:
                reading.append(sha256(self._notes[place + _COUNT.size : place + _COUNT.size + size]).digest())
        return storing, reading

    def _blame(self, storing: Sequence[bytes], reading: Sequence[bytes]) -> None:
        # While one message is stored alone, another may be being read; the one alone has ended the process before.
        alone = storing if len(storing) == 1 else reading if not storing and len(reading) == 1 else ()
        for hashed in dict.fromkeys([*storing, *reading]):
            record = self._records.pop(hashed, _Record())
            known = record.culprit
            record.ends += 1
            record.alone += hashed in alone
            self._records[hashed] = record
            if record.culprit and not known:
                self.culprits.append(hashed)
        for oldest in list(self._records)[:-_MOST_REMEMBERED]:
            del self._records[oldest]
        log.warning("predecessor_ended_at_work", storing=len(storing), reading=len(reading))


def _remembered(memory: Path) -> dict[bytes, _Record]:
    """What earlier ends have shown; nothing, if that cannot be read."""
    try:
        return {bytes.fromhex(hashed): _Record(*counts) for hashed, counts in json.loads(memory.read_text()).items()}
    except (OSError, ValueError, TypeError, AttributeError):
        return {}
