"""Fills the broker's queues: publishes a backlog as fast as the broker takes it."""

from collections.abc import Iterable

from benchmarks.cars import Publication
from benchmarks.light_client import BrokerError, LightClient
from vehicle.codec import MESSAGEPACK


def publish_backlog(broker: tuple[str, int], messages: Iterable[Publication]) -> None:
    """Publish messages at QoS 1, and return when the broker has each of them for somebody.

    Raises:
        BrokerError: if it refuses one or keeps it for nobody.
    """
    with LightClient(broker, "bench-backlog") as client:
        for message in messages:
            client.publish(message.topic, message.payload, MESSAGEPACK, message.user)
        client.wait_until_confirmed()
    if client.unwanted:
        raise BrokerError(f"the broker has nobody to keep {client.unwanted} messages for")
