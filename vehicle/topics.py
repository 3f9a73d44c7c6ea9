"""The MQTT topic grammar: ``vsc/v1/<vehicle_id>/<channel>``, the only place where topics are built or read."""

from enum import StrEnum
from functools import lru_cache

from vehicle.identity import is_vehicle_id
from vehicle.rejection import Rejection, RejectionReason

PREFIX = "vsc/v1"


class Channel(StrEnum):
    """The last level of a topic."""

    TELEMETRY = "telemetry"
    """car to service centre: a columnar batch."""
    EVENT = "event"
    """car to service centre: trouble codes, drives, charges."""
    HELLO = "hello"
    """car to service centre: boot, software, what was dropped."""
    ACK = "ack"
    """service centre to car: the stored-ack."""
    COMMAND = "command"
    """service centre to car: send again, capture."""
    STATE = "state"
    """car to service centre, retained, also the will: online or offline."""


UPWARD = (Channel.TELEMETRY, Channel.EVENT, Channel.HELLO)
"""The channels ingest reads and acknowledges."""


def topic(vehicle_id: str, channel: Channel) -> str:
    """The topic of one vehicle's channel."""
    return f"{PREFIX}/{vehicle_id}/{channel}"


def subscription(channel: Channel) -> str:
    """The filter that matches this channel of every vehicle."""
    return f"{PREFIX}/+/{channel}"


@lru_cache(maxsize=32_768)
def parse_topic(text: str) -> tuple[str, Channel] | Rejection:
    """The vehicle and channel a topic names."""
    parts = text.split("/")
    if len(parts) == 4 and "/".join(parts[:2]) == PREFIX and is_vehicle_id(parts[2]):  # noqa: PLR2004
        try:
            return parts[2], Channel(parts[3])
        except ValueError:
            pass
    return Rejection(RejectionReason.UNKNOWN_TOPIC, "the topic is not vsc/v1/<vehicle_id>/<channel>")
