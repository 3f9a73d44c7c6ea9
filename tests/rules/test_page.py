"""The committed page is the one that the catalogue gives."""

from pathlib import Path

from rules.loader import load_rules
from rules.page import rules_page
from rules.schema import rules_schema

PAGE = Path(__file__).parents[2] / "docs" / "rules.md"


def test_the_page_is_in_step_with_the_catalogue() -> None:
    assert PAGE.read_text() == rules_page(), "run: make docs"


def test_the_schema_is_in_step_with_the_fields() -> None:
    assert PAGE.with_name("rules.schema.json").read_text() == rules_schema(), "run: make docs"


def test_every_rule_is_on_the_page() -> None:
    page = rules_page()
    assert [rule.rule_id for rule in load_rules() if f"| id | `{rule.rule_id}` |" not in page] == []
