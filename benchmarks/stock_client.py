"""The stock client as its users write it, with a handler that does nothing but acknowledge.

``python -m benchmarks.stock_client HOST PORT TOPICS MESSAGES`` takes so many messages from its persistent session,
says in one JSON object when it was done and what CPU its process has used, and ends; with 0 messages it makes the
session. It imports nothing but paho, so that nothing else is measured.
"""

import json
import sys
import time
from typing import Any, Final

from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

RECEIVE_MAXIMUM: Final = 500
"""The same as ingest's."""
_SESSION_EXPIRY_S: Final = 3600


def _main(host: str, port: int, topics: str, messages: int) -> None:
    acknowledged = 0

    def on_message(client: Client, _data: Any, message: MQTTMessage) -> None:
        nonlocal acknowledged
        client.ack(message.mid, message.qos)
        acknowledged += 1
        if acknowledged == messages:
            sys.stdout.write(json.dumps({"finished_at": time.monotonic(), "cpu_s": time.process_time()}))
            client.disconnect()

    client = Client(
        CallbackAPIVersion.VERSION2,
        client_id="bench-stock-client",
        protocol=MQTTProtocolVersion.MQTTv5,
        manual_ack=True,
    )
    client.on_message = on_message
    client.on_connect = lambda client, *_: client.subscribe(topics, 1)
    if not messages:
        client.on_subscribe = lambda client, *_: client.disconnect()
    properties = Properties(PacketTypes.CONNECT)
    properties.SessionExpiryInterval = _SESSION_EXPIRY_S
    properties.ReceiveMaximum = RECEIVE_MAXIMUM
    client.connect(host, port, clean_start=False, properties=properties)
    client.loop_forever()


if __name__ == "__main__":
    _main(sys.argv[1], int(sys.argv[2]), sys.argv[3], int(sys.argv[4]))
