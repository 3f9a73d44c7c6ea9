"""Whose messages are taken: the registry of vehicles, kept in memory."""

import time
from collections.abc import Sequence
from typing import Any, Final

import psycopg

from ingest.incoming import Incoming
from storage.vehicles import known_ids
from vehicle.rejection import Rejection, RejectionReason

_REFRESH_S: Final = 30.0
"""A vehicle that has been forgotten may be heard so much longer."""
UNKNOWN: Final = Rejection(RejectionReason.UNKNOWN_VEHICLE, "the vehicle is not in the registry")


class Registry:
    """The known vehicles, read again whenever another one speaks."""

    def __init__(self) -> None:
        self._known: set[str] = set()
        self._read_at = float("-inf")

    def refuse_unknown(self, connection: psycopg.Connection[Any], flush: Sequence[Incoming]) -> Sequence[Incoming]:
        """The flush, with the messages of unknown vehicles refused."""
        speakers = {incoming.vehicle_id for incoming in flush} - {None}
        if not speakers <= self._known or time.monotonic() - self._read_at > _REFRESH_S:
            self._known = known_ids(connection)
            self._read_at = time.monotonic()
        if speakers <= self._known:
            return flush
        return [
            incoming if incoming.vehicle_id is None or incoming.vehicle_id in self._known else incoming.refused(UNKNOWN)
            for incoming in flush
        ]
