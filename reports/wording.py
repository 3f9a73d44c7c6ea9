"""How the pages say it: names of parts and faults, times, spans and figures in plain words."""

import math
from datetime import UTC, datetime, timedelta
from typing import Final

from tickets.ticket import Channel
from vehicle.failure import Component, FailureMode, ServiceItem
from vehicle.rejection import RejectionReason

_TITLES: Final[dict[str, str]] = {
    Component.LOW_VOLTAGE_BATTERY: "12 V battery",
    Component.TYRE: "Tyre",
    Component.TRACTION_BATTERY: "Traction battery",
    Component.COOLANT_PUMP: "Coolant pump",
    Component.CHARGE_INLET: "Charge inlet",
    Component.HIGH_VOLTAGE_SYSTEM: "High-voltage system",
    Component.LOW_VOLTAGE_SYSTEM: "12 V system",
    Component.DCDC_CONVERTER: "DC-DC converter",
    Component.BATTERY_MANAGEMENT: "Battery management",
    Component.BATTERY_COOLING: "Battery cooling",
    Component.CONTACTOR: "Contactor",
    Component.COOLANT_CIRCUIT: "Coolant circuit",
    Component.RADIATOR: "Radiator",
    Component.AC_COMPRESSOR: "Air-conditioning compressor",
    Component.REFRIGERANT_CIRCUIT: "Refrigerant circuit",
    Component.COOLANT_VALVE: "Coolant valve",
    Component.DRIVE_UNIT: "Drive unit",
    Component.ON_BOARD_CHARGER: "On-board charger",
    Component.HOME_WIRING: "Wiring at home",
    Component.CHARGE_PORT: "Charge port",
    Component.TYRE_SENSOR: "Tyre pressure sensor",
    Component.BRAKE: "Brake",
    Component.BRAKE_HYDRAULICS: "Brake hydraulics",
    Component.PARKING_BRAKE: "Parking brake",
    Component.INFOTAINMENT: "Infotainment computer",
    Component.TELEMATICS: "Telematics unit",
    Component.SOFTWARE: "Vehicle software",
    Component.ENGINE_COOLING: "Engine cooling",
    Component.ENGINE_THERMOSTAT: "Engine thermostat",
    Component.ALTERNATOR: "Alternator",
    Component.MAINTENANCE: "Maintenance",
    ServiceItem.SERVICE_DUE: "Service is due",
    ServiceItem.DATA_INCOMPLETE: "Car tells only part of what it should",
    FailureMode.LV_BATTERY_AGEING: "12 V battery is wearing out",
    FailureMode.LV_PARASITIC_DRAIN: "Parked car draws too much current",
    FailureMode.DCDC_SUPPORT_LOSS: "DC-DC converter supports the 12 V system too little",
    FailureMode.WEAK_CELL_GROUP: "Cell group is weaker than its peers",
    FailureMode.CELL_INTERNAL_SHORT: "Cell group discharges itself",
    FailureMode.CAPACITY_FADE_ABNORMAL: "Traction battery loses capacity too fast",
    FailureMode.BMS_CALIBRATION_DRIFT: "Battery management has lost its calibration",
    FailureMode.THERMISTOR_FAULT: "Battery temperature sensor is implausible",
    FailureMode.PACK_COOLING_WEAK: "Traction battery is cooled too little",
    FailureMode.HV_ISOLATION_LOSS: "High-voltage isolation is falling",
    FailureMode.HVIL_INTERMITTENT: "High-voltage interlock opens now and then",
    FailureMode.CONTACTOR_WEAR: "Battery contactor is worn",
    FailureMode.COOLANT_PUMP_WEAK: "Coolant pump is losing strength",
    FailureMode.COOLANT_LEAK: "Cooling circuit loses coolant",
    FailureMode.RADIATOR_BLOCKED: "Radiator gets too little air",
    FailureMode.AC_COMPRESSOR_DEGRADING: "Air-conditioning compressor is losing strength",
    FailureMode.REFRIGERANT_LEAK: "Air conditioning loses refrigerant",
    FailureMode.COOLANT_VALVE_FAULT: "Coolant valve does not move",
    FailureMode.INVERTER_POWER_STAGE: "Inverter power stage is failing",
    FailureMode.STATOR_OVERHEATING: "Motor gets too hot",
    FailureMode.DRIVE_UNIT_BEARING_WEAR: "Bearing in the drive unit is worn",
    FailureMode.CHARGER_PHASE_LOST: "On-board charger has lost a phase",
    FailureMode.HOME_WIRING_FAULT: "Wiring at the charging place is weak",
    FailureMode.CHARGE_INLET_OVERHEATING: "Charge inlet overheats",
    FailureMode.CHARGE_PORT_LATCH: "Charge port does not lock or start reliably",
    FailureMode.TYRE_SLOW_LEAK: "Tyre is losing air",
    FailureMode.TYRE_UNDERINFLATION_SEASONAL: "All tyres are low in the cold",
    FailureMode.TPMS_SENSOR_BATTERY: "Battery of a tyre pressure sensor is empty",
    FailureMode.BRAKE_DRAG: "Brake does not release or its pads are worn",
    FailureMode.BRAKE_FLUID_LOW: "Brake fluid is low",
    FailureMode.PARKING_BRAKE_ACTUATOR: "Parking brake needs several tries",
    FailureMode.INFOTAINMENT_STORAGE_WEAR: "Memory of the infotainment computer is worn out",
    FailureMode.CONNECTIVITY_LOSS: "Car is often offline",
    FailureMode.SOFTWARE_UPDATE_FAILED: "Software update is stuck",
    FailureMode.ENGINE_OVERHEATING: "Engine runs hotter than its thermostat lets it",
    FailureMode.ENGINE_THERMOSTAT_OPEN: "Engine stays cold",
    FailureMode.ALTERNATOR_FAULT: "Alternator does not hold the 12 V system",
    RejectionReason.UNREADABLE: "Cannot be read",
    RejectionReason.UNKNOWN_VEHICLE: "Vehicle is not registered",
    RejectionReason.UNKNOWN_TOPIC: "Topic is not ours",
    RejectionReason.VEHICLE_MISMATCH: "Names differ inside and outside",
    RejectionReason.UNEQUAL_COLUMNS: "Columns of unequal length",
    RejectionReason.NON_FINITE: "Not a number",
    RejectionReason.OUT_OF_RANGE: "Out of the sensor's range",
    RejectionReason.CLOCK_FUTURE: "Clock is ahead",
    RejectionReason.CLOCK_UNSET: "Clock was never set",
    RejectionReason.UNSTORABLE: "The database cannot hold it",
    RejectionReason.ID_CONFLICT: "Other content under a known number",
    Channel.REMOTE: "Message to the owner",
    Channel.MOBILE: "Mobile technician",
    Channel.SERVICE_CENTRE: "Service centre",
    Channel.TOW: "Tow truck",
}
_PLACES: Final[dict[str, str]] = {"fl": "front left", "fr": "front right", "rl": "rear left", "rr": "rear right"}
_UNITS: Final[dict[str, str]] = {"degC": "°C", "kOhm": "kΩ", "kohm": "kΩ", "Ohm": "Ω", "Ohm/V": "Ω/V"}
_FIGURES: Final = 4
_MOMENT: Final = timedelta(minutes=1)


def title(name: str) -> str:
    """A component, failure mode, channel, state or severity as a person says it."""
    return _TITLES.get(name) or name.replace("_", " ").capitalize()


def lower_first(text: str) -> str:
    """A title inside a sentence: ``Tyre is losing air`` becomes ``tyre is losing air``."""
    return text[:1].lower() + text[1:]


def place(location: str) -> str:
    """One of several like parts: ``fl`` is front left, ``V_81`` is cell group 81."""
    if location.startswith("V_"):
        return f"cell group {location.removeprefix('V_')}"
    return _PLACES.get(location, location)


def upper_first(text: str) -> str:
    """A sentence's first word as a heading begins."""
    return text[:1].upper() + text[1:]


def labelled(label: str) -> str:
    """A trace's label with its location, the last word, in words: ``Pressure rl`` is Pressure rear left."""
    what, _, location = label.rpartition(" ")
    return f"{what} {place(location)}".strip()


def unit(name: str) -> str:
    """A unit of the signal catalogue with its usual sign."""
    return _UNITS.get(name, name)


def quantity(value: float, unit_name: str) -> str:
    """A figure with its unit."""
    return f"{significant(value)} {unit(unit_name)}".strip()


def significant(value: float) -> str:
    """A figure with four significant digits, never in exponents where a person would not use them."""
    if not math.isfinite(value) or value == 0:
        return f"{value:g}"
    decimals = _FIGURES - 1 - math.floor(math.log10(abs(value)))
    return f"{value:,.{max(0, min(decimals, 6))}f}"


def day(at: datetime) -> str:
    """A date, in UTC."""
    return f"{at.astimezone(UTC):%-d %b %Y}"


def time_of_day(at: datetime) -> str:
    """A date and a time of day, in UTC."""
    return f"{at.astimezone(UTC):%-d %b %Y, %H:%M}"


def near_day(at: datetime) -> str:
    """A date whose year goes without saying, in UTC."""
    return f"{at.astimezone(UTC):%-d %b}"


def near_time(at: datetime) -> str:
    """A date whose year goes without saying and a time of day, in UTC."""
    return f"{at.astimezone(UTC):%-d %b, %H:%M}"


def span(length: timedelta) -> str:
    """A length of time in its largest fitting unit."""
    seconds = abs(length.total_seconds())
    for unit, size in (("day", 86_400), ("hour", 3600), ("minute", 60)):
        count = round(seconds / size)
        if seconds >= (2 if unit == "day" else 1) * size * 0.95:
            return f"{count} {unit}{'' if count == 1 else 's'}"
    return "less than a minute"


def distance(at: datetime, now: datetime) -> str:
    """How far a moment lies from now: ``in 5 days``, ``3 hours ago``."""
    if abs(at - now) < _MOMENT:
        return "just now"
    return f"in {span(at - now)}" if at > now else f"{span(now - at)} ago"
