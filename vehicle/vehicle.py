"""What the registry knows of one vehicle."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from vehicle.software import SoftwareVersion


class LowVoltageChemistry(StrEnum):
    """What the low-voltage battery is made of; rest voltages mean nothing without it."""

    LEAD_ACID = "lead_acid"
    LI_ION = "li_ion"


class Powertrain(StrEnum):
    """What drives the vehicle: the values of VSS `Vehicle.Powertrain.Type`."""

    COMBUSTION = "combustion"
    HYBRID = "hybrid"
    ELECTRIC = "electric"


@dataclass(frozen=True, slots=True)
class VehicleRecord:
    """One registered vehicle; what is not known is None, and what rests on it is left alone."""

    vehicle_id: str
    """The pseudonym the vehicle uses on the wire."""
    registered_at: datetime
    vin: str | None = None
    """Kept here and nowhere else."""
    model: str = ""
    chemistry: str = ""
    """Of the traction battery, e.g. ``NMC`` or ``LFP``."""
    lv_chemistry: LowVoltageChemistry | None = None
    tyre_reference_kpa: float | None = None
    """Recommended cold pressure, gauge."""
    cell_count: int | None = None
    """Cell groups in series."""
    nominal_voltage_v: float | None = None
    """Of the traction battery."""
    place: str = ""
    """The service region the vehicle belongs to, never a position."""
    build_batch: str = ""
    """As the maker calls it: cars of one share suppliers, and their faults."""
    serviced_at: datetime | None = None
    """When its last service was, or when it was delivered, if it has had none."""
    serviced_km: float | None = None
    """On the odometer then."""
    ovms: str | None = None
    """``<user>/<vehicleid>`` of its OVMS module, by which its messages are known; may identify a person."""
    powertrain: Powertrain | None = None
    software: tuple[SoftwareVersion, ...] = ()
    """Since when which version, in the order of time; before the first none is known."""
