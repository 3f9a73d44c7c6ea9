"""paho's MQTT 5 client with quicker ways for what happens most: a PUBLISH comes in, a PUBACK and stored-acks go out.

What they rest on is private to paho, hence the upper bound of its version in `pyproject.toml`;
`tests/agent/test_mqtt_client.py` fails if a release moves them.
"""

import struct
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final

from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes

from agent.connection import Message, message_of, properties_of
from agent.publish_packet import read_publish, write_publish
from agent.stream import BufferedStream

_TYPE: Final = 0xF0
_PUBLISH: Final = 0x30
_PUBACK: Final = struct.Struct("!BBH").pack


class MqttClient(Client):
    """One connection's client, driven by a loop of ours: nothing is sent before `BufferedStream.flush`."""

    def __init__(self, client_id: str, received: Callable[[Message], None]) -> None:
        """Make a client that acknowledges nothing by itself.

        Args:
            client_id: Of the MQTT session.
            received: Is called with each message; an exception of it leaves through `loop_read`.
        """
        super().__init__(
            CallbackAPIVersion.VERSION2,
            client_id=client_id,
            protocol=MQTTProtocolVersion.MQTTv5,
            reconnect_on_failure=False,
            manual_ack=True,
        )
        self.stream: BufferedStream | None = None
        self._received = received
        # paho would queue what exceeds its own limit; the party keeps to the broker's limit instead.
        self.max_inflight_messages_set(0)
        self.on_message = lambda _client, _data, message: received(message_of(message))
        # With this set, paho leaves writing to our loop instead of writing each packet at once.
        self.on_socket_register_write = lambda *_: None

    def _create_socket(self) -> Any:
        plain: Any = super()._create_socket()
        self.stream = BufferedStream(plain)
        return self.stream

    def read_publishes(self, at_most: int) -> None:
        """Read messages of which all has been received, until something else comes next, which is paho's to read."""
        stream = self.stream
        if stream is None or self._in_packet["command"]:
            return
        for _ in range(at_most):
            packet = stream.next_packet()
            if packet is None or packet[0] & _TYPE != _PUBLISH:
                return
            message = read_publish(packet[0], packet[1])
            if message is None:
                return
            stream.skip(packet[2])
            self._last_bytes_received = time.monotonic()
            self._received(message)
            if self.socket() is None:  # what was received made the party hang up
                return

    def ack(self, mid: int, qos: int) -> MQTTErrorCode:
        """Acknowledge a message, at once if nothing else is to be written before."""
        if qos == 1 and self.stream is not None and not self.want_write():
            with suppress(OSError):
                self.stream.send(_PUBACK(0x40, 2, mid))
                return MQTTErrorCode.MQTT_ERR_SUCCESS
        return super().ack(mid, qos)

    def tell(self, topic: str, payload: bytes, content_type: str) -> None:
        """Publish at QoS 0, at once if nothing else is to be written before; it is gone if the connection has ended."""
        if self.stream is not None and not self.want_write():
            with suppress(OSError):
                self.stream.send(write_publish(topic, payload, content_type))
                return
        properties = properties_of(PacketTypes.PUBLISH)
        properties.ContentType = content_type
        self.publish(topic, payload, properties=properties)

    def _handle_publish(self) -> MQTTErrorCode:
        message = read_publish(self._in_packet["command"], self._in_packet["packet"])
        if message is None:
            return super()._handle_publish()
        self._received(message)
        return MQTTErrorCode.MQTT_ERR_SUCCESS
