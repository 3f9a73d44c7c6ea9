"""What of an outbox has not been published yet by this process: events first, each channel in its order."""

from collections import deque
from typing import Final

from agent.draft import Kept
from agent.outbox import Outbox
from vehicle.topics import Channel

_READ_AHEAD: Final = 50


class Unsent:
    """Reads an outbox once through, in pieces, and goes on when more is appended."""

    def __init__(self, outbox: Outbox) -> None:
        self._outbox = outbox
        self._read_to = {Channel.EVENT: 0, Channel.TELEMETRY: 0}
        self._ahead: dict[Channel, deque[Kept]] = {channel: deque() for channel in self._read_to}
        self._nothing_since = dict.fromkeys(self._read_to, -1)

    def next(self) -> Kept | None:
        """The next message; it is not given again."""
        for channel, ahead in self._ahead.items():
            appends = self._outbox.appends
            if not ahead and self._nothing_since[channel] != appends:
                ahead.extend(self._outbox.read(channel, self._read_to[channel], _READ_AHEAD))
            if ahead:
                self._read_to[channel] = ahead[0].position
                return ahead.popleft()
            self._nothing_since[channel] = appends
        return None
