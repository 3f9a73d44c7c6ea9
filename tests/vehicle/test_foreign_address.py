"""A topic tells protocol and car, and is never kept with the car's own name."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vehicle.foreign import ForeignName, ForeignProtocol
from vehicle.foreign_address import ForeignTopics, alias, is_ovms_name
from vehicle.identity import is_vehicle_id, without_vins

TOPICS = ForeignTopics("fleet/telemetry", "ovms")
VIN = "5YJ3E1EA8KF000001"


def test_the_beginning_of_a_topic_tells_the_protocol() -> None:
    tesla = TOPICS.address(f"fleet/telemetry/{VIN}/alerts/IDB_a022/current")
    ovms = TOPICS.address("ovms/alice/LEAF01/metric/v/b/soc")
    assert tesla is not None
    assert ovms is not None
    assert (tesla.sender, tesla.path) == (ForeignName(ForeignProtocol.TESLA, VIN), ("alerts", "IDB_a022", "current"))
    assert ovms.sender == ForeignName(ForeignProtocol.OVMS, "alice/LEAF01")
    assert ovms.path == ("metric", "v", "b", "soc")
    assert TOPICS.address("vsc/v1/car/telemetry") is None
    assert TOPICS.address("ovmsx/alice/LEAF01/metric") is None
    assert TOPICS.filters == ("fleet/telemetry/#", "ovms/#")


def test_a_protocol_without_a_base_is_not_served() -> None:
    assert ForeignTopics("", "").filters == ()
    assert ForeignTopics("", "ovms").address("/x") is None


@pytest.mark.parametrize("topic", ["ovms", "ovms/alice", "ovms/alice/LEAF01", "fleet/telemetry", "ovms/a/b/\x07"])
def test_a_topic_that_ends_early_or_cannot_be_shown_has_no_path(topic: str) -> None:
    address = TOPICS.address(topic)
    assert address is not None
    assert address.path == ()


def test_a_topic_is_kept_under_another_name_and_read_the_same() -> None:
    for topic in (f"fleet/telemetry/{VIN}/v/Soc", "ovms/alice@example.org/LEAF01/metric/v/b/soc"):
        address = TOPICS.address(topic)
        assert address is not None
        kept = address.kept_as("car-7")
        assert not any(name in kept for name in (VIN, "alice", "LEAF01"))
        again = TOPICS.address(kept)
        assert again is not None
        assert (again.protocol, again.path) == (address.protocol, address.path)
        assert again.name.endswith("car-7")


def test_an_alias_depends_on_name_protocol_and_secret_and_is_no_vehicles_id() -> None:
    senders = [ForeignName(protocol, name) for protocol in ForeignProtocol for name in ("a/b", VIN, "\udcff")]
    aliases = {alias(sender, secret) for sender in senders for secret in (b"one", b"two")}
    assert len(aliases) == 2 * len(senders)
    assert not any(map(is_vehicle_id, aliases))


@given(st.text())
def test_any_topic_under_a_base_has_an_address(rest: str) -> None:
    address = TOPICS.address(f"ovms/{rest}")
    assert address is not None
    assert address.kept_as("x").startswith("ovms/-/x")


@pytest.mark.parametrize("text", ["alice/LEAF01", "alice@example.org/B-XY 12"])
def test_names_of_ovms(text: str) -> None:
    assert is_ovms_name(text)


@pytest.mark.parametrize("text", ["", "alice", "alice/", "/LEAF01", "a/b/c", "a/+", "#/b", "a/\x00"])
def test_what_is_no_name_of_ovms(text: str) -> None:
    assert not is_ovms_name(text)


def test_vins_are_taken_out_of_texts_and_numbers_left() -> None:
    assert without_vins(f"car {VIN}, {VIN.lower()}; 12345678901234567 x{VIN}") == (
        f"car [vin], [vin]; 12345678901234567 x{VIN}"
    )
