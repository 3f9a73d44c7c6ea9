"""A profile's stacks find their stage."""

import json
from pathlib import Path

import pytest

from benchmarks.stages import read_profile, stage_of


@pytest.mark.parametrize(
    ("stack", "stage"),
    [
        (["paho/mqtt/client.py:Client._packet_queue", "agent/connection.py:Connection.acknowledge"], "packets out"),
        (["paho/mqtt/client.py:Client.loop_read", "agent/link.py:_read"], "packets in"),
        (["vehicle/wire.py:decode_telemetry", "ingest/incoming.py:read", "agent/link.py:_read"], "read: decode"),
        (["psycopg/_copy.py:Copy.write", "storage/telemetry_copy.py:copy_table", "ingest/writer.py:W"], "COPY"),
        (["threading.py:run"], "anything else"),
    ],
    ids=["ack", "read", "decode", "copy", "other"],
)
def test_the_innermost_function_of_ours_decides(stack: list[str], stage: str) -> None:
    assert stage_of(stack).startswith(stage)


def test_costs_are_per_row_and_waits_are_the_writers(tmp_path: Path) -> None:
    file = tmp_path / "profile"
    file.write_text(
        json.dumps(
            [
                ["MainThread", ["storage/ledger.py:known"], 0.001, 0.004],
                ["mqtt-ingest", ["agent/link.py:_read"], 0.003, 0.009],
            ]
        )
    )
    profile = read_profile(file, rows=1000)
    assert profile.cpu_us_per_row == pytest.approx(4)
    assert [each.stage for each in profile.stages] == ["packets in: socket, MQTT", "ledger"]
    assert [each.cpu_pct for each in profile.stages] == pytest.approx([75, 25])
    assert [each.writer_us_per_row for each in profile.stages] == pytest.approx([0, 4])
