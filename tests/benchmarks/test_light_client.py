"""The benchmarks' own client says what the stock one understands, and the other way round."""

import threading
from typing import Any

import pytest
from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

from benchmarks.light_client import BrokerError, LightClient

pytestmark = pytest.mark.integration


def test_what_it_publishes_arrives_whole_in_order_and_with_properties(broker: tuple[str, int]) -> None:
    sent = [bytes([number % 256]) * number for number in range(1200)]
    heard: list[MQTTMessage] = []
    subscribed, complete = threading.Event(), threading.Event()

    def on_message(_client: Client, _data: Any, message: MQTTMessage) -> None:
        heard.append(message)
        if len(heard) == len(sent):
            complete.set()

    stock = Client(CallbackAPIVersion.VERSION2, client_id="light-test", protocol=MQTTProtocolVersion.MQTTv5)
    stock.on_subscribe = lambda *_: subscribed.set()
    stock.on_message = on_message
    stock.connect(*broker)
    stock.loop_start()
    stock.subscribe("light/test", 1)
    assert subscribed.wait(10)
    with LightClient(broker, "light-publisher") as client:
        for number, payload in enumerate(sent):
            client.publish("light/test", payload, "application/x", {"seq": str(number)})
        client.wait_until_confirmed()
    assert complete.wait(10)
    stock.disconnect()
    stock.loop_stop()
    assert [message.payload for message in heard] == sent
    properties: Any = heard[-1].properties
    assert (properties.ContentType, properties.UserProperty) == ("application/x", [("seq", "1199")])
    assert client.unwanted == 0


def test_it_hears_what_it_subscribes_to(broker: tuple[str, int]) -> None:
    heard: list[tuple[str, bytes]] = []
    complete = threading.Event()

    def hear(topic: str, payload: bytes) -> None:
        heard.append((topic, payload))
        if len(heard) == 500:
            complete.set()

    with LightClient(broker, "light-hears", hear) as listener, LightClient(broker, "light-speaks") as speaker:
        listener.subscribe("light/+/heard")
        for number in range(500):
            speaker.publish(f"light/{number}/heard", b"x" * number * 10, "a/b", {})
        assert complete.wait(10)
    assert heard == [(f"light/{number}/heard", b"x" * number * 10) for number in range(500)]


def test_what_is_kept_for_nobody_is_counted(broker: tuple[str, int]) -> None:
    with LightClient(broker, "light-alone") as client:
        client.publish("light/nobody", b"", "a/b", {})
        client.wait_until_confirmed()
    assert client.unwanted == 1


def test_a_broker_that_hangs_up_is_an_error(broker: tuple[str, int]) -> None:
    # Another connection of the same client id ends the first.
    with LightClient(broker, "light-twice") as first, LightClient(broker, "light-twice"), pytest.raises(BrokerError):  # noqa: PT012
        while True:
            first.publish("light/nobody", b"", "a/b", {})
            first.wait_until_confirmed()
