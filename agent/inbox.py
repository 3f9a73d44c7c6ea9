"""What the service centre has said and the sender has not yet acted on: stored-acks and commands."""

import structlog

from agent.connection import Message
from vehicle.batch import StoredAck
from vehicle.command import SendAgain, decode_command
from vehicle.rejection import Rejection
from vehicle.topics import Channel, parse_topic
from vehicle.wire import decode_ack

log = structlog.get_logger()


class Inbox:
    """Stored-acks and commands, each with its vehicle, in the order of arrival."""

    def __init__(self) -> None:
        self._acks: list[tuple[str, StoredAck]] = []
        self._commands: list[tuple[str, SendAgain]] = []

    def put(self, message: Message) -> None:
        """Read a message; what cannot be read, or is of another kind, is left alone."""
        address = parse_topic(message.topic)
        if isinstance(address, Rejection):
            return
        vehicle_id, channel = address
        if channel is Channel.ACK:
            ack = decode_ack(message.payload, message.content_type)
            if isinstance(ack, Rejection):
                log.warning("ack_unreadable", detail=ack.detail)
            else:
                self._acks.append((vehicle_id, ack))
        # A command that the broker has kept is from a time that is over.
        elif channel is Channel.COMMAND and not message.retain:
            command = decode_command(message.payload, message.content_type)
            if isinstance(command, Rejection):
                log.warning("command_unreadable", detail=command.detail)
            else:
                self._commands.append((vehicle_id, command))

    def take_acks(self) -> list[tuple[str, StoredAck]]:
        """The stored-acks; they are not given again."""
        taken, self._acks = self._acks, []
        return taken

    def take_commands(self) -> list[tuple[str, SendAgain]]:
        """The commands; they are not given again."""
        taken, self._commands = self._commands, []
        return taken
