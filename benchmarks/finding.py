"""``vsc bench watch``: publish -> finding at half of what ingest stores, with ingest and ``vsc watch`` both at work.

Cars publish one sample a message, as a car does that is being driven. Among them probes: cars that tell once, in two
samples, that a contactor is welded, which a live rule finds. A probe's time runs from when its message is due until
its finding is seen to be committed, by a session that looks every few milliseconds.
"""

import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import numpy as np

from benchmarks.cars import SAMPLE_STEP, boot_of, first_sample_at, publication, vehicle_ids
from benchmarks.drain import drain, make_backlog, make_ingest_session
from benchmarks.light_client import LightClient
from benchmarks.machine import machine_and_servers
from benchmarks.pacing import PacedFleet
from benchmarks.process import Measured, start_ingest
from benchmarks.site import Site
from rules.live import live_rules
from rules.loader import load_rules
from storage.connection import connect
from vehicle.batch import Hello, TelemetryBatch
from vehicle.codec import MESSAGEPACK
from vehicle.moment import instant
from vehicle.signals import CATALOGUE, CATALOGUE_VERSION
from vehicle.topics import Channel, topic
from vehicle.wire import encode_hello
from vsc.runtime.locate import Binaries
from vsc.runtime.progress import Report

_LIMIT_MESSAGES: Final = 15_000
_SETTLE_S: Final = 10.0
"""Before the first probe: the load is steady then."""
_LOOK_EVERY_S: Final = 0.01
_PATIENCE_S: Final = 60.0
_LOAD: Final = 0.5
RULE: Final = "contactor_welded"


@dataclass(frozen=True, slots=True)
class Plan:
    """What to do."""

    cars: int
    probes: int
    seconds: float
    """From the first probe to the last."""


@dataclass(frozen=True, slots=True)
class Found:
    """What was measured."""

    p50_s: float
    """Publish -> finding."""
    p99_s: float
    longest_s: float
    limit_msgs_s: float
    """Messages of one sample a second that ingest stores of a backlog, nothing else at work."""
    msgs_s: float
    """The load."""
    cars: int
    probes: int
    missed: int
    """Probes without a finding."""
    rules: int
    """At work."""
    watch_cpu_us_per_row: float
    watch_rss_mb_max: float
    ingest_cpu_us_per_row: float
    unacked: int
    """Messages without stored-ack."""
    machine: dict[str, Any]

    def figures(self) -> dict[str, Any]:
        """All of it for ``--json``."""
        return asdict(self)


def measure(binaries: Binaries, plan: Plan, present: datetime, report: Report) -> Found:
    """Measure on servers of our own, which go when it is done."""
    ids = vehicle_ids(plan.cars + plan.probes)
    cars, probes = ids[: plan.cars], ids[plan.cars :]
    start = first_sample_at(present)
    with Site(binaries, ids, present) as site:
        report("Ingest's limit", 0)
        backlog = make_backlog(cars, 1, _LIMIT_MESSAGES, start, seed=1)
        make_ingest_session(site, backlog.messages[0])
        drained = drain(site, backlog)
        limit = drained.rows / drained.seconds
        with (
            site.fresh_database() as database_url,
            start_ingest(database_url, site.broker, site.folder) as ingest,
            _start_watch(database_url, site) as watch,
        ):
            ingest.wait_until_connected(site.broker[1])
            watch.wait_until_connected(int(database_url.rpartition(":")[2].partition("/")[0]))
            before_s = watch.cpu_s(), ingest.cpu_s()
            with PacedFleet(site.broker, cars, 1, start) as fleet, ThreadPoolExecutor(1) as publisher:
                publishing = publisher.submit(fleet.run, _LOAD * limit, _SETTLE_S + plan.seconds)
                began, each_s = time.monotonic() + _SETTLE_S, plan.seconds / len(probes)
                due = {probe: began + number * each_s for number, probe in enumerate(probes)}
                times = _probe(site, database_url, due, start, report)
                publishing.result()
                used_s = watch.cpu_s() - before_s[0], ingest.cpu_s() - before_s[1]
                unacked = fleet.wait_until_stored()
                rows = sum(sent.rows for sent in fleet.sent())
            watch.check()
            peak = watch.peak_rss_mb()
    known = np.array([*times.values()] or [float("inf")])
    return Found(
        p50_s=float(np.quantile(known, 0.5)),
        p99_s=float(np.quantile(known, 0.99)) if len(times) == len(probes) else float("inf"),
        longest_s=float(known.max()),
        limit_msgs_s=limit,
        msgs_s=_LOAD * limit,
        cars=plan.cars,
        probes=len(probes),
        missed=len(probes) - len(times),
        rules=len(live_rules(load_rules())),
        watch_cpu_us_per_row=used_s[0] / rows * 1e6,
        watch_rss_mb_max=peak,
        ingest_cpu_us_per_row=used_s[1] / rows * 1e6,
        unacked=unacked,
        machine=machine_and_servers(binaries),
    )


def _start_watch(database_url: str, site: Site) -> Measured:
    environment = {
        "VSC_DATABASE_URL": database_url,
        "VSC_CLOCK": "wall",
        "VSC_STATE_DIR": str(site.folder / "state"),
        "VSC_LOG_LEVEL": "info",
    }
    return Measured(["vsc", "watch"], environment, site.folder / "watch.log")


def _probe(
    site: Site, database_url: str, due: Mapping[str, float], start: datetime, report: Report
) -> dict[str, float]:
    """Have each probe publish when it is due, and see their findings; by car how long it took in s."""
    waiting, times = [*due], dict[str, float]()
    until = max(due.values()) + _PATIENCE_S
    with LightClient(site.broker, "bench-probes") as client, connect(database_url, autocommit=True) as connection:
        while len(times) < len(due) and time.monotonic() < until:
            while waiting and due[waiting[0]] <= time.monotonic():
                _publish(client, waiting.pop(0), start)
            rows = connection.execute("SELECT DISTINCT vehicle_id FROM findings WHERE detector = %s", [RULE])
            seen_at = time.monotonic()
            times |= {name: seen_at - due[name] for (name,) in rows if name in due and name not in times}
            report("Probes found", len(times) / len(due))
            time.sleep(_LOOK_EVERY_S)
    return times


def _publish(client: LightClient, vehicle_id: str, start: datetime) -> None:
    hello = Hello(vehicle_id, boot_of(vehicle_id), "bench", CATALOGUE_VERSION, datetime.now(UTC))
    client.publish(topic(vehicle_id, Channel.HELLO), encode_hello(hello), MESSAGEPACK, {})
    times = instant(start) + np.arange(2) * np.timedelta64(SAMPLE_STEP)
    weld = float(CATALOGUE["bms_state"].values.index("Weld"))
    columns = {"bms_state": np.full(2, weld), "hv_voltage_v": np.full(2, 360.0)}
    batch = TelemetryBatch(vehicle_id, boot_of(vehicle_id), 1, start + timedelta(seconds=2), times, columns)
    message = publication(batch)
    client.publish(message.topic, message.payload, MESSAGEPACK, message.user)
