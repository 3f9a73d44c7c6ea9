"""What an agent has done, in figures."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Statistics:
    """What an agent has done since it was made; messages, unless it says samples."""

    published: int = 0
    """Published at least once."""
    resent: int = 0
    """Published again, for want of a stored-ack or of a PUBACK."""
    refused: int = 0
    """PUBACKs that did not say accepted."""
    acked: int = 0
    """Covered by a stored-ack, or with `AckMode.BROKER` by a PUBACK."""
    dropped: int = 0
    """Given up for want of room or because no broker takes their size."""
    lost_after_ack: int = 0
    """Asked for again although they had been acked: the other side has lost them."""
    samples_published: int = 0
    """Of telemetry, as the next."""
    samples_acked: int = 0
