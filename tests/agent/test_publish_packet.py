"""Our reading of a PUBLISH agrees with paho's wherever it gives an answer."""

import struct
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from paho.mqtt._packet import decode_publish
from paho.mqtt.client import MQTTMessage
from paho.mqtt.enums import MQTTProtocolVersion
from paho.mqtt.exception import MalformedPacket
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from agent.connection import Message, message_of
from agent.framing import read_length
from agent.publish_packet import read_publish, write_publish

texts = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=20)


def packet(topic: str, payload: bytes, qos: int, properties: bytes) -> bytearray:
    name = topic.encode()
    packet_id = struct.pack("!H", 513) if qos else b""
    return bytearray(struct.pack("!H", len(name)) + name + packet_id + properties + payload)


def packed(**properties: Any) -> bytes:
    result = Properties(PacketTypes.PUBLISH)
    for name, value in properties.items():
        setattr(result, name, value)
    return bytes(result.pack())


def by_paho(header: int, content: bytearray) -> Message:
    read = decode_publish(header, content, MQTTProtocolVersion.MQTTv5)
    message = MQTTMessage(read.mid, read.topic)
    message.qos, message.retain = read.qos, read.retain
    message.payload, message.properties = bytes(read.payload), read.properties
    return message_of(message)


properties_of_a_message = st.fixed_dictionaries(
    {},
    optional={
        "ContentType": texts,
        "UserProperty": st.lists(st.tuples(texts, texts), min_size=1, max_size=4),
        "MessageExpiryInterval": st.integers(0, 2**32 - 1),
        "PayloadFormatIndicator": st.sampled_from([0, 1]),
    },
)


@given(topic=texts, payload=st.binary(max_size=300), flags=st.integers(0, 3), properties=properties_of_a_message)
def test_what_is_read_is_what_paho_reads(topic: str, payload: bytes, flags: int, properties: dict[str, Any]) -> None:
    header = 0x30 | flags
    content = packet(topic, payload, flags >> 1, packed(**properties))
    try:
        expected = by_paho(header, content)
    except MalformedPacket:  # a character that MQTT forbids: the broker lets none pass
        return
    assert read_publish(header, content) == expected


@given(
    topic=texts.filter(bool),
    payload=st.binary(max_size=300),
    content_type=st.none() | texts,
    user=st.dictionaries(texts, texts, max_size=3),
    packet_id=st.integers(0, 65_535),
)
def test_what_is_written_is_what_paho_and_we_read(
    topic: str, payload: bytes, content_type: str | None, user: dict[str, str], packet_id: int
) -> None:
    whole = write_publish(topic, payload, content_type, user, packet_id)
    length, start = read_length(whole, 1)
    assert start + length == len(whole)
    message = Message(topic, payload, int(packet_id > 0), packet_id, content_type, user)
    assert read_publish(whole[0], whole[start:]) == message
    try:
        assert by_paho(whole[0], bytearray(whole[start:])) == message
    except MalformedPacket:  # a character that MQTT forbids: the broker lets none pass
        return


@given(content=st.binary(max_size=80), header=st.integers(0x30, 0x3F))
def test_no_bytes_make_it_raise(content: bytes, header: int) -> None:
    message = read_publish(header, bytearray(content))
    if message is not None:
        assert len(message.payload) < len(content)


@pytest.mark.parametrize("kept", range(40))
def test_a_packet_cut_short_in_its_properties_is_left_to_paho(kept: int) -> None:
    whole = packet("t", b"", 1, packed(ContentType="application/json", UserProperty=[("boot", "aa"), ("seq", "1")]))
    assert kept < len(whole)
    assert read_publish(0x32, whole[:kept]) is None


@pytest.mark.parametrize(
    "properties", [packed(ResponseTopic="a"), packed(SubscriptionIdentifier=7), packed(CorrelationData=b"x")]
)
def test_other_properties_are_left_to_paho(properties: bytes) -> None:
    content = packet("t", b"x", 1, properties)
    assert read_publish(0x32, content) is None
    assert by_paho(0x32, content).payload == b"x"


def test_quality_of_service_two_is_left_to_paho() -> None:
    assert read_publish(0x34, packet("t", b"x", 2, packed())) is None


def test_a_topic_that_is_not_utf_8_is_kept_and_harms_nobody() -> None:
    message = read_publish(0x30, bytearray(b"\0\x02\xff\xfe\0payload"))
    assert message is not None
    assert message.topic == "\udcff\udcfe"
