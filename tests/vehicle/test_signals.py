"""The catalogue is complete, consistent with itself, and says all that is wrong with a broken file."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vehicle.signals import (
    ATTRIBUTES,
    CATALOGUE,
    CATALOGUE_VERSION,
    CatalogueError,
    Signal,
    SignalKind,
    load_catalogue,
)

WHEELS = ("fl", "fr", "rl", "rr")
AXLES = ("f", "r")
EXPECTED = {
    "hv_soc_pct",
    "hv_soc_display_pct",
    "hv_energy_remaining_kwh",
    "hv_soh_pct",
    "hv_capacity_net_kwh",
    "hv_voltage_v",
    "hv_current_a",
    "hv_power_kw",
    "cell_v_max_v",
    "cell_v_min_v",
    "cell_v_max_id",
    "cell_v_min_id",
    "cell_v_delta_mv",
    "cell_voltages_v",
    "module_temp_max_c",
    "module_temp_min_c",
    "module_temp_delta_c",
    "module_temps_c",
    "isolation_kohm",
    "isolation_valid",
    "hvil_ok",
    "bms_state",
    "lv_voltage_v",
    "lv_current_a",
    "lv_ref_v",
    "dcdc_enabled",
    "dcdc_temp_c",
    "dcdc_voltage_v",
    "motor_coolant_temp_c",
    "engine_coolant_temp_c",
    "engine_speed_rpm",
    "brake_fluid_low",
    "brake_pedal_pct",
    "charge_state",
    "charge_current_a",
    "charge_voltage_v",
    "charge_phases",
    "charge_port_latch",
    "charger_temp_c",
    "cabin_temp_c",
    "ambient_temp_c",
    "hvac_on",
    "odometer_km",
    "speed_kmh",
    "energy_used_lifetime_kwh",
    "consumption_wh_km",
    "dtc_count",
    "service_due_km",
    "service_due_s",
    "ecu_health_cpu_pct",
    "ecu_health_memory_pct",
    "contactor_cycles",
    "contactor_opened_under_load",
    "precharge_retries",
    "radiator_outlet_temp_c",
    "coolant_flow_lpm",
    "coolant_pump_current_a",
    "coolant_pump_speed_rpm",
    "coolant_level_low",
    "ac_compressor_power_kw",
    "refrigerant_high_kpa",
    "refrigerant_low_kpa",
    "coolant_valve_position_pct",
    "coolant_valve_commanded_pct",
    "parking_brake_engaged",
    "parking_brake_retries",
    "charge_inlet_temp_c",
    "charge_current_request_a",
    "software_update_state",
    "software_update_pct",
    "infotainment_reboots",
    "storage_wear_pct",
    "clock_offset_ms",
    "altitude_m",
    "place_id",
    *(f"motor_stator_temp_{axle}_c" for axle in AXLES),
    *(f"inverter_temp_{axle}_c" for axle in AXLES),
    *(f"inverter_heatsink_temp_{axle}_c" for axle in AXLES),
    *(f"drive_unit_state_{axle}" for axle in AXLES),
    *(f"motor_torque_{axle}_nm" for axle in AXLES),
    *(f"tyre_pressure_{wheel}_kpa" for wheel in WHEELS),
    *(f"tyre_temp_{wheel}_c" for wheel in WHEELS),
    *(f"tyre_last_seen_{wheel}_ts" for wheel in WHEELS),
    *(f"brake_pad_wear_{wheel}_pct" for wheel in WHEELS),
    *(f"brake_disc_temp_{wheel}_c" for wheel in WHEELS),
}
COUNTERS = {"odometer_km", "energy_used_lifetime_kwh"}
FLOATS: dict[str, type[np.float32 | np.float64]] = {"real": np.float32, "double precision": np.float64}

signals = st.sampled_from(list(CATALOGUE.values()))


def test_every_signal_of_the_field_is_there() -> None:
    assert set(CATALOGUE) == EXPECTED
    assert set(ATTRIBUTES) == {"firmware_version", "online", "dtc_list", "lv_battery_chemistry"}


def test_units_and_signs_are_ours() -> None:
    assert CATALOGUE["hv_current_a"].ovms_factor == -1
    assert CATALOGUE["hv_power_kw"].ovms_factor == -1
    assert CATALOGUE["hv_power_kw"].vss_factor == pytest.approx(0.001)
    assert CATALOGUE["tyre_pressure_rr_kpa"].tesla_factor == pytest.approx(101.325)
    assert CATALOGUE["odometer_km"].tesla_factor == pytest.approx(1.609344)
    assert CATALOGUE["speed_kmh"].tesla_factor == pytest.approx(1.609344)
    assert CATALOGUE["odometer_km"].vss_factor == pytest.approx(0.001)


def test_enumerations_are_spelt_without_their_prefix() -> None:
    assert CATALOGUE["bms_state"].values[7] == "Weld"
    assert CATALOGUE["bms_state"].maximum == 9
    assert CATALOGUE["charge_state"].values == (
        "Disconnected", "NoPower", "Starting", "Charging", "Complete", "Stopped",
    )  # fmt: skip


def test_counters_are_stored_in_double_precision() -> None:
    assert {CATALOGUE[name].column_type for name in COUNTERS} == {"double precision"}
    assert CATALOGUE["cell_voltages_v"].column_type == "real[]"
    assert CATALOGUE["hv_voltage_v"].column_type == "real"
    assert CATALOGUE["bms_state"].column_type == "smallint"
    assert CATALOGUE["hvil_ok"].column_type == "boolean"
    assert CATALOGUE["service_due_s"].column_type == "integer"


@given(signals.filter(lambda signal: signal.column_type in FLOATS), st.floats(0, 1))
def test_a_column_keeps_every_step_of_its_sensor(signal: Signal, place: float) -> None:
    value = signal.quantised(signal.minimum + place * (signal.maximum - signal.minimum))
    stored = np.float64(FLOATS[signal.column_type](value))
    assert signal.quantised(stored) == value
    assert signal.quantised(value) == value
    assert abs(stored - value) < signal.resolution / 2


def test_what_was_not_sampled_stays_so() -> None:
    quantised = CATALOGUE["cell_voltages_v"].quantised([[3.70049, np.nan]])
    np.testing.assert_array_equal(quantised, [[3.7, np.nan]])


def test_the_version_changes_with_the_file(tmp_path: Path) -> None:
    path = tmp_path / "signals.toml"
    path.write_text('[signal.a]\ntitle = "A"\nvss = "Vehicle.A"\n')
    first = load_catalogue(path)
    path.write_text('[signal.a]\ntitle = "B"\nvss = "Vehicle.A"\n')
    assert first.version != load_catalogue(path).version != CATALOGUE_VERSION
    assert list(first.signals) == ["a"]


def test_every_mistake_is_told_at_once(tmp_path: Path) -> None:
    path = tmp_path / "signals.toml"
    path.write_text(
        """
        [signal.Upper]
        title = "A"
        vss = "Vehicle.Same"
        [signal.typo]
        titel = "B"
        vss = "Vehicle.Same"
        [signal.both]
        title = "C"
        vss = "Elsewhere"
        minimum = 1
        maximum = 1
        resolution = 0.3
        tesla_factor = 0
        values = ["x", "x"]
        [signal.empty]
        title = "D"
        kind = "enumeration"
        vss = "Vehicle.Same"
        [signal.kindless]
        title = "E"
        kind = "colour"
        vss = "Vehicle.E"
        [attribute.text]
        title = "F"
        """
    )
    with pytest.raises(CatalogueError) as caught:
        load_catalogue(path)
    lines = str(caught.value).splitlines()
    for beginning in (
        "signals.toml: signal Upper: the name",
        "signals.toml: signal typo: unknown titel",
        "signals.toml: signal typo: Object missing required field",
        "signals.toml: signal both: minimum",
        "signals.toml: signal both: 1 / resolution",
        "signals.toml: signal both: a factor is 0",
        "signals.toml: signal both: values belong",
        "signals.toml: signal both: a value stands twice",
        "signals.toml: signal both: the VSS path",
        "signals.toml: signal empty: values belong",
        "signals.toml: signal kindless: Invalid enum value 'colour'",
        "signals.toml: attribute text: Object missing required field",
        "signals.toml: vss name Vehicle.Same belongs to two",
    ):
        assert any(line.startswith(beginning) for line in lines), (beginning, lines)


@pytest.mark.parametrize("content", [b"[signal", b"\xff"])
def test_a_file_that_is_not_toml_is_one_mistake(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "signals.toml"
    path.write_bytes(content)
    with pytest.raises(CatalogueError, match=r"signals\.toml: "):
        load_catalogue(path)


def test_arrays_are_the_cells_and_the_probes() -> None:
    arrays = {name for name, signal in CATALOGUE.items() if signal.kind is SignalKind.ARRAY}
    assert arrays == {"cell_voltages_v", "module_temps_c"}
