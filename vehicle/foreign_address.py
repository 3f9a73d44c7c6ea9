"""The MQTT topics of foreign cars: ``<base>/<VIN>/…`` of Tesla's, ``<prefix>/<user>/<vehicleid>/…`` of OVMS.

A car's protocol is told by the beginning of its topic. What follows it names the car, and may identify a person:
wherever a topic is kept, `ForeignAddress.kept_as` puts another name there.
"""

import hmac
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from vehicle.foreign import ForeignName, ForeignProtocol
from vehicle.identity import without_vins

_NAME_LEVELS: Final = {ForeignProtocol.TESLA: 1, ForeignProtocol.OVMS: 2}
_FILLER: Final = "-"
"""In place of the first level of a name that has two."""
_ALIAS_MARK: Final = "~"
"""Begins no vehicle's id."""


def is_ovms_name(text: str) -> bool:
    """Whether a text is ``<user>/<vehicleid>`` as a topic can hold it."""
    levels = text.split("/")
    right_length = len(levels) == _NAME_LEVELS[ForeignProtocol.OVMS]
    return right_length and all(levels) and text.isprintable() and not {*text} & {*"+#"}


def alias(sender: ForeignName, secret: bytes) -> str:
    """What an unknown car is called where its name must not stand: ``~`` and the first 80 bits of HMAC-SHA256.

    Args:
        sender: Whose name is hidden.
        secret: Without it nobody can find the name by trying all there are.
    """
    hidden = hmac.digest(secret, f"{sender.protocol}/{sender.name}".encode("utf-8", "surrogateescape"), "sha256")
    return _ALIAS_MARK + hidden[:10].hex()


@dataclass(frozen=True, slots=True)
class ForeignAddress:
    """What a topic says."""

    protocol: ForeignProtocol
    base: str
    """With the slash behind it."""
    name: str
    """Of the car; empty where the topic ends before."""
    path: tuple[str, ...]
    """The levels after the name; none in a topic with characters that cannot be shown."""

    @property
    def sender(self) -> ForeignName:
        """Whose message it is."""
        return ForeignName(self.protocol, self.name)

    def kept_as(self, alias: str) -> str:
        """The topic with `alias` for the car's name; it is read like the one that arrived."""
        levels = [_FILLER] * (_NAME_LEVELS[self.protocol] - 1)
        return self.base + "/".join([*levels, alias, *map(without_vins, self.path)])


@dataclass(frozen=True, slots=True)
class ForeignTopics:
    """Where foreign cars publish; an empty text is for a protocol that is not served."""

    tesla: str = "telemetry"
    """The `topic_base` of fleet-telemetry."""
    ovms: str = "ovms"
    """What stands before user and vehicle."""

    @property
    def filters(self) -> tuple[str, ...]:
        """The MQTT topic filters that match them all."""
        return tuple(f"{base}#" for _, base in self._bases())

    def address(self, topic: str) -> ForeignAddress | None:
        """What a topic says; None if it is of no foreign car."""
        for protocol, base in self._bases():
            if f"{topic}/".startswith(base):
                levels = topic[len(base) :].split("/")
                count = _NAME_LEVELS[protocol]
                path = tuple(levels[count:]) if topic.isprintable() else ()
                return ForeignAddress(protocol, base, "/".join(levels[:count]), path)
        return None

    def _bases(self) -> Iterator[tuple[ForeignProtocol, str]]:
        for protocol, base in ((ForeignProtocol.TESLA, self.tesla), (ForeignProtocol.OVMS, self.ovms)):
            if base:
                yield protocol, f"{base}/"
