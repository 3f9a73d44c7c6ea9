"""The oracle finds what it is there to find: each kind of damage, done by hand to a sound run."""

from collections.abc import Callable
from typing import LiteralString

import psycopg
import pytest

from tests.support.faults.load import standard_load, vehicle_id
from tests.support.faults.oracle import judge
from tests.support.faults.scene import Scene

pytestmark = pytest.mark.integration

DAMAGE: dict[str, LiteralString] = {
    "altered": "UPDATE telemetry SET odometer_km = coalesce(odometer_km, 0) + 1e-9 "
    "WHERE vehicle_id = %(car)s AND time = %(at)s",
    "spoiled": "UPDATE telemetry SET hv_current_a = '-Infinity' WHERE vehicle_id = %(car)s AND time = %(at)s",
    "duplicated": "INSERT INTO telemetry SELECT * FROM telemetry WHERE vehicle_id = %(car)s AND time = %(at)s",
    "foreign": "INSERT INTO telemetry (vehicle_id, time, received_at) "
    "VALUES (%(car)s, %(at)s + interval '1 ms', now())",
    "row lost": "DELETE FROM telemetry WHERE vehicle_id = %(car)s AND time = %(at)s",
    "not in the ledger": "DELETE FROM batch_ledger WHERE vehicle_id = %(car)s AND seq = 1",
    "other bytes": "UPDATE batch_ledger SET sha256 = sha256('') WHERE vehicle_id = %(car)s AND seq = 1",
    "event lost": "DELETE FROM events WHERE vehicle_id = %(car)s AND i = 0",
}
CARS = {kind: vehicle_id(number) for number, kind in enumerate(DAMAGE)}


@pytest.mark.scenario("0 the oracle itself", quick=1, full=1)
def test_every_kind_of_damage_is_found(scene: Callable[..., Scene]) -> None:
    with scene() as run:
        run.fleet.submit(standard_load(run.seed, 500))
        run.verdict(note="before the damage").hold()
        with psycopg.connect(run.database_url) as connection:
            for kind, damage in DAMAGE.items():
                [(at,)] = connection.execute("SELECT min(time) FROM telemetry WHERE vehicle_id = %s", [CARS[kind]])
                assert connection.execute(damage, {"car": CARS[kind], "at": at}).rowcount == 1, kind
        found = judge(run.database_url, run.sent, run.fleet.acked())
    assert {key[0] for key in found.altered} == {CARS["altered"], CARS["spoiled"]}
    assert found.duplicated == 1
    assert [key[0] for key in found.foreign] == [CARS["foreign"]]
    lost = {CARS[kind] for kind in ("row lost", "not in the ledger", "other bytes", "event lost")}
    assert {key.vehicle_id for key in found.lost} == lost
    assert len(found.problems()) == 4
