"""A rule file that is right, to be spoilt one field at a time."""

from collections.abc import Callable
from pathlib import Path

import pytest

from rules.loader import load_rules
from rules.threshold_rule import Rule

GOOD = """\
system: Low-voltage system
rules:
  - id: rest_low
    title: Battery rests too low
    component: low_voltage_battery
    failure_mode: lv_battery_ageing
    applies_to: {lv_chemistry: lead_acid}
    feature: lv_rest_voltage
    measure: value
    over: 10 d
    when: {below: 12.4 V, for: 1 d, observations: 2}
    until: {above: 12.5 V, hold: 2 d}
    ladder:
      - {severity: warning, confidence: 0.8}
      - {severity: critical, beyond: 12.0 V, confidence: 0.9}
    limit: {at: 11.8 V, scale: linear}
    evidence: [lv_voltage_v]
    explanation: It does not hold its charge.
    clears_when: It rests above 12.5 V again.
    source: Data sheets.
    estimate: false
    triggered_by: lv_battery_ageing
    must_not_fire_on: [long_parking]
"""


@pytest.fixture
def written(tmp_path: Path) -> Callable[..., Path]:
    """Write rule files by their names into a folder, and return it."""

    def write(**files: str) -> Path:
        for name, text in files.items():
            (tmp_path / f"{name}.yaml").write_text(text)
        return tmp_path

    return write


@pytest.fixture
def rule(written: Callable[..., Path]) -> Rule:
    """The rule of `GOOD`."""
    return load_rules(written(good=GOOD))[0]
