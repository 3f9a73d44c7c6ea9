"""The registry, and that a forgotten vehicle is nowhere any more."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import psycopg
import pytest
from psycopg import sql

from storage import vehicles
from storage.ledger import BatchKey
from tests.support.stored_samples import store_batch
from vehicle.foreign import ForeignName, ForeignProtocol
from vehicle.moment import instant
from vehicle.vehicle import LowVoltageChemistry, Powertrain, VehicleRecord

pytestmark = pytest.mark.integration
NOW = datetime(2026, 9, 1, tzinfo=UTC)
CAR = VehicleRecord(
    vehicle_id="car",
    registered_at=NOW,
    vin="1M8GDM9AXKP042788",
    model="Kombi",
    chemistry="NMC",
    lv_chemistry=LowVoltageChemistry.LEAD_ACID,
    tyre_reference_kpa=290,
    cell_count=96,
    nominal_voltage_v=350,
    place="north",
    build_batch="K2",
    ovms="alice/LEAF01",
    powertrain=Powertrain.ELECTRIC,
)
BARE = VehicleRecord("bare", NOW)


def test_what_is_registered_is_found(connection: psycopg.Connection[Any]) -> None:
    vehicles.register(connection, CAR)
    vehicles.register(connection, BARE)
    assert vehicles.find(connection, "car") == CAR
    assert vehicles.find(connection, "nobody") is None
    assert vehicles.find_vin(connection, "1m8gdm9axkp042788") == CAR
    assert vehicles.find_vin(connection, "WVWZZZ1JZ3W386752") is None
    assert vehicles.list_vehicles(connection) == [BARE, CAR]
    assert vehicles.known_ids(connection) == {"car", "bare"}


def test_registering_again_changes_all_but_the_first_time(connection: psycopg.Connection[Any]) -> None:
    vehicles.register(connection, CAR)
    vehicles.register(connection, replace(CAR, model="Coupé", registered_at=NOW + timedelta(days=1)))
    assert vehicles.list_vehicles(connection) == [replace(CAR, model="Coupé")]


def test_a_vin_belongs_to_one_vehicle(connection: psycopg.Connection[Any]) -> None:
    vehicles.register(connection, CAR)
    with pytest.raises(vehicles.VinTakenError), connection.transaction():
        vehicles.register(connection, replace(BARE, vin=CAR.vin))
    assert vehicles.known_ids(connection) == {"car"}


def test_an_ovms_name_belongs_to_one_vehicle(connection: psycopg.Connection[Any]) -> None:
    vehicles.register(connection, CAR)
    with pytest.raises(vehicles.OvmsTakenError), connection.transaction():
        vehicles.register(connection, replace(BARE, ovms=CAR.ovms))
    assert vehicles.known_ids(connection) == {"car"}


def test_foreign_names_lead_to_the_vehicle_and_the_secret_stays(connection: psycopg.Connection[Any]) -> None:
    vehicles.register(connection, CAR)
    vehicles.register(connection, BARE)
    assert vehicles.foreign_names(connection) == {
        ForeignName(ForeignProtocol.TESLA, "1M8GDM9AXKP042788"): "car",
        ForeignName(ForeignProtocol.OVMS, "alice/LEAF01"): "car",
    }
    secret = vehicles.pseudonym_secret(connection)
    assert len(secret) == 32
    assert vehicles.pseudonym_secret(connection) == secret


def test_a_forgotten_vehicle_is_in_no_table(connection: psycopg.Connection[Any]) -> None:
    tables = [
        table
        for (table,) in connection.execute(
            "SELECT table_name FROM information_schema.columns JOIN information_schema.tables "
            "USING (table_schema, table_name) WHERE table_schema = 'public' AND column_name = 'vehicle_id'"
        )
    ]
    for car in ("car", "other"):
        vehicles.register(connection, replace(BARE, vehicle_id=car))
        connection.execute(FILL.replace("'car'", f"'{car}'"))
    for table in tables:
        assert count(connection, table, "car") == 1, table
    vehicles.forget(connection, "car")
    for table in tables:
        assert (count(connection, table, "car"), count(connection, table, "other")) == (0, 1), table
    for table in ("ticket_transitions", "appointments", "booking_outbox", "silence_lifts", "held_findings"):
        assert connection.execute(sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(table))).fetchone() == (1,)


def count(connection: psycopg.Connection[Any], table: str, car: str) -> int:
    query = sql.SQL("SELECT count(*) FROM {} WHERE vehicle_id = %s").format(sql.Identifier(table))
    row = connection.execute(query, [car]).fetchone()
    assert row is not None
    return int(row[0])


FILL = """
INSERT INTO telemetry (vehicle_id, time, received_at) VALUES ('car', now(), now());
INSERT INTO batch_ledger (vehicle_id, boot, seq, kind, received_at) VALUES ('car', 'boot', 1, 'telemetry', now());
INSERT INTO sequence_gaps (vehicle_id, boot, first_seq, last_seq, since) VALUES ('car', 'boot', 3, 3, now());
INSERT INTO boot_progress (vehicle_id, boot, through) VALUES ('car', 'boot', 2);
INSERT INTO events (vehicle_id, boot, seq, i, at, kind) VALUES ('car', 'boot', 2, 0, now(), 'alert');
INSERT INTO quarantine (vehicle_id, received_at, topic, reason, detail, payload, content_type, sha256)
    VALUES ('car', now(), 'vsc/v1/' || 'car', 'unreadable', '', '', '', sha256(''));
INSERT INTO vehicle_software (vehicle_id, since, version, entered_at) VALUES ('car', now(), '2026.8', now());
INSERT INTO detector_state (detector, vehicle_id, evaluated_until, state) VALUES ('rule', 'car', now(), '{}');
INSERT INTO findings (vehicle_id, component, failure_mode, detector, score, severity, confidence, observed_at,
    window_start, window_end, evidence, locations, cleared)
    VALUES ('car', 'tyre', 'tyre_slow_leak', 'rule', 1, 2, 1, now(), now(), now(), '{}', '{}', false);
INSERT INTO alerts (alert_id, vehicle_id, component, failure_mode, status, severity, score, confidence, opened_at,
    last_seen_at, finding_count, latest_finding_id, locations)
    SELECT gen_random_uuid(), 'car', 'tyre', 'tyre_slow_leak', 'open', 2, 1, 1, now(), now(), 1, finding_id, '{}'
    FROM findings WHERE vehicle_id = 'car';
INSERT INTO silences (kind, vehicle_id, starts_at, ends_at, author, reason, created_at)
    VALUES ('suppression', 'car', now(), now() + interval '1 day', 'K. Berg', 'known', now());
INSERT INTO silence_lifts (silence_id, at, author, reason, seen_to)
    SELECT silence_id, now(), 'K. Berg', 'over', '{}' FROM silences WHERE vehicle_id = 'car';
INSERT INTO held_findings (finding_id, silence_id)
    SELECT finding_id, silence_id FROM findings JOIN silences USING (vehicle_id) WHERE vehicle_id = 'car';
INSERT INTO visits (visit_id, vehicle_id, state, channel, due_at, created_at)
    VALUES (gen_random_uuid(), 'car', 'planned', 'mobile', now(), now());
INSERT INTO tickets (ticket_id, alert_id, visit_id, vehicle_id, component, failure_mode, severity, title, action,
    channel, parts, due_at, state, created_at)
    SELECT gen_random_uuid(), alert_id, visit_id, 'car', 'tyre', 'tyre_slow_leak', 2, '', '', 'mobile', '{}', now(),
    'open', now() FROM alerts JOIN visits USING (vehicle_id) WHERE vehicle_id = 'car';
INSERT INTO ticket_transitions (ticket_id, at, after, reason)
    SELECT ticket_id, now(), 'open', '' FROM tickets WHERE vehicle_id = 'car';
INSERT INTO appointments (visit_id, external_ref, place, technician, starts_at, ends_at, booked_at, revision)
    SELECT visit_id, '', '', '', now(), now() + '1h', now(), 1 FROM visits WHERE vehicle_id = 'car';
INSERT INTO booking_outbox (message_id, visit_id, kind, body, created_at, next_attempt_at, state, attempts, last_error)
    SELECT gen_random_uuid(), visit_id, 'create', '', now(), now(), 'pending', 0, '' FROM visits
    WHERE vehicle_id = 'car';
"""


def test_a_service_counts_from_its_day_and_the_car_s_own_odometer(connection: psycopg.Connection[Any]) -> None:
    vehicles.register(connection, CAR)
    columns = {"odometer_km": np.array([41250.5])}
    store_batch(connection, BatchKey("car", "a1", 1), np.array([instant(NOW)]), columns, NOW)
    later = NOW + timedelta(days=1)
    assert vehicles.record_service(connection, "car", later) == replace(CAR, serviced_at=later, serviced_km=41250.5)
    told = vehicles.record_service(connection, "car", later, 41_300.0)
    assert told == replace(CAR, serviced_at=later, serviced_km=41_300.0)
    assert vehicles.record_service(connection, "car", NOW, 9.0) == told, "an older one changes nothing"
    assert vehicles.record_service(connection, "nobody", NOW) is None


def test_registering_again_keeps_the_service(connection: psycopg.Connection[Any]) -> None:
    serviced = replace(CAR, serviced_at=NOW, serviced_km=100.0)
    vehicles.register(connection, serviced)
    vehicles.register(connection, CAR)
    assert vehicles.find(connection, "car") == serviced
    newer = replace(CAR, serviced_at=NOW + timedelta(days=9), serviced_km=None)
    vehicles.register(connection, newer)
    assert vehicles.find(connection, "car") == newer
