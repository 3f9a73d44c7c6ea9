import json
import re
import subprocess
import sys
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.logs import redact

VIN = "5YJ3E1EA7KF000001"


def redacted(**event: Any) -> dict[str, Any]:
    return dict(redact(None, "info", event))


@pytest.mark.parametrize(
    "text",
    [
        VIN,
        f"telemetry/{VIN}/v/Soc",
        f"ovms/me/{VIN.lower()}/metric/v/b/soc",
        f"_{VIN}_",
        f"Key (vin)=({VIN}) already exists.",
        repr(b"\xb1" + VIN.encode()),
        repr(f"\n{VIN}\0"),
    ],
    ids=range(7),
)
def test_no_vin_is_logged_wherever_it_stands(text: str) -> None:
    assert redacted(error=text)["error"] == re.sub(VIN, "[vin]", text, flags=re.IGNORECASE)


def test_no_vin_is_logged_however_deep_it_lies() -> None:
    class Strange:
        def __repr__(self) -> str:
            return f"<car {VIN}>"

    event = redacted(a=[{"b": (VIN, 1)}], **{VIN: None}, c={VIN: {"vin": 3, "d": b"x", "e": Strange()}})
    assert event["a"] == [{"b": ["[vin]", 1]}]
    assert event["c"] == {"[vin]": {"vin": "[redacted]", "d": "b'x'", "e": "<car [vin]>"}}
    assert VIN not in str(event.values())


@pytest.mark.parametrize("place", ["crash()", "threading.Thread(target=crash).start()"])
def test_a_crash_tells_what_but_not_of_whom(place: str) -> None:
    program = f"""
import threading
from config.logs import configure_logs, log_crashes
configure_logs("info")
log_crashes()
def crash():
    raise ValueError("Key (vin)=({VIN}) already exists.")
{place}
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    (line,) = done.stderr.splitlines()
    assert "crashed" in json.loads(line)["event"]
    assert "ValueError: Key (vin)=([vin]) already exists." in json.loads(line)["exception"]
    assert VIN not in done.stderr


@pytest.mark.parametrize("text", ["00000000000000aa", "0" * 64, "a" * 18, "2026-09-01T12:00:00.123456+00:00", ""])
def test_what_is_no_vin_stays(text: str) -> None:
    assert redacted(boot=text) == {"boot": text}


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.floats() | st.text(), st.lists))
def test_nothing_that_is_logged_raises(value: Any) -> None:
    redacted(value=value, vin=value)
