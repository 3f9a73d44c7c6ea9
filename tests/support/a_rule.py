"""Rules that a test makes up, by the fields that matter to it."""

from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import yaml

from rules.loader import load_rules
from rules.rule import Rule

_FIELDS: dict[str, Any] = {
    "id": "made_up",
    "title": "Something is wrong",
    "component": "low_voltage_battery",
    "failure_mode": "lv_battery_ageing",
    "evidence": ["lv_voltage_v"],
    "explanation": "It is.",
    "clears_when": "It is not.",
    "source": "A test.",
    "estimate": False,
    "triggered_by": "lv_battery_ageing",
    "must_not_fire_on": [],
    "ladder": [{"severity": "warning", "confidence": 0.8}],
}


def a_rule(when: str, until: str, **fields: Any) -> Rule:
    """A rule; `fields` are the file's, `lasting` its `for`."""
    return _load(a_rule_file(when, until, **fields))


def a_rule_file(when: str, until: str, **fields: Any) -> str:
    """The text of a file with this rule."""
    if "lasting" in fields:
        fields["for"] = fields.pop("lasting")
    return yaml.safe_dump({"system": "Tests", "rules": [{**_FIELDS, "when": when, "until": until, **fields}]})


def steps(*conditions: str) -> list[dict[str, Any]]:
    """A ladder: the rule's own step, and one for each condition."""
    severities = ("warning", "critical", "danger")
    first = {"severity": severities[0], "confidence": 0.8}
    return [
        first,
        *({"severity": severities[i], "confidence": 0.9, "when": one} for i, one in enumerate(conditions, 1)),
    ]


@cache
def _load(text: str) -> Rule:
    with TemporaryDirectory() as folder:
        Path(folder, "rules.yaml").write_text(text, encoding="utf-8")
        return load_rules(Path(folder))[0]
