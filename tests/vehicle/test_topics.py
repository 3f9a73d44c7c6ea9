"""The topic grammar: what is built is read back, and nothing else is."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vehicle.rejection import Rejection, RejectionReason
from vehicle.topics import Channel, parse_topic, subscription, topic

vehicle_ids = st.from_regex(r"[A-Za-z0-9_-]{1,64}", fullmatch=True)


@given(vehicle_id=vehicle_ids, channel=st.sampled_from(Channel))
def test_a_topic_names_its_vehicle_and_channel(vehicle_id: str, channel: Channel) -> None:
    assert parse_topic(topic(vehicle_id, channel)) == (vehicle_id, channel)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "vsc/v1/car",
        "vsc/v2/car/telemetry",
        "vsc/v1/car/telemetry/x",
        "vsc/v1//telemetry",
        "vsc/v1/ca r/ack",
        "vsc/v1/car/else",
    ],
)
def test_other_topics_are_refused(text: str) -> None:
    refused = parse_topic(text)
    assert isinstance(refused, Rejection)
    assert refused.reason is RejectionReason.UNKNOWN_TOPIC


def test_a_subscription_leaves_the_vehicle_open() -> None:
    assert subscription(Channel.TELEMETRY) == "vsc/v1/+/telemetry"
