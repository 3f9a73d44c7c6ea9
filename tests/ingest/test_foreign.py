"""Real foreign clients as cars, through a real broker and `vsc ingest`, into the right columns."""

import json
import re
import signal
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import psycopg
import pytest

from ingest.foreign_replay import ForeignReader
from ingest.replay import Replay
from ingest.shard import WHOLE_FLEET
from ingest.validation import TimeLimits
from tests.support.foreign_ingest import OVMS_NAME, PROBE, VIN, Bench
from tests.support.mqtt import end_session
from vehicle.foreign_address import ForeignTopics
from vehicle.rejection import RejectionReason
from vsc.runtime.locate import Binaries

pytestmark = pytest.mark.integration

TESLA = f"telemetry/{VIN}"
OVMS = f"ovms/{OVMS_NAME}"
OWN = WHOLE_FLEET.client_id
LIMITS = TimeLimits(timedelta(days=30), timedelta(minutes=10), by_sender=True)


@pytest.fixture
def bench(database_url: str, quiet_broker: tuple[str, int], binaries: Binaries, open_state: Path) -> Iterator[Bench]:
    mosquitto_pub = binaries.mosquitto.parents[1] / "bin" / "mosquitto_pub"
    if not mosquitto_pub.exists():
        pytest.skip(f"no mosquitto_pub beside {binaries.mosquitto}: install mosquitto-clients")
    end_session(quiet_broker, f"{OWN}-foreign")
    yield Bench(database_url, quiet_broker, mosquitto_pub, open_state)
    end_session(quiet_broker, f"{OWN}-foreign")


def test_a_real_foreign_client_is_stored_in_its_columns_with_unit_and_sign(bench: Bench) -> None:
    bench.vsc("vehicles", "add", "tesla-1", "--vin", VIN)
    bench.vsc("vehicles", "add", "leaf-1", "--ovms", OVMS_NAME)
    bench.vsc("vehicles", "add", "own-1")
    now = datetime.now(UTC).isoformat(timespec="milliseconds")
    native = {
        "v": 1, "vehicle_id": "own-1", "boot": "00000000000000aa", "seq": 1, "sent_at": now, "t0": now, "dt_ms": [0],
        "s": {"hv_current_a": [-31.5]},
    }  # fmt: skip
    with bench.ingest():
        bench.publish(f"{TESLA}/v/TpmsPressureFl", '"2.9"')
        bench.publish(f"{OVMS}/metric/v/b/current", "12.5")
        bench.publish("vsc/v1/own-1/telemetry", json.dumps(native))
        bench.wait_for_rows("telemetry", 3)
    rows = bench.ask(
        "SELECT vehicle_id, tyre_pressure_fl_kpa, hv_current_a, time_received FROM telemetry ORDER BY vehicle_id"
    )
    assert rows == [
        ("leaf-1", None, -12.5, True),
        ("own-1", None, -31.5, None),
        ("tesla-1", pytest.approx(293.8425, rel=1e-6), None, True),
    ]


def test_fields_of_a_second_are_one_row_marked_with_the_time_of_its_arrival(bench: Bench) -> None:
    bench.register()
    before = datetime.now(UTC)
    with bench.ingest():
        bench.publish(f"{TESLA}/v/Soc", '"63.4"')
        bench.publish(f"{TESLA}/v/Odometer", '"10000"')
        bench.publish(f"{TESLA}/v/Gear", '"ShiftStateD"')
        bench.publish(f"{TESLA}/connectivity", '{"ConnectionId":"c","Status":"CONNECTED"}')
        bench.publish(f"{TESLA}/v/Version", '"2026.8.1 ab12cd"')
        bench.publish(f"{TESLA}/alerts/BMS_a070/current", json.dumps({"StartedAt": f"{before:%Y-%m-%dT%H:%M:%SZ}"}))
        bench.wait_for_rows("events", 3)
        bench.wait_for_rows("telemetry", 1)
    ((at, soc, odometer, extra, received),) = bench.ask(
        "SELECT time, hv_soc_pct, odometer_km, extra, time_received FROM telemetry"
    )
    assert before < at < datetime.now(UTC)
    assert (soc, odometer, extra, received) == (pytest.approx(63.4), 16093.44, {"Gear": "ShiftStateD"}, True)
    assert bench.ask("SELECT kind, code, at, time_received FROM events ORDER BY kind DESC") == [
        ("trouble_code", "BMS_a070", before.replace(microsecond=0), None),
        ("software", None, at_least(before), True),
        ("connectivity", None, at_least(before), True),
    ]
    assert bench.ask("SELECT version, since FROM vehicle_software") == [("2026.8.1 ab12cd", at_least(before))]
    assert bench.ask("SELECT DISTINCT kind, time_received FROM batch_ledger ORDER BY kind") == [
        ("event", True), ("telemetry", True),
    ]  # fmt: skip


class at_least:  # noqa: N801 - reads like a value in an assertion
    """Equal to any later time."""

    def __init__(self, least: datetime) -> None:
        self._least = least

    def __eq__(self, other: object) -> bool:
        return isinstance(other, datetime) and other >= self._least

    def __hash__(self) -> int:
        return hash(self._least)


def test_what_cannot_be_taken_is_kept_with_its_bytes_and_without_a_name(bench: Bench) -> None:
    bench.register()
    with bench.ingest():
        bench.publish(f"{TESLA}/v/Soc", '"a lot"')
        bench.publish(f"{TESLA}/{VIN}/what", "1")
        bench.publish(f"{OVMS}/metric/v/b/soc", "nan")
        bench.publish("telemetry/5YJ3E1EAXKF000002/v/Soc", '"50"')
        bench.publish("ovms/bob/CAR/metric/v/b/soc", "50")
        bench.wait_for_rows("quarantine WHERE payload IN ('\"a lot\"', '1', 'nan', '\"50\"', '50')", 5)
    kept = bench.ask(
        "SELECT topic, vehicle_id, reason, payload FROM quarantine WHERE payload NOT LIKE '0.%' ORDER BY 4"
    )
    unknown = r"~[0-9a-f]{20}"
    for row, (topic, vehicle, reason, payload) in zip(
        kept,
        [
            (f"telemetry/{unknown}/v/Soc", unknown, "unknown_vehicle", b'"50"'),
            (r"telemetry/tesla-1/v/Soc", "tesla-1", "wrong_type", b'"a lot"'),
            (r"telemetry/tesla-1/\[vin\]/what", "tesla-1", "unknown_topic", b"1"),
            (f"ovms/-/{unknown}/metric/v/b/soc", unknown, "unknown_vehicle", b"50"),
            (r"ovms/-/leaf-1/metric/v/b/soc", "leaf-1", "non_finite", b"nan"),
        ],
        strict=True,
    ):
        assert re.fullmatch(topic, row[0])
        assert re.fullmatch(vehicle, row[1])
        assert row[2:] == (reason, payload)
    assert bench.ask("SELECT FROM telemetry") == []
    assert not re.search(f"{VIN}|{PROBE}|5YJ3|alice|bob", bench.log())


def test_what_came_before_registration_is_replayed_once_or_forgotten_with_its_car(bench: Bench) -> None:
    with bench.ingest():
        bench.publish(f"{TESLA}/v/TpmsPressureFl", '"2.9"')
        bench.publish(f"{OVMS}/metric/v/b/current", "12.5")
        bench.wait_for_rows("quarantine WHERE payload NOT LIKE '0.%'", 2)
    bench.register()
    bench.forget("leaf-1")
    with psycopg.connect(bench.database_url, autocommit=True) as connection:
        for stored in (1, 0):
            foreign = ForeignReader(connection, ForeignTopics(), np.random.default_rng())
            replayed = Replay(connection, LIMITS, foreign=foreign).run()
            assert (replayed.stored, replayed.samples) == (stored, stored)
            assert replayed.kept == {RejectionReason.UNKNOWN_VEHICLE: replayed.left}
    assert bench.ask("SELECT vehicle_id, tyre_pressure_fl_kpa, time_received FROM telemetry") == [
        ("tesla-1", pytest.approx(293.8425, rel=1e-6), True),
    ]
    assert bench.ask("SELECT topic FROM quarantine WHERE payload NOT LIKE '0.%'") == []


def test_retained_messages_are_not_taken_for_new_ones(bench: Bench) -> None:
    bench.register()
    bench.publish(f"{OVMS}/metric/v/b/soc", "11", "-r")
    try:
        with bench.ingest():
            bench.publish(f"{OVMS}/metric/v/b/soc", "12", "-r")
            bench.wait_for_rows("telemetry", 1)
        assert bench.ask("SELECT hv_soc_pct FROM telemetry") == [(12,)]
    finally:
        bench.publish(f"{OVMS}/metric/v/b/soc", "", "-r")


def test_an_open_row_survives_a_crash_and_is_stored_at_an_orderly_end(bench: Bench) -> None:
    bench.register()
    with bench.ingest() as process:
        bench.publish(f"{TESLA}/v/Soc", '"40"')
        process.kill()
        process.wait()
    assert bench.ask("SELECT FROM telemetry") == []
    with bench.ingest() as process:
        bench.wait_for_rows("telemetry", 1)
        bench.publish(f"{TESLA}/v/Soc", '"41"')
        time.sleep(0.1)
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0
    assert bench.ask("SELECT hv_soc_pct FROM telemetry ORDER BY 1") == [(40,), (41,)]
    with bench.ingest():
        bench.publish(f"{TESLA}/v/Soc", '"42"')
        bench.wait_for_rows("telemetry", 3)
    assert bench.ask("SELECT hv_soc_pct FROM telemetry ORDER BY 1") == [(40,), (41,), (42,)]
    # Times of arrival have not moved the data clock, neither at once nor at a new start.
    assert not (bench.folder / "clock").exists()
