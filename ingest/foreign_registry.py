"""Which registered vehicle a foreign name means, kept in memory."""

import time
from collections.abc import Collection
from typing import Any, Final

import psycopg

from storage.vehicles import foreign_names, pseudonym_secret
from vehicle.foreign import ForeignName
from vehicle.foreign_address import alias

_REFRESH_S: Final = 30.0
"""A vehicle that has been forgotten may be heard so much longer."""
_AT_MOST_EVERY_S: Final = 1.0
"""A vehicle that has been registered is heard after so long, however many unknown ones there are."""


class ForeignRegistry:
    """The known foreign names, read again when another one speaks."""

    def __init__(self) -> None:
        self._known: dict[ForeignName, str] = {}
        self._secret = b""
        self._read_at = float("-inf")

    def look(self, connection: psycopg.Connection[Any], senders: Collection[ForeignName]) -> None:
        """Read the registry again if one of the senders may have been registered since, or after a while."""
        age_s = time.monotonic() - self._read_at
        if age_s > _REFRESH_S or (age_s > _AT_MOST_EVERY_S and not self._known.keys() >= set(senders)):
            self._known = foreign_names(connection)
            self._secret = pseudonym_secret(connection)
            self._read_at = time.monotonic()

    def vehicle_id(self, sender: ForeignName) -> str | None:
        """The vehicle that is registered under this name."""
        return self._known.get(sender)

    def alias(self, sender: ForeignName) -> str:
        """What an unknown sender is called where its name must not stand."""
        return alias(sender, self._secret)
