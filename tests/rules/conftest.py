"""A rule file that is right, to be spoilt one field at a time."""

from collections.abc import Callable
from pathlib import Path

import pytest

from rules.loader import load_rules
from rules.rule import Rule

GOOD = """\
system: Low-voltage system
rules:
  - id: rest_low
    title: Battery rests too low
    component: low_voltage_battery
    failure_mode: lv_battery_ageing
    applies_to: {lv_chemistry: lead_acid}
    valid_when: ambient_temp_c > -20 degC
    min_data: {values: 5, within: 7 d}
    when: lv_rest_voltage <= 12.4 V
    for: 1 d
    observations: 2
    until: lv_rest_voltage > 12500 mV
    keep_firing_for: 2 d
    latching: {exposure: driving, for: 10 h}
    ladder:
      - {severity: warning, confidence: 0.8}
      - {severity: critical, when: lv_rest_voltage <= 12.0 V, confidence: 0.9}
    inhibited_by: [other]
    schedule: daily
    measured: battery at rest
    part: {group: module, number: "last(cell_v_min_id, 1 d)"}
    history: 10 d
    limit: {at: 11.8 V, scale: linear}
    evidence: [lv_voltage_v]
    explanation: It does not hold its charge.
    clears_when: It rests above 12.5 V again.
    source: Data sheets.
    estimate: false
    triggered_by: lv_battery_ageing
    must_not_fire_on: [long_parking]
"""
OTHER = """\
  - id: other
    title: Battery is flat
    component: low_voltage_battery
    failure_mode: lv_battery_ageing
    when: last(lv_voltage_v, 10 min) < 9 V
    until: last(lv_voltage_v, 10 min) > 10 V
    ladder: [{severity: danger, confidence: 1}]
    evidence: [lv_voltage_v]
    explanation: It is flat.
    clears_when: It is not.
    source: Data sheets.
    estimate: false
    triggered_by: lv_battery_ageing
    must_not_fire_on: []
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
    return load_rules(written(good=GOOD + OTHER))[0]
