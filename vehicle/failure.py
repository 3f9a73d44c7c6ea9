"""The names of components, failure modes and service items that simulator, rules, models and tickets share."""

from enum import StrEnum
from typing import Final


class Component(StrEnum):
    """What can fail, as a workshop orders it."""

    LOW_VOLTAGE_BATTERY = "low_voltage_battery"
    TYRE = "tyre"
    TRACTION_BATTERY = "traction_battery"
    COOLANT_PUMP = "coolant_pump"
    CHARGE_INLET = "charge_inlet"
    HIGH_VOLTAGE_SYSTEM = "high_voltage_system"
    LOW_VOLTAGE_SYSTEM = "low_voltage_system"
    DCDC_CONVERTER = "dcdc_converter"
    BATTERY_MANAGEMENT = "battery_management"
    BATTERY_COOLING = "battery_cooling"
    CONTACTOR = "contactor"
    COOLANT_CIRCUIT = "coolant_circuit"
    RADIATOR = "radiator"
    AC_COMPRESSOR = "ac_compressor"
    REFRIGERANT_CIRCUIT = "refrigerant_circuit"
    COOLANT_VALVE = "coolant_valve"
    DRIVE_UNIT = "drive_unit"
    ON_BOARD_CHARGER = "on_board_charger"
    HOME_WIRING = "home_wiring"
    """Not a part of the car; the car sees it all the same."""
    CHARGE_PORT = "charge_port"
    TYRE_SENSOR = "tyre_sensor"
    BRAKE = "brake"
    BRAKE_HYDRAULICS = "brake_hydraulics"
    PARKING_BRAKE = "parking_brake"
    INFOTAINMENT = "infotainment"
    TELEMATICS = "telematics"
    SOFTWARE = "software"
    ENGINE_COOLING = "engine_cooling"
    """Of a combustion engine: fan, radiator, pump, hoses and what is in them."""
    ENGINE_THERMOSTAT = "engine_thermostat"
    ALTERNATOR = "alternator"
    """With its regulator and belt."""
    MAINTENANCE = "maintenance"
    """No part: what a sound car needs from time to time."""


class FailureMode(StrEnum):
    """How it fails; each belongs to one component."""

    LV_BATTERY_AGEING = "lv_battery_ageing"
    LV_PARASITIC_DRAIN = "lv_parasitic_drain"
    DCDC_SUPPORT_LOSS = "dcdc_support_loss"
    WEAK_CELL_GROUP = "weak_cell_group"
    CELL_INTERNAL_SHORT = "cell_internal_short"
    CAPACITY_FADE_ABNORMAL = "capacity_fade_abnormal"
    BMS_CALIBRATION_DRIFT = "bms_calibration_drift"
    THERMISTOR_FAULT = "thermistor_fault"
    PACK_COOLING_WEAK = "pack_cooling_weak"
    HV_ISOLATION_LOSS = "hv_isolation_loss"
    HVIL_INTERMITTENT = "hvil_intermittent"
    CONTACTOR_WEAR = "contactor_wear"
    COOLANT_PUMP_WEAK = "coolant_pump_weak"
    COOLANT_LEAK = "coolant_leak"
    RADIATOR_BLOCKED = "radiator_blocked"
    AC_COMPRESSOR_DEGRADING = "ac_compressor_degrading"
    REFRIGERANT_LEAK = "refrigerant_leak"
    COOLANT_VALVE_FAULT = "coolant_valve_fault"
    INVERTER_POWER_STAGE = "inverter_power_stage"
    STATOR_OVERHEATING = "stator_overheating"
    DRIVE_UNIT_BEARING_WEAR = "drive_unit_bearing_wear"
    CHARGER_PHASE_LOST = "charger_phase_lost"
    HOME_WIRING_FAULT = "home_wiring_fault"
    CHARGE_INLET_OVERHEATING = "charge_inlet_overheating"
    CHARGE_PORT_LATCH = "charge_port_latch"
    TYRE_SLOW_LEAK = "tyre_slow_leak"
    TYRE_UNDERINFLATION_SEASONAL = "tyre_underinflation_seasonal"
    TPMS_SENSOR_BATTERY = "tpms_sensor_battery"
    BRAKE_DRAG = "brake_drag"
    BRAKE_FLUID_LOW = "brake_fluid_low"
    PARKING_BRAKE_ACTUATOR = "parking_brake_actuator"
    INFOTAINMENT_STORAGE_WEAR = "infotainment_storage_wear"
    CONNECTIVITY_LOSS = "connectivity_loss"
    SOFTWARE_UPDATE_FAILED = "software_update_failed"
    ENGINE_OVERHEATING = "engine_overheating"
    ENGINE_THERMOSTAT_OPEN = "engine_thermostat_open"
    ALTERNATOR_FAULT = "alternator_fault"

    @property
    def component(self) -> Component:
        """The component that fails in this way."""
        return _COMPONENTS[self]


class ServiceItem(StrEnum):
    """What asks for somebody although no part is known to fail: planned like a fault, and never counted as one."""

    SERVICE_DUE = "service_due"
    DATA_INCOMPLETE = "data_incomplete"
    """What the car should have told is missing: nobody knows how it is."""

    @property
    def component(self) -> Component:
        """What is seen to."""
        return Component.MAINTENANCE if self is ServiceItem.SERVICE_DUE else Component.TELEMATICS


Occasion = FailureMode | ServiceItem
"""Why a car goes to a workshop."""
OCCASIONS: Final[tuple[Occasion, ...]] = (*FailureMode, *ServiceItem)

_COMPONENTS = {
    FailureMode.LV_BATTERY_AGEING: Component.LOW_VOLTAGE_BATTERY,
    FailureMode.LV_PARASITIC_DRAIN: Component.LOW_VOLTAGE_SYSTEM,
    FailureMode.DCDC_SUPPORT_LOSS: Component.DCDC_CONVERTER,
    FailureMode.WEAK_CELL_GROUP: Component.TRACTION_BATTERY,
    FailureMode.CELL_INTERNAL_SHORT: Component.TRACTION_BATTERY,
    FailureMode.CAPACITY_FADE_ABNORMAL: Component.TRACTION_BATTERY,
    FailureMode.BMS_CALIBRATION_DRIFT: Component.BATTERY_MANAGEMENT,
    FailureMode.THERMISTOR_FAULT: Component.BATTERY_MANAGEMENT,
    FailureMode.PACK_COOLING_WEAK: Component.BATTERY_COOLING,
    FailureMode.HV_ISOLATION_LOSS: Component.HIGH_VOLTAGE_SYSTEM,
    FailureMode.HVIL_INTERMITTENT: Component.HIGH_VOLTAGE_SYSTEM,
    FailureMode.CONTACTOR_WEAR: Component.CONTACTOR,
    FailureMode.COOLANT_PUMP_WEAK: Component.COOLANT_PUMP,
    FailureMode.COOLANT_LEAK: Component.COOLANT_CIRCUIT,
    FailureMode.RADIATOR_BLOCKED: Component.RADIATOR,
    FailureMode.AC_COMPRESSOR_DEGRADING: Component.AC_COMPRESSOR,
    FailureMode.REFRIGERANT_LEAK: Component.REFRIGERANT_CIRCUIT,
    FailureMode.COOLANT_VALVE_FAULT: Component.COOLANT_VALVE,
    FailureMode.INVERTER_POWER_STAGE: Component.DRIVE_UNIT,
    FailureMode.STATOR_OVERHEATING: Component.DRIVE_UNIT,
    FailureMode.DRIVE_UNIT_BEARING_WEAR: Component.DRIVE_UNIT,
    FailureMode.CHARGER_PHASE_LOST: Component.ON_BOARD_CHARGER,
    FailureMode.HOME_WIRING_FAULT: Component.HOME_WIRING,
    FailureMode.CHARGE_INLET_OVERHEATING: Component.CHARGE_INLET,
    FailureMode.CHARGE_PORT_LATCH: Component.CHARGE_PORT,
    FailureMode.TYRE_SLOW_LEAK: Component.TYRE,
    FailureMode.TYRE_UNDERINFLATION_SEASONAL: Component.TYRE,
    FailureMode.TPMS_SENSOR_BATTERY: Component.TYRE_SENSOR,
    FailureMode.BRAKE_DRAG: Component.BRAKE,
    FailureMode.BRAKE_FLUID_LOW: Component.BRAKE_HYDRAULICS,
    FailureMode.PARKING_BRAKE_ACTUATOR: Component.PARKING_BRAKE,
    FailureMode.INFOTAINMENT_STORAGE_WEAR: Component.INFOTAINMENT,
    FailureMode.CONNECTIVITY_LOSS: Component.TELEMATICS,
    FailureMode.SOFTWARE_UPDATE_FAILED: Component.SOFTWARE,
    FailureMode.ENGINE_OVERHEATING: Component.ENGINE_COOLING,
    FailureMode.ENGINE_THERMOSTAT_OPEN: Component.ENGINE_THERMOSTAT,
    FailureMode.ALTERNATOR_FAULT: Component.ALTERNATOR,
}

COMBUSTION: Final = frozenset(
    {FailureMode.ENGINE_OVERHEATING, FailureMode.ENGINE_THERMOSTAT_OPEN, FailureMode.ALTERNATOR_FAULT}
)
"""The modes that only a car with a combustion engine has; the simulator builds none."""
