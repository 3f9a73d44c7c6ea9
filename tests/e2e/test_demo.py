"""The main job: faults that grow in a simulated fleet get an appointment before they fail."""

import json
from dataclasses import asdict
from pathlib import Path

import pytest

from config.settings import load_settings
from vsc.demo import run_demo
from vsc.runtime.progress import silent

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(400)]


def test_every_fault_is_found_before_it_fails_and_every_ticket_is_booked_once(open_state: Path, tmp_path: Path) -> None:
    scoreboard = run_demo(
        load_settings(), silent, vehicles=12, days=42, seed=1, state=open_state / "demo", results=tmp_path
    )
    assert scoreboard.shortfalls == []
    assert scoreboard.faults_injected == 6
    assert scoreboard.faults_found_before_failure == 6
    assert scoreboard.false_tickets == 0
    assert scoreboard.tickets == scoreboard.tickets_with_appointment == scoreboard.appointments == 6
    assert scoreboard.samples_stored > 50_000
    assert json.loads((tmp_path / "scoreboard.json").read_text()) == asdict(scoreboard)
    assert "<svg" in (tmp_path / "fleet.html").read_text()
