"""An MQTT 5 link that stays up: one thread that alone touches paho, a new paho client for each connection.

A connection is an object of its own, so an acknowledgement for a message of a lost connection cannot reach
the next one, where its packet id may mean another message. What the link is for is told by a `Party`, whose
methods run on the link's thread; other threads leave work for the party and call `Link.wake`.

Errors: `LinkError` from `Link.check` if the link's thread has ended by an exception. A broker that is away,
refuses or hangs up is not an error: the link tries again after a while, with full jitter.
"""

import select
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import structlog
from paho.mqtt.client import Client, ConnectFlags, DisconnectFlags
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from agent.bell import Bell
from agent.connection import Connection, Message, Party, properties_of
from agent.mqtt_client import MqttClient
from agent.stream import BufferedStream

_HANDSHAKE_S: Final = 10.0
_GOODBYE_S: Final = 2.0
"""What is still to be written when the link stops may take so long."""
_FIRST_DELAY_S: Final = 1.0
_LONGEST_TURN_S: Final = 1.0
"""paho's keep-alive is checked at least this often."""
_MESSAGES_A_TURN: Final = 25
_OTHER_PACKETS_A_TURN: Final = 4
_DISCONNECT_WITH_WILL: Final = 0x04
_NO_TOPIC: Final = "vsc/nothing"
"""Nobody subscribes to it: taking leave from it changes nothing, but the broker must answer."""

log = structlog.get_logger()


class LinkError(Exception):
    """The link's thread has ended; the cause is the exception that ended it."""


@dataclass(frozen=True, slots=True)
class Will:
    """What the broker publishes, retained, when a connection ends, with or without a goodbye."""

    topic: str
    payload: bytes


class Link:
    """Keeps `party` connected to a broker from `start` to `stop`."""

    def __init__(
        self,
        party: Party,
        host: str,
        port: int,
        *,
        client_id: str,
        rng: np.random.Generator,
        keepalive_s: int = 60,
        session_expiry_s: int = 0,
        receive_maximum: int = 100,
        longest_delay_s: float = 60.0,
        will: Will | None = None,
    ) -> None:
        self._party = party
        self._host = host
        self._port = port
        self._client_id = client_id
        self._rng = rng
        self._keepalive_s = keepalive_s
        self._longest_delay_s = longest_delay_s
        self._will = will
        self._properties = properties_of(PacketTypes.CONNECT)
        self._properties.SessionExpiryInterval = session_expiry_s
        self._properties.ReceiveMaximum = receive_maximum
        self._connection: Connection | None = None
        self._goodbye: int | None = None
        """Packet id of the question that is asked last on a connection."""
        self._failure: Exception | None = None
        self._stopping = threading.Event()
        self._bell: Bell | None = None
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin to connect; returns at once."""
        self._bell = Bell()
        self._thread = threading.Thread(
            target=self._run, args=[self._bell], name=f"mqtt-{self._client_id}", daemon=True
        )
        self._thread.start()

    def wake(self) -> None:
        """Have `Party.turn` called soon; from any thread."""
        if self._bell is not None:
            self._bell.ring()

    def check(self) -> None:
        """Raise LinkError if the link's thread has ended by an exception."""
        if self._failure is not None:
            raise LinkError(f"the link {self._client_id} has ended: {self._failure!r}") from self._failure

    def stop(self, timeout_s: float = 5.0) -> None:
        """Say goodbye to the broker and end the thread."""
        self._stopping.set()
        self.wake()
        if self._thread is not None and self._bell is not None:
            self._thread.join(timeout_s)
            if not self._thread.is_alive():
                self._bell.close()

    def _run(self, bell: Bell) -> None:
        attempt = 0
        try:
            while not self._stopping.is_set():
                if self._connect_and_serve(bell):
                    attempt = 0
                longest = min(self._longest_delay_s, _FIRST_DELAY_S * 2**attempt)
                attempt = min(attempt + 1, 16)
                self._stopping.wait(float(self._rng.uniform(0, longest)))
        except Exception as error:
            self._failure = error
            log.exception("link_ended", client_id=self._client_id)

    def _connect_and_serve(self, bell: Bell) -> bool:
        """One connection from beginning to end; whether the broker had accepted it."""
        client = self._client()
        try:
            client.connect(self._host, self._port, self._keepalive_s, clean_start=False, properties=self._properties)
        except OSError as error:
            log.info("broker_unreachable", client_id=self._client_id, error=str(error))
            return False
        try:
            self._serve(client, bell)
        finally:
            accepted, self._connection = self._connection is not None, None
            if accepted:
                self._party.disconnected()
        return accepted

    def _client(self) -> MqttClient:
        client = MqttClient(self._client_id, self._received)
        if self._will is not None:
            client.will_set(self._will.topic, self._will.payload, qos=1, retain=True)
        client.on_connect = lambda _client, _data, *told: self._on_connect(client, *told)
        client.on_disconnect = self._on_disconnect
        client.on_publish = self._on_publish
        client.on_unsubscribe = self._on_unsubscribe
        return client

    def _serve(self, client: MqttClient, bell: Bell) -> None:
        deadline = time.monotonic() + _HANDSHAKE_S
        leaving = False
        # Every call to paho may find the connection closed, and then takes its socket away.
        while client.socket() is not None:
            if (leaving or self._connection is None) and time.monotonic() > deadline:
                log.info("broker_silent", client_id=self._client_id)
                return
            if self._stopping.is_set() and self._connection is None:
                return
            wait_s = _LONGEST_TURN_S
            if self._connection is not None and not leaving:
                wait_s = self._party.turn(self._connection)
            if self._stopping.is_set() and not leaving:
                leaving, deadline = True, time.monotonic() + _GOODBYE_S
                _, self._goodbye = client.unsubscribe(_NO_TOPIC)
            if client.socket() is not None and client.stream is not None:
                paused = not leaving and self._connection is not None and self._connection.paused
                _exchange(client, client.stream, bell, max(0.0, min(wait_s, _LONGEST_TURN_S)), paused=paused)

    def _on_unsubscribe(self, client: Client, _data: Any, packet_id: int, *_: Any) -> None:
        """Hang up: the broker's answer proves that it has read all that was sent before the question.

        Without that, closing a socket into which the broker is still writing would reset the connection, and
        the last acknowledgements would be lost.
        """
        if packet_id != self._goodbye:
            return
        if self._will is None:
            client.disconnect()
        else:
            client.disconnect(ReasonCode(PacketTypes.DISCONNECT, identifier=_DISCONNECT_WITH_WILL))

    def _on_connect(
        self,
        client: MqttClient,
        flags: ConnectFlags,
        reason: ReasonCode,
        properties: Properties | None,
    ) -> None:
        if reason.is_failure:
            log.warning("broker_refuses", client_id=self._client_id, reason=str(reason))
            return
        connection = Connection(client, session_present=flags.session_present, properties=properties)
        self._connection = connection
        self._party.connected(connection)

    def _on_disconnect(
        self, _client: Client, _data: Any, _flags: DisconnectFlags, reason: ReasonCode, _properties: Any
    ) -> None:
        if not self._stopping.is_set():
            log.info("broker_disconnected", client_id=self._client_id, reason=str(reason))

    def _received(self, message: Message) -> None:
        if self._connection is not None:
            self._party.received(self._connection, message)

    def _on_publish(self, _client: Client, _data: Any, packet_id: int, reason: ReasonCode, _properties: Any) -> None:
        self._party.settled(packet_id, reason=reason.value)


def _exchange(client: MqttClient, stream: BufferedStream, bell: Bell, wait_s: float, *, paused: bool) -> None:
    """Write what there is, wait for the network or the bell, and unless `paused` read what has arrived."""
    _write(client, stream)
    if client.socket() is None:
        return
    descriptor = stream.fileno()
    poller = select.poll()
    poller.register(bell, select.POLLIN)
    wanted = 0 if paused else select.POLLIN
    poller.register(descriptor, wanted | (select.POLLOUT if stream.unsent or client.want_write() else 0))
    readable = stream.readable and not paused
    for ready, event in poller.poll(0 if readable else wait_s * 1000):
        if ready != descriptor:
            bell.heard()
        elif event & ~select.POLLOUT:
            readable = True
    if readable:
        _read(client, stream)
    client.loop_misc()


def _read(client: MqttClient, stream: BufferedStream) -> None:
    """Read the packets that have arrived; paho reads one at a time and does not tell whether more wait."""
    for _ in range(_OTHER_PACKETS_A_TURN):
        # Of what has been received first, so that paho asks the kernel only when there is no whole message left.
        client.read_publishes(_MESSAGES_A_TURN)
        if client.socket() is None:
            return
        client.loop_read()
        if client.socket() is None or not stream.readable:
            return


def _write(client: MqttClient, stream: BufferedStream) -> None:
    """Write what is to be written, as far as the network takes it; a lost connection shows at the next reading."""
    if client.want_write():
        client.loop_write()
    with suppress(OSError):
        stream.flush()
