"""Publish -> stored at a steady load: paced cars that speak the agent's protocol, on one clock.

A message is due at a fixed moment, whatever came before; its latency runs from then to the arrival of the first
stored-ack that covers it, so a publisher that cannot keep up shows as latency.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from benchmarks.audit import audit
from benchmarks.pacing import PacedFleet
from benchmarks.process import start_ingest
from benchmarks.site import Site


@dataclass(frozen=True, slots=True)
class Load:
    """What the cars publish."""

    vehicle_ids: Sequence[str]
    samples: int
    """In each message."""
    rows_s: float
    seconds: float


@dataclass(frozen=True, slots=True)
class Latency:
    """How long it took from publish to stored."""

    p50_s: float
    p99_s: float
    rows_s: float
    """The load."""
    seconds: float
    lost: int
    duplicated: int


def measure_latency(site: Site, load: Load, start: datetime) -> Latency:
    """Publish for a while, event time from `start` on; ingest's session must be there and empty."""
    with site.fresh_database() as database_url:
        with start_ingest(database_url, site.broker, site.folder) as ingest:
            ingest.wait_until_connected(site.broker[1])
            with PacedFleet(site.broker, load.vehicle_ids, load.samples, start) as fleet:
                fleet.run(load.rows_s, load.seconds)
                unacked = fleet.wait_until_stored()
                latencies = fleet.take_latencies()
        found = audit(database_url, fleet.sent())
    p50, p99 = np.quantile(latencies, (0.5, 0.99)).tolist() if len(latencies) else (float("inf"),) * 2
    lost = found.lost + found.foreign + found.quarantined + unacked
    return Latency(p50, p99, load.rows_s, load.seconds, lost, found.duplicated)
