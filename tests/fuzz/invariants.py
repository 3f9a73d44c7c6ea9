"""What holds of everything that ingest has read or planned, whatever the bytes were."""

from typing import Final

import msgspec
import numpy as np

from ingest.incoming import Incoming
from ingest.validation import CLOCK_SET
from storage.telemetry_copy import SampleTable
from vehicle.moment import instant
from vehicle.rejection import Rejection, RejectionReason
from vehicle.signals import CATALOGUE, SignalKind

WHOLE: Final = {SignalKind.INTEGER, SignalKind.BOOLEAN, SignalKind.ENUMERATION}


def refused(value: object) -> bool:
    """Whether it is a rejection, which must be fit to be kept and shown."""
    if not isinstance(value, Rejection):
        return False
    assert isinstance(value.reason, RejectionReason)
    assert value.detail
    return True


def consistent(taken: Incoming) -> None:
    if taken.key is not None:
        assert taken.key.vehicle_id == taken.vehicle_id
        assert 1 <= taken.key.seq < 2**63
    if not refused(taken.content):
        assert not isinstance(taken.content, Rejection)
        assert taken.content.vehicle_id == taken.vehicle_id


def storable(table: SampleTable) -> None:
    """Everything in it fits its column."""
    for name, values in table.columns.items():
        signal = CATALOGUE[name]
        assert len(values) == len(table.times)
        present = values[~np.isnan(values)]
        assert ((present >= signal.minimum) & (present <= signal.maximum)).all(), name
        if signal.kind in WHOLE:
            assert (present == np.floor(present)).all(), name
    if len(table.times):
        assert table.times.min() >= instant(CLOCK_SET)
        assert not np.isnat(table.times).any()
    assert len(table.extra) in {0, len(table.times)}
    for text in table.extra:
        assert text is None or isinstance(msgspec.json.decode(text), dict)
