"""One connection to the broker, its messages, and what a party to it can do; the only face of paho's packets."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol

from paho.mqtt.client import MQTTMessage
from paho.mqtt.enums import MQTTErrorCode
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

if TYPE_CHECKING:
    from agent.mqtt_client import MqttClient

_DEFAULT_RECEIVE_MAXIMUM: Final = 65_535
"""MQTT 5, 3.2.2.3.3: what a broker that names none accepts."""


class Message(NamedTuple):
    """One message as the broker delivered it."""

    topic: str
    payload: bytes
    qos: int
    packet_id: int
    content_type: str | None
    user: Mapping[str, str]
    """The MQTT 5 user properties; of a name that stands twice the last."""
    retain: bool = False
    """Kept by the broker from before we subscribed, so not new."""


class Connection:
    """One connection to the broker, from CONNACK to its end; used on the link's thread only."""

    def __init__(self, client: "MqttClient", *, session_present: bool, properties: Properties | None) -> None:
        self._client = client
        self.session_present = session_present
        self.paused = False
        """Set by the party: the link reads little more before this is False again, at most what it is just reading."""
        self.receive_maximum: int = getattr(properties, "ReceiveMaximum", _DEFAULT_RECEIVE_MAXIMUM)
        self.maximum_packet_bytes: int | None = getattr(properties, "MaximumPacketSize", None)

    def publish(
        self,
        topic: str,
        payload: bytes,
        *,
        retain: bool = False,
        content_type: str | None = None,
        user: Mapping[str, str] | None = None,
    ) -> int | None:
        """Hand one message of QoS 1 to the network; its packet id, or None if the connection has just ended."""
        properties = properties_of(PacketTypes.PUBLISH)
        if content_type is not None:
            properties.ContentType = content_type
        if user:
            properties.UserProperty = list(user.items())
        info = self._client.publish(topic, payload, 1, retain, properties)
        return info.mid if info.rc is MQTTErrorCode.MQTT_ERR_SUCCESS else None

    def tell(self, topic: str, payload: bytes, content_type: str) -> None:
        """Hand one message of QoS 0 to the network; it is gone if the connection has just ended."""
        self._client.tell(topic, payload, content_type)

    def acknowledge(self, message: Message) -> None:
        """Send the PUBACK of a message that this connection has delivered."""
        if message.qos:
            self._client.ack(message.packet_id, message.qos)

    def subscribe(self, filters: Iterable[tuple[str, int]]) -> None:
        """Ask for topics, each with its greatest QoS."""
        self._client.subscribe(list(filters))

    def unsubscribe(self, filters: Iterable[str]) -> None:
        """Take leave from topics."""
        self._client.unsubscribe(list(filters))

    def close(self) -> None:
        """Hang up on purpose; the link connects again unless it is stopping."""
        self._client.disconnect()


class Party(Protocol):
    """What a link is for: its methods run on the link's thread, must not block, and end it if they raise."""

    def connected(self, connection: Connection) -> None:
        """The broker has accepted `connection`."""

    def received(self, connection: Connection, message: Message) -> None:
        """The broker delivered a message."""

    def settled(self, packet_id: int, *, reason: int) -> None:
        """The broker answered a publish with a PUBACK reason code."""

    def disconnected(self) -> None:
        """The connection is gone, and with it every packet id."""

    def turn(self, connection: Connection) -> float:
        """Do what is due; the seconds after which to be asked again, unless something happens before."""


def properties_of(kind: int) -> Properties:
    """An empty set of MQTT 5 properties for one kind of packet."""
    return Properties(kind)


def message_of(message: MQTTMessage) -> Message:
    """What paho has received."""
    properties = message.properties
    return Message(
        topic=message.topic,
        payload=bytes(message.payload),
        qos=message.qos,
        packet_id=message.mid,
        content_type=getattr(properties, "ContentType", None),
        user=dict(getattr(properties, "UserProperty", ())),
        retain=message.retain,
    )
