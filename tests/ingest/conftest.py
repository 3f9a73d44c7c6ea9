"""Ingest's own session at the shared broker, empty for every test."""

from collections.abc import Iterator

import pytest

from ingest.shard import WHOLE_FLEET
from tests.support.mqtt import end_session


@pytest.fixture
def quiet_broker(broker: tuple[str, int]) -> Iterator[tuple[str, int]]:
    """The shared broker, which keeps nothing for ingest before or after the test."""
    end_session(broker, WHOLE_FLEET.client_id)
    yield broker
    end_session(broker, WHOLE_FLEET.client_id)
