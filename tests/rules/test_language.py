"""Expressions: what is read as what, how units meet, and that no text does harm."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.language.checker import check
from rules.language.functions import GroupFunction, WindowFunction
from rules.language.kind import Form
from rules.language.parser import parse
from rules.language.syntax import ExpressionError
from rules.language.tree import (
    Absent,
    Across,
    And,
    Arithmetic,
    Baseline,
    Calculation,
    CarState,
    Clock,
    Code,
    CodeCount,
    Comparison,
    Convert,
    Expression,
    Group,
    InState,
    Negative,
    Not,
    Number,
    Or,
    Over,
    Relation,
    Series,
    Since,
    Source,
    Where,
)
from rules.language.units import SYMBOLS, Unit, unit
from rules.language.vocabulary import NAMES
from rules.language.walk import group_of, is_truth, look_back, series_of
from rules.nodes import Text
from rules.nodes import parse as parse_yaml
from vehicle.codes import DtcStatus
from vehicle.signals import CATALOGUE

WHEEL = Group("wheel", ("fl", "fr", "rl", "rr"))
DRIVING, PARKED, ASLEEP = (InState(CarState(name)) for name in ("driving", "parked", "asleep"))
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def _tree(text: str, form: Form = Form.TRUTH) -> Expression:
    checked = check(text, form)
    assert checked.typed, [str(mistake) for mistake in checked.mistakes]
    return checked.typed.expression


def _signal(name: str, *, truth: bool = False) -> Series:
    return Series(name, Source.SIGNAL, (name,), truth=truth)


VOLTS = _signal("lv_voltage_v")
WHEELS = Series("tyre_pressure_kpa", Source.SIGNAL, tuple(f"tyre_pressure_{m}_kpa" for m in WHEEL.members), WHEEL)
DCDC = _signal("dcdc_enabled", truth=True)


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("lv_voltage_v < 12 V", Comparison(Relation.LESS, VOLTS, Number(12.0), "V")),
        ("12 V > lv_voltage_v", Comparison(Relation.GREATER, Number(12.0), VOLTS, "V")),
        ("dcdc_enabled", DCDC),
        ("not dcdc_enabled and driving", And((Not(DCDC), DRIVING))),
        ("driving or parked or asleep", Or((DRIVING, PARKED, ASLEEP))),
        ("driving or parked and asleep", Or((DRIVING, And((PARKED, ASLEEP))))),
        ("driving where dcdc_enabled", Where(DRIVING, DCDC)),
        (
            "since(parked, 12 h) >= 6 h",
            Comparison(Relation.AT_LEAST, Since(CarState.PARKED, 12 * HOUR), Number(21600.0), "s"),
        ),
        ("absent(lv_voltage_v, 2 h)", Absent(VOLTS, 2 * HOUR)),
        ("absent(tyre_pressure_kpa, 1 d)", Absent(WHEELS, DAY)),
        ("code('P0A1F-1A', confirmed)", Code("P0A1F1A", DtcStatus.CONFIRMED)),
        ('code("BMS_*", test_failed)', Code("BMS_*", DtcStatus.TEST_FAILED)),
        (
            "code_count('BMS_*', confirmed, 7 d) > 3",
            Comparison(Relation.GREATER, CodeCount("BMS_*", DtcStatus.CONFIRMED, 7 * DAY), Number(3.0)),
        ),
        ("bms_state == Weld", Comparison(Relation.EQUAL, _signal("bms_state"), Number(7.0))),
        ("bms_state != Weld", Comparison(Relation.UNEQUAL, _signal("bms_state"), Number(7.0))),
        ("bms_state in (Weld)", Comparison(Relation.EQUAL, _signal("bms_state"), Number(7.0))),
        (
            "last(bms_state, 1 h) in (Fault, Weld)",
            Or(
                tuple(
                    Comparison(Relation.EQUAL, Over(WindowFunction.LAST, _signal("bms_state"), HOUR), Number(value))
                    for value in (6.0, 7.0)
                )
            ),
        ),
        (
            "avg(lv_voltage_v where dcdc_enabled, 1 h) < 13 V",
            Comparison(Relation.LESS, Over(WindowFunction.AVG, Where(VOLTS, DCDC), HOUR), Number(13.0), "V"),
        ),
        (
            "quantile(lv_voltage_v, 1 d, 10 %) < 13 V",
            Comparison(Relation.LESS, Over(WindowFunction.QUANTILE, VOLTS, DAY, 0.1), Number(13.0), "V"),
        ),
        (
            "median_of(tyre_pressure_kpa) - tyre_pressure_kpa > 0.2 bar",
            Comparison(
                Relation.GREATER,
                Calculation(Arithmetic.SUBTRACT, Across(GroupFunction.MEDIAN, WHEELS), WHEELS),
                Number(20.0),
                "kPa",
            ),
        ),
        (
            "time - tyre_last_seen_fl_ts > 1 d",
            Comparison(
                Relation.GREATER,
                Calculation(Arithmetic.SUBTRACT, Clock(), _signal("tyre_last_seen_fl_ts")),
                Number(86400.0),
                "s",
            ),
        ),
        (
            "lv_voltage_v / baseline(lv_voltage_v, 5) - 1 < -20 %",
            Comparison(
                Relation.LESS,
                Convert(
                    Calculation(
                        Arithmetic.SUBTRACT,
                        Calculation(Arithmetic.DIVIDE, VOLTS, Baseline(VOLTS, 5)),
                        Number(1.0),
                    ),
                    100.0,
                ),
                Number(-20.0),
                "%",
            ),
        ),
        ("-lv_current_a > 5 A", Comparison(Relation.GREATER, Negative(_signal("lv_current_a")), Number(5.0), "A")),
        ("lv_voltage_v < 12.6 V - 1.6 V", Comparison(Relation.LESS, VOLTS, Number(11.0), "V")),
        (
            "cell_v_max_v - cell_v_min_v > cell_v_delta_mv",
            Comparison(
                Relation.GREATER,
                Calculation(Arithmetic.SUBTRACT, _signal("cell_v_max_v"), _signal("cell_v_min_v")),
                Convert(_signal("cell_v_delta_mv"), 0.001),
                "V",
            ),
        ),
    ],
)  # fmt: skip
def test_a_text_is_read_as_a_tree(text: str, tree: Expression) -> None:
    assert _tree(text) == tree


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("lv_voltage_v", "V"),
        ("module_temp_max_c - ambient_temp_c", "K"),
        ("ambient_temp_c + 3 K", "degC"),
        ("max_of(module_temps_c)", "degC"),
        ("spread_of(module_temps_c)", "K"),
        ("slope(ambient_temp_c, 7 d)", "K/d"),
        ("trend(tyre_gap, 6 d)", "kPa/d"),
        ("delta(ambient_temp_c, 7 d)", "K"),
        ("isolation_kohm / hv_voltage_v", "kOhm/V"),
        ("hv_voltage_v * hv_current_a", "V*A"),
        ("lv_voltage_v / lv_ref_v", ""),
        ("lv_voltage_v / lv_ref_v - 20 %", "%"),
        ("100 % - hv_soc_pct", "%"),
        ("count(dcdc_enabled, 1 h)", ""),
        ("avg(dcdc_enabled, 1 h)", ""),
        ("time_since(dcdc_enabled, 1 h)", "s"),
        ("argmin_of(cell_voltages_v)", ""),
        ("delta(odometer_km, 7 d) / 7 d", "km/d"),
        ("1000 mV - lv_voltage_v", "V"),
        ("lv_voltage_v - 1000 mV", "V"),
    ],
)
def test_a_number_has_its_unit(text: str, found: str) -> None:
    checked = check(text, Form.NUMBER)
    assert checked.typed, [str(mistake) for mistake in checked.mistakes]
    assert checked.typed.kind.unit.text == found


def test_every_signal_and_feature_has_a_unit_that_the_language_knows() -> None:
    assert NAMES.keys() >= CATALOGUE.keys()
    assert not {name for name in NAMES if name in SYMBOLS}


def test_groups_do_not_take_the_names_of_signals() -> None:
    grouped = [name for name, typed in NAMES.items() if isinstance(typed.expression, Series) and typed.expression.group]
    assert "tyre_pressure_kpa" in grouped
    assert "drive_unit_state" in grouped
    assert not [name for name in grouped if name in CATALOGUE and CATALOGUE[name].kind != "array"]


def test_how_far_back_a_tree_looks_is_the_sum_of_its_windows() -> None:
    tree = _tree("max(avg(lv_voltage_v, 1 h), 1 d) < 12 V or since(parked, 12 h) > 1 h")
    assert look_back(tree) == DAY + HOUR
    assert series_of(tree) == (VOLTS,)


@pytest.mark.parametrize(
    ("text", "group"),
    [
        ("tyre_pressure_kpa < 200 kPa", WHEEL),
        ("tyre_pressure_kpa < tyre_reference_kpa and driving", WHEEL),
        ("any_of(tyre_pressure_kpa < 200 kPa)", None),
        ("count_of(tyre_pressure_kpa < 200 kPa) >= 2", None),
        ("lv_voltage_v < 12 V", None),
    ],
)
def test_a_condition_is_of_the_parts_that_it_names(text: str, group: Group | None) -> None:
    tree = _tree(text)
    assert group_of(tree) == group
    assert is_truth(tree)


@given(st.sampled_from([*SYMBOLS.values()]), st.sampled_from([*SYMBOLS.values()]), st.integers(1, 10**6))
def test_a_literal_is_worth_the_same_in_the_unit_of_what_it_meets(one: Unit, other: Unit, number: int) -> None:
    checked = check(f"lv_voltage_v / lv_ref_v * {number} {one.text} < 1 {other.text}")
    if one.dimension != other.dimension or one.is_point or other.is_point:
        assert checked.mistakes
    else:
        assert checked.typed
        comparison = checked.typed.expression
        assert isinstance(comparison, Comparison)
        assert isinstance(comparison.right, Number)
        factor = comparison.left.factor if isinstance(comparison.left, Convert) else 1.0
        assert comparison.right.value / factor == pytest.approx(other.scale / one.scale)


@given(st.sampled_from([*SYMBOLS.values()]), st.sampled_from([*SYMBOLS.values()]))
def test_units_of_quotients_and_products_are_read_as_they_are_written(one: Unit, other: Unit) -> None:
    for made in (one.per(other), one.times(other)):
        read = unit(made.text)
        assert read
        assert read.dimension == made.dimension
        assert read.scale == pytest.approx(made.scale)


WORDS = st.sampled_from(
    ["lv_voltage_v", "tyre_gap", "3 V", "5", "20 %", "avg", "(", ")", ",", "and", "not", "where", "in", "<", "==", "-",
     "/", "driving", "1 h", "code", "'P0A1F'", "confirmed", "Weld", "bms_state", "max_of", "°", "time"]
)  # fmt: skip


@given(st.lists(WORDS, max_size=14).map(" ".join) | st.text(max_size=30))
def test_no_text_is_anything_but_an_expression_or_a_mistake_in_it(text: str) -> None:
    checked = check(text)
    assert (checked.typed is None) == bool(checked.mistakes)
    for mistake in checked.mistakes:
        assert 0 <= mistake.at <= len(text)
        assert str(mistake)


def test_deep_nesting_is_a_mistake_and_no_crash() -> None:
    for text in ("(" * 5000, "-" * 5000 + "1", "not " * 5000 + "driving", "abs(" * 5000):
        with pytest.raises(ExpressionError):
            parse(text)


@pytest.mark.parametrize(
    "written",
    ["when: one two three", "when:   'one two three'", 'when: "one  two three"', "when: >-\n  one\n    two\n\n  three",
     "a: 1\nwhen: |\n  one two\n  three", "when: one\n  two\n  three", "when: {of: [one two three]}"],
)  # fmt: skip
def test_a_word_is_found_where_it_stands_in_the_file(written: str) -> None:
    value: Any = parse_yaml(written)["when"]
    text = value["of"][0] if isinstance(value, dict) else value
    assert isinstance(text, Text)
    lines = written.split("\n")
    for word in ("one", "two", "three"):
        at = text.place(text.index(word))
        assert lines[at.line - 1][at.column - 1 :].startswith(word)
