"""The names of components and failure modes that simulator, rules, models and tickets share."""

from enum import StrEnum


class Component(StrEnum):
    """What can fail, as a workshop orders it."""

    LOW_VOLTAGE_BATTERY = "low_voltage_battery"
    TYRE = "tyre"
    TRACTION_BATTERY = "traction_battery"
    COOLANT_PUMP = "coolant_pump"
    CHARGE_INLET = "charge_inlet"
    HIGH_VOLTAGE_SYSTEM = "high_voltage_system"


class FailureMode(StrEnum):
    """How it fails; each belongs to one component."""

    LV_BATTERY_AGEING = "lv_battery_ageing"
    TYRE_SLOW_LEAK = "tyre_slow_leak"
    WEAK_CELL_GROUP = "weak_cell_group"
    COOLANT_PUMP_WEAK = "coolant_pump_weak"
    CHARGE_INLET_OVERHEATING = "charge_inlet_overheating"
    HV_ISOLATION_LOSS = "hv_isolation_loss"

    @property
    def component(self) -> Component:
        """The component that fails in this way."""
        return _COMPONENTS[self]


_COMPONENTS = {
    FailureMode.LV_BATTERY_AGEING: Component.LOW_VOLTAGE_BATTERY,
    FailureMode.TYRE_SLOW_LEAK: Component.TYRE,
    FailureMode.WEAK_CELL_GROUP: Component.TRACTION_BATTERY,
    FailureMode.COOLANT_PUMP_WEAK: Component.COOLANT_PUMP,
    FailureMode.CHARGE_INLET_OVERHEATING: Component.CHARGE_INLET,
    FailureMode.HV_ISOLATION_LOSS: Component.HIGH_VOLTAGE_SYSTEM,
}
