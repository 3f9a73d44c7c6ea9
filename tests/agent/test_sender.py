"""The sender's decisions, with a connection that only writes down what it is given."""

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import pytest

from agent.connection import Connection, Message
from agent.draft import Draft
from agent.introductions import Introductions
from agent.outbox import Outbox
from agent.sender import AckMode, Sender
from tests.support.some_batches import BOOT, NOW
from vehicle.batch import Hello, StoredAck
from vehicle.codec import JSON
from vehicle.command import SendAgain, encode_command
from vehicle.topics import Channel
from vehicle.wire import decode_hello, encode_ack

RESEND_AFTER_S = 0.05


@dataclass
class PaperConnection:
    """Stands in for `agent.connection.Connection`."""

    receive_maximum: int = 100
    maximum_packet_bytes: int | None = None
    published: list[tuple[str, bytes, Mapping[str, str]]] = field(default_factory=list)
    subscribed: list[str] = field(default_factory=list)
    acknowledged: list[Message] = field(default_factory=list)
    alive: bool = True

    def publish(self, topic: str, payload: bytes, *, user: Mapping[str, str] | None = None, **_rest: Any) -> int | None:
        if not self.alive:
            return None
        self.published.append((topic, payload, user or {}))
        return len(self.published)

    def subscribe(self, filters: Any) -> None:
        self.subscribed += [name for name, _ in filters]

    def acknowledge(self, message: Message) -> None:
        self.acknowledged.append(message)

    def batches(self) -> list[int]:
        """The seqs published, in their order; hellos left out."""
        return [int(user["seq"]) for _, _, user in self.published if user]

    def hellos(self) -> list[Hello]:
        return [cast("Hello", decode_hello(p)) for topic, p, _ in self.published if topic.endswith("/hello")]


@pytest.fixture
def outbox(tmp_path: Path) -> Iterator[Outbox]:
    outbox = Outbox(tmp_path / "outbox.db")
    yield outbox
    outbox.close()


def a_sender(outbox: Outbox, **changes: Any) -> Sender:
    settings: dict[str, Any] = {
        "resend_after_s": RESEND_AFTER_S,
        "in_flight": 20,
        "window": 1000,
        "introductions": Introductions(outbox, "test", lambda: NOW),
        "presence": None,
        "changed": lambda: None,
    }
    return Sender(outbox, **(settings | changes))


def fill(outbox: Outbox, count: int, channel: Channel = Channel.TELEMETRY, vehicle_id: str = "car-1") -> None:
    first = outbox.next_seq(vehicle_id, BOOT)
    outbox.append(
        Draft(vehicle_id, BOOT, seq, channel, "application/msgpack", 1, b"payload %d" % seq)
        for seq in range(first, first + count)
    )


def connect(sender: Sender, **properties: Any) -> tuple[PaperConnection, Connection]:
    paper = PaperConnection(**properties)
    connection = cast("Connection", paper)
    sender.connected(connection)
    sender.turn(connection)
    return paper, connection


def stored(through: int, *missing: tuple[int, int], vehicle_id: str = "car-1") -> Message:
    payload = encode_ack(StoredAck(BOOT, through, missing))
    return Message(f"vsc/v1/{vehicle_id}/ack", payload, 0, 0, JSON, {})


def asked(*ranges: tuple[int, int], beyond: int | None = None, boot: str = BOOT, retain: bool = False) -> Message:
    return Message("vsc/v1/car-1/command", encode_command(SendAgain(boot, ranges, beyond)), 0, 0, JSON, {}, retain)


def test_connecting_subscribes_says_hello_and_publishes_in_order(outbox: Outbox) -> None:
    fill(outbox, 3)
    paper, _ = connect(a_sender(outbox))
    assert paper.subscribed == ["vsc/v1/car-1/ack", "vsc/v1/car-1/command"]
    assert [(h.vehicle_id, h.boot, h.dropped) for h in paper.hellos()] == [("car-1", BOOT, ())]
    assert paper.published[0][0] == "vsc/v1/car-1/hello"
    assert paper.batches() == [1, 2, 3]


def test_events_overtake_telemetry(outbox: Outbox) -> None:
    fill(outbox, 2)
    fill(outbox, 1, Channel.EVENT)
    paper, _ = connect(a_sender(outbox))
    assert paper.batches() == [3, 1, 2]


@pytest.mark.parametrize(("in_flight", "receive_maximum"), [(3, 100), (100, 3)])
def test_no_more_are_in_flight_than_both_sides_allow(outbox: Outbox, in_flight: int, receive_maximum: int) -> None:
    fill(outbox, 10)
    sender = a_sender(outbox, in_flight=in_flight)
    paper, connection = connect(sender, receive_maximum=receive_maximum)
    assert len(paper.published) == 3
    sender.settled(1, reason=0)
    sender.turn(connection)
    assert len(paper.published) == 4


def test_no_more_are_unstored_than_the_window(outbox: Outbox) -> None:
    fill(outbox, 10)
    sender = a_sender(outbox, window=4, resend_after_s=60)
    paper, connection = connect(sender)
    assert paper.batches() == [1, 2, 3, 4]
    sender.received(connection, stored(3))
    sender.turn(connection)
    assert paper.batches() == [1, 2, 3, 4, 5, 6, 7]


def test_a_stored_ack_empties_the_outbox_but_the_gaps(outbox: Outbox) -> None:
    fill(outbox, 5)
    told = []
    sender = a_sender(outbox, changed=lambda: told.append(True))
    paper, connection = connect(sender)
    sender.received(connection, stored(5, (2, 3)))
    sender.turn(connection)
    assert [kept.draft.seq for kept in outbox.read(Channel.TELEMETRY, 0, 10)] == [2, 3]
    assert (sender.statistics.acked, sender.statistics.samples_acked) == (3, 3)
    assert told
    assert len(paper.acknowledged) == 1


def test_what_has_no_stored_ack_is_published_again_byte_for_byte(outbox: Outbox) -> None:
    fill(outbox, 2)
    sender = a_sender(outbox)
    paper, connection = connect(sender)
    for packet_id in (1, 2, 3):
        sender.settled(packet_id, reason=0)
    sender.received(connection, stored(1))
    sender.turn(connection)
    time.sleep(2 * RESEND_AFTER_S)
    sender.turn(connection)
    assert paper.batches() == [1, 2, 2]
    assert paper.published[2] == paper.published[3]
    assert sender.statistics.resent == 1
    assert sender.statistics.published == 2


def test_what_the_broker_did_not_confirm_goes_out_at_once_on_the_next_connection(outbox: Outbox) -> None:
    fill(outbox, 3)
    sender = a_sender(outbox, resend_after_s=60)
    connect(sender)
    sender.settled(2, reason=0)
    sender.disconnected()
    paper, _ = connect(sender)
    assert paper.batches() == [2, 3]


def test_a_connection_that_ends_while_publishing_loses_nothing(outbox: Outbox) -> None:
    fill(outbox, 2)
    sender = a_sender(outbox, resend_after_s=60)
    connect(sender, alive=False)
    sender.disconnected()
    paper, _ = connect(sender)
    assert paper.batches() == [1, 2]


@pytest.mark.parametrize("reason", [0x10, 0x80, 0x97])
def test_a_puback_that_is_not_success_means_wait_and_try_again(outbox: Outbox, reason: int) -> None:
    fill(outbox, 1)
    sender = a_sender(outbox, resend_after_s=60)
    paper, connection = connect(sender)
    sender.settled(1, reason=reason)
    sender.settled(2, reason=reason)
    assert 0 < sender.turn(connection) < 1
    assert len(paper.published) == 2
    time.sleep(0.3)
    sender.turn(connection)
    assert paper.batches() == [1, 1]
    assert len(paper.hellos()) == 2
    assert sender.statistics.refused == 2


def test_not_authorised_ends_publishing_and_keeps_everything(outbox: Outbox) -> None:
    fill(outbox, 2)
    sender = a_sender(outbox, in_flight=1)
    paper, connection = connect(sender)
    sender.settled(1, reason=0x87)
    sender.turn(connection)
    assert len(paper.published) == 1
    assert sender.refusal is not None
    assert len(outbox) == 2


def test_what_the_broker_cannot_take_is_given_up_and_told(outbox: Outbox) -> None:
    outbox.append([Draft("car-1", BOOT, 1, Channel.TELEMETRY, "application/msgpack", 1, bytes(5000))])
    fill(outbox, 1)
    sender = a_sender(outbox)
    paper, _ = connect(sender, maximum_packet_bytes=1000)
    assert paper.batches() == [2]
    assert paper.hellos()[-1].dropped == ((BOOT, 1, 1),)
    assert sender.statistics.dropped == 1


def test_what_was_evicted_is_told_and_not_sent_again(tmp_path: Path) -> None:
    small = Outbox(tmp_path / "small.db", max_bytes=25)
    fill(small, 2)
    sender = a_sender(small)
    paper, connection = connect(sender)
    draft = Draft("car-1", BOOT, 3, Channel.TELEMETRY, "application/msgpack", 1, b"payload 3")
    sender.dropped(len(small.append([draft])))
    time.sleep(2 * RESEND_AFTER_S)
    sender.turn(connection)
    assert paper.batches() == [1, 2, 2, 3]
    assert paper.hellos()[-1].dropped == ((BOOT, 1, 1),)
    small.close()


def test_a_vehicle_that_comes_later_is_introduced(outbox: Outbox) -> None:
    fill(outbox, 1)
    sender = a_sender(outbox)
    paper, connection = connect(sender)
    fill(outbox, 1, vehicle_id="car-2")
    sender.turn(connection)
    assert paper.subscribed == [
        f"vsc/v1/{car}/{channel}" for car in ("car-1", "car-2") for channel in ("ack", "command")
    ]
    assert [hello.vehicle_id for hello in paper.hellos()] == ["car-1", "car-2"]


@pytest.mark.parametrize(
    "message",
    [
        Message("vsc/v1/car-1/ack", b"nonsense", 0, 0, JSON, {}),
        Message("vsc/v1/car-1/command", b"{}", 1, 9, JSON, {}),
        Message("another/topic", b"", 1, 9, None, {}),
    ],
)
def test_what_is_no_stored_ack_changes_nothing(outbox: Outbox, message: Message) -> None:
    fill(outbox, 1)
    sender = a_sender(outbox)
    _, connection = connect(sender)
    sender.received(connection, message)
    sender.turn(connection)
    assert len(outbox) == 1


def test_presence_is_published_retained(outbox: Outbox) -> None:
    paper, _ = connect(a_sender(outbox, presence="car-1"))
    assert paper.published[0][:2] == ("vsc/v1/car-1/state", b"online")


def settle_all(sender: Sender, paper: PaperConnection) -> None:
    for packet_id in range(1, len(paper.published) + 1):
        sender.settled(packet_id, reason=0)


def test_what_is_asked_for_goes_out_at_once_and_nothing_else(outbox: Outbox) -> None:
    fill(outbox, 9)
    sender = a_sender(outbox, resend_after_s=60)
    paper, connection = connect(sender)
    settle_all(sender, paper)
    sender.received(connection, asked((2, 3), (8, 20)))
    sender.turn(connection)
    assert paper.batches() == [*range(1, 10), 2, 3, 8, 9]
    assert len(paper.hellos()) == 1
    assert (sender.statistics.resent, sender.statistics.lost_after_ack) == (4, 0)


def test_everything_from_a_seq_on_may_be_asked_for(outbox: Outbox) -> None:
    fill(outbox, 4)
    sender = a_sender(outbox, resend_after_s=60)
    paper, connection = connect(sender)
    settle_all(sender, paper)
    sender.received(connection, asked(beyond=3))
    sender.turn(connection)
    assert paper.batches() == [1, 2, 3, 4, 3, 4]


def test_what_is_under_way_is_not_sent_twice_because_it_is_asked_for(outbox: Outbox) -> None:
    fill(outbox, 2)
    sender = a_sender(outbox, resend_after_s=60)
    paper, connection = connect(sender)
    sender.received(connection, asked((1, 2)))
    sender.turn(connection)
    assert paper.batches() == [1, 2]


def test_what_was_stored_and_is_asked_for_again_is_told_lost(outbox: Outbox) -> None:
    fill(outbox, 5)
    sender = a_sender(outbox, resend_after_s=60)
    paper, connection = connect(sender)
    settle_all(sender, paper)
    sender.received(connection, stored(4))
    sender.turn(connection)
    for _ in range(2):
        sender.received(connection, asked((2, 9)))
        sender.turn(connection)
        settle_all(sender, paper)
    assert paper.batches() == [1, 2, 3, 4, 5, 5, 5]
    assert [hello.dropped for hello in paper.hellos()] == [(), ((BOOT, 2, 4),), ((BOOT, 2, 4),)]
    assert (sender.statistics.lost_after_ack, sender.statistics.dropped) == (3, 0)


def test_a_command_older_than_a_stored_ack_declares_nothing_lost(outbox: Outbox) -> None:
    fill(outbox, 2)
    sender = a_sender(outbox, resend_after_s=60)
    paper, connection = connect(sender)
    settle_all(sender, paper)
    sender.received(connection, asked((1, 2)))
    sender.received(connection, stored(2))
    sender.turn(connection)
    assert paper.batches() == [1, 2]
    assert outbox.dropped("car-1") == ()
    assert sender.statistics.lost_after_ack == 0


@pytest.mark.parametrize(
    "message",
    [asked((1, 3), boot="00000000000000bb"), asked((3, 9)), asked((1, 2), retain=True)],
    ids=["another's boot", "not yet sampled", "kept by the broker"],
)
def test_what_is_asked_for_in_vain_changes_nothing(outbox: Outbox, message: Message) -> None:
    fill(outbox, 2)
    sender = a_sender(outbox, resend_after_s=60)
    paper, connection = connect(sender)
    settle_all(sender, paper)
    sender.received(connection, message)
    sender.turn(connection)
    assert paper.batches() == [1, 2]
    assert outbox.dropped("car-1") == ()
    assert len(paper.hellos()) == 1


def test_a_pubacks_word_is_enough_where_there_are_no_stored_acks(outbox: Outbox) -> None:
    fill(outbox, 3)
    told = []
    sender = a_sender(outbox, ack_mode=AckMode.BROKER, changed=lambda: told.append(True))
    _, connection = connect(sender)
    sender.settled(2, reason=0)
    sender.settled(3, reason=0x97)
    sender.turn(connection)
    assert [kept.draft.seq for kept in outbox.read(Channel.TELEMETRY, 0, 10)] == [2, 3]
    assert (sender.statistics.acked, sender.statistics.samples_acked) == (1, 1)
    assert told


def test_a_pubacks_word_is_not_enough_for_a_stored_ack(outbox: Outbox) -> None:
    fill(outbox, 3)
    sender = a_sender(outbox)
    paper, connection = connect(sender)
    settle_all(sender, paper)
    sender.turn(connection)
    assert len(outbox) == 3


def test_a_hello_that_the_broker_cannot_take_tells_less(outbox: Outbox) -> None:
    fill(outbox, 40)
    for kept in outbox.read(Channel.TELEMETRY, 0, 40)[::2]:
        outbox.give_up(kept.position)
    sender = a_sender(outbox)
    paper, _ = connect(sender, maximum_packet_bytes=600)
    (hello,) = paper.hellos()
    assert 0 < len(hello.dropped) < 20
    assert all(len(payload) + len(topic) < 600 for topic, payload, _ in paper.published)
