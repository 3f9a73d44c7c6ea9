"""The shipped rules: what each must say of itself."""

import pytest

from rules.loader import load_rules
from rules.rule import Rule
from simulator.confounders import Confounder
from simulator.fault_modes import FAULT_MODES
from vehicle.failure import COMBUSTION, FailureMode, ServiceItem

RULES = load_rules()


def _name(rule: Rule) -> str:
    return rule.rule_id


@pytest.mark.parametrize("rule", RULES, ids=_name)
def test_a_rule_is_silent_on_confounders_that_the_simulator_has(rule: Rule) -> None:
    assert set(rule.must_not_fire_on) <= set(Confounder)
    assert len(rule.must_not_fire_on) >= 2


@pytest.mark.parametrize("rule", RULES, ids=_name)
def test_an_estimate_says_that_it_is_one(rule: Rule) -> None:
    assert rule.estimate == ("Engineering estimate" in rule.source)


@pytest.mark.parametrize("rule", RULES, ids=_name)
def test_the_fault_that_triggers_a_rule_is_the_one_that_it_finds(rule: Rule) -> None:
    assert rule.triggered_by is (None if isinstance(rule.failure_mode, ServiceItem) else rule.failure_mode)


def test_every_fault_that_the_simulator_has_has_a_rule() -> None:
    simulated = {mode for mode, fault in FAULT_MODES.items() if fault.simulated}
    assert {rule.failure_mode for rule in RULES if rule.triggered_by} == simulated | COMBUSTION == set(FailureMode)


def test_every_service_item_has_a_rule() -> None:
    assert {rule.failure_mode for rule in RULES if not rule.triggered_by} == set(ServiceItem)


@pytest.mark.parametrize("rule", [rule for rule in RULES if rule.failure_mode in COMBUSTION], ids=_name)
def test_what_only_combustion_engines_have_is_asked_of_no_other_car(rule: Rule) -> None:
    assert set(dict(rule.applies_to)["powertrain"]) <= {"combustion", "hybrid"}


def test_published_figures_are_in_the_catalogue() -> None:
    published = {rule.rule_id: [rung.threshold for rung in rule.ladder] for rule in RULES if not rule.estimate}
    assert published["isolation_below_regulation"] == [500.0, 100.0]
    assert published["inlet_hot"] == [78.0, 90.0]
    assert published["tyre_soft"] == [20.0]
    backstop = next(rule for rule in RULES if rule.rule_id == "lv_far_below_reference")
    assert backstop.gauge
    assert backstop.gauge.enter == pytest.approx(12.6 - 1.6)
    assert backstop.gauge.leave == pytest.approx(12.6 - 0.96)
