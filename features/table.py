"""Every feature by name, and the one function that computes them all from a window."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from features import (
    battery,
    brakes,
    cells,
    charge_inlet,
    charge_power,
    combustion,
    computing,
    cooling,
    drive_units,
    isolation,
    link,
    low_voltage,
    refrigerant,
    road_load,
    service,
    states,
    tyre_sensors,
    tyres,
)
from features.panel import Panel
from features.window import Window


@dataclass(frozen=True, slots=True)
class Feature:
    """What can be told from samples, and what the batch ledger tells of those that are missing."""

    title: str
    unit: str
    parts: str = ""
    """Of the car, if it has one value for each: ``wheel``, ``axle`` or ``cell``."""


FEATURES: Final[Mapping[str, Feature]] = MappingProxyType(
    {
        "lv_rest_voltage": Feature("low-voltage battery after equal rest", "V"),
        "lv_wake_dip": Feature("dip of the low-voltage battery when the car wakes", "V"),
        "tyre_gap": Feature("tyre pressure at 20 degC above the other wheels'", "kPa", "wheel"),
        "tyre_deficit": Feature("tyre pressure at 20 degC below the recommended one", "%", "wheel"),
        "inlet_rise": Feature("charge inlet above the air", "K"),
        "inlet_rise_ac": Feature("charge inlet above the air, alternating current", "K"),
        "inlet_temp": Feature("charge inlet temperature", "degC"),
        "isolation": Feature("isolation resistance per volt, day's low", "Ohm/V"),
        "coolant_flow": Feature("coolant flow at 1000 rpm of the pump", "l/min"),
        "coolant_pump_current": Feature("coolant pump current at its slowest speed", "A"),
        "radiator_rise": Feature("radiator's outlet above the air on fast roads, against the cold car", "K"),
        "stator_rise": Feature("stator above the coolant while driving, day's mean", "K", "axle"),
        "inverter_rise": Feature("inverter above the coolant while driving, day's mean", "K", "axle"),
        "evaporator_gap": Feature("boiling point of the cold side above what the air asks for", "K"),
        "compressor_effort": Feature("compressor power per kelvin held and kelvin of lift", "W/K/K"),
        "state_of_health": Feature("state of health, day's median", "%"),
        "charge_step": Feature("rise of the charge shown across a sleep", "%"),
        "module_spread": Feature("spread between modules while driving over the square of the current", "K/A/A"),
        "modules_apart": Feature("spread between modules at rest, day's mean", "K"),
        "charge_offer": Feature("current over all phases that the car asks for at most", "A"),
        "wall_voltage": Feature("voltage at the inlet under load, alternating current, day's median", "V"),
        "storage_wear": Feature("wear of the infotainment's storage", "%"),
        "restarts": Feature("infotainment restarts, lifetime", ""),
        "engine_coolant": Feature("coolant of the combustion engine once it is warm, day's median", "degC"),
        "charging_voltage": Feature("low-voltage system with the combustion engine running, day's upper readings", "V"),
        "unseen_driving": Feature("distance driven while the car was silent, share of the day's", "%"),
        "lost_batches": Feature("batches of the day that never came, share; of the batch ledger, not of files", "%"),
        "rolling_resistance": Feature("resistance to rolling, share of the weight", "%"),
        "inertia": Feature("torque of all motors for 1 m/s2", "Nm"),
        "tyre_unheard": Feature("driving at which the sensor was last heard well before the others", "%", "wheel"),
        "disc_gap": Feature("brake disc above the other one of its axle, day's mean while driving", "K", "wheel"),
        "pad_wear": Feature("wear of the brake pads", "%", "wheel"),
        "pad_gap": Feature("wear of the brake pads above those beside them", "%", "wheel"),
        "brake_retries": Feature("repeated parking brake applications, lifetime", ""),
        "service_age": Feature("time since the last service", "d"),
        "service_distance": Feature("distance since the last service", "km"),
        "cell_deviation": Feature("cell group above its pack's median, day's median", "mV", "cell"),
        "cell_deviation_hour": Feature("the same, hour by hour under little current", "mV", "cell"),
    }
)

_FAMILIES: Final = (
    low_voltage,
    tyres,
    charge_inlet,
    isolation,
    cooling,
    drive_units,
    refrigerant,
    battery,
    charge_power,
    computing,
    combustion,
    link,
    road_load,
    tyre_sensors,
    brakes,
    service,
)
SIGNALS: Final = tuple(dict.fromkeys(name for family in (states, *_FAMILIES, cells) for name in family.SIGNALS))
"""The scalar signals that a window must hold for `observe`."""
ARRAYS: Final = ("cell_voltages_v",)
"""The same for arrays."""


def observe(window: Window) -> dict[str, Panel]:
    """All observations of the window's interval; what cannot be told from its samples is left out."""
    if not len(window.frame):
        return cells.observe(window)
    doing = states.states(window)
    panels = cells.observe(window)
    for family in _FAMILIES:
        panels |= family.observe(window, doing)
    return panels
