"""Which signals the page of a vehicle shows."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Panel:
    """One chart: signals of one unit, each with the name that its line carries."""

    key: str
    title: str
    unit: str
    signals: Mapping[str, str]


PANELS: Final = (
    Panel("lv", "12 V battery", "V", {"lv_voltage_v": "voltage"}),
    Panel(
        "tyres",
        "Tyre pressures",
        "kPa",
        {
            "tyre_pressure_fl_kpa": "front left",
            "tyre_pressure_fr_kpa": "front right",
            "tyre_pressure_rl_kpa": "rear left",
            "tyre_pressure_rr_kpa": "rear right",
        },
    ),
    Panel("cells", "Cell groups", "V", {"cell_v_min_v": "lowest", "cell_v_max_v": "highest"}),
    Panel("isolation", "High-voltage isolation", "kOhm", {"isolation_kohm": "resistance"}),
    Panel(
        "temperatures",
        "Temperatures",
        "°C",
        {
            "charge_inlet_temp_c": "charge inlet",
            "motor_coolant_temp_c": "coolant",
            "module_temp_max_c": "warmest module",
            "ambient_temp_c": "ambient",
        },
    ),
    Panel("soc", "State of charge", "%", {"hv_soc_pct": "usable energy"}),
)

LATEST: Final = (
    "odometer_km",
    "speed_kmh",
    "hv_soc_pct",
    "hv_voltage_v",
    "hv_current_a",
    "lv_voltage_v",
    "isolation_kohm",
    "cell_v_min_v",
    "cell_v_max_v",
    "cell_v_delta_mv",
    "tyre_pressure_fl_kpa",
    "tyre_pressure_fr_kpa",
    "tyre_pressure_rl_kpa",
    "tyre_pressure_rr_kpa",
    "charge_inlet_temp_c",
    "motor_coolant_temp_c",
    "ambient_temp_c",
)
"""Signals whose latest value is listed."""
