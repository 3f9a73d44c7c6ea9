"""The car models of the fleet: invented, each after a class of cars on the road.

Every figure is an engineering estimate for its class: published data sheets of comparable cars, rounded.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from vehicle.vehicle import LowVoltageChemistry


class Chemistry(StrEnum):
    """What the traction battery's cells are made of."""

    NMC = "NMC"
    LFP = "LFP"

    @property
    def nominal_v(self) -> float:
        """Nominal cell voltage, as cell makers print it."""
        return 3.65 if self is Chemistry.NMC else 3.2


@dataclass(frozen=True, slots=True)
class CarModel:
    """What all cars of a model have in common."""

    name: str
    chemistry: Chemistry
    cell_count: int
    """Cell groups in series."""
    capacity_ah: float
    """Usable, new."""
    group_resistance_ohm: float
    """Of one cell group at 25 degC and half charge, after 10 s."""
    lv_chemistry: LowVoltageChemistry
    lv_capacity_ah: float
    front_share: float
    """Of the torque: 0 rear motor only, 1 front motor only."""
    mass_kg: float
    """With the usual load."""
    drag_area_m2: float
    """Drag coefficient times frontal area."""
    tyre_reference_kpa: float
    """Recommended cold pressure, gauge."""
    dc_current_a: float
    """Most the battery takes at a fast charger, warm and below half charge."""
    battery_heat_j_k: float
    """Heat capacity of the battery: about 900 J/(kg K)."""

    @property
    def nominal_voltage_v(self) -> float:
        """Of the traction battery."""
        return self.cell_count * self.chemistry.nominal_v

    @property
    def energy_kwh(self) -> float:
        """Usable, new."""
        return self.capacity_ah * self.nominal_voltage_v / 1000.0

    @property
    def module_count(self) -> int:
        """Modules of the traction battery, about twelve cell groups each (engineering estimate)."""
        return round(self.cell_count / 12)

    @property
    def motors(self) -> tuple[str, ...]:
        """Axles with a motor: ``f``, ``r``."""
        return (*(("f",) if self.front_share > 0 else ()), *(("r",) if self.front_share < 1 else ()))


MODELS: Final = (
    CarModel(
        name="Aster 57",
        chemistry=Chemistry.NMC,
        cell_count=96,
        capacity_ah=164.0,
        group_resistance_ohm=0.90e-3,
        lv_chemistry=LowVoltageChemistry.LEAD_ACID,
        lv_capacity_ah=50.0,
        front_share=0.0,
        mass_kg=1850.0,
        drag_area_m2=0.63,
        tyre_reference_kpa=260.0,
        dc_current_a=280.0,
        battery_heat_j_k=3.2e5,
    ),
    CarModel(
        name="Borealis 78 AWD",
        chemistry=Chemistry.NMC,
        cell_count=96,
        capacity_ah=222.0,
        group_resistance_ohm=0.65e-3,
        lv_chemistry=LowVoltageChemistry.LI_ION,
        lv_capacity_ah=20.0,
        front_share=0.4,
        mass_kg=2080.0,
        drag_area_m2=0.53,
        tyre_reference_kpa=290.0,
        dc_current_a=400.0,
        battery_heat_j_k=4.2e5,
    ),
    CarModel(
        name="Cirrus 60",
        chemistry=Chemistry.LFP,
        cell_count=106,
        capacity_ah=176.0,
        group_resistance_ohm=0.80e-3,
        lv_chemistry=LowVoltageChemistry.LEAD_ACID,
        lv_capacity_ah=45.0,
        front_share=0.0,
        mass_kg=1850.0,
        drag_area_m2=0.52,
        tyre_reference_kpa=290.0,
        dc_current_a=330.0,
        battery_heat_j_k=4.0e5,
    ),
    CarModel(
        name="Dorado Van 68",
        chemistry=Chemistry.NMC,
        cell_count=104,
        capacity_ah=180.0,
        group_resistance_ohm=0.80e-3,
        lv_chemistry=LowVoltageChemistry.LEAD_ACID,
        lv_capacity_ah=70.0,
        front_share=1.0,
        mass_kg=2500.0,
        drag_area_m2=1.15,
        tyre_reference_kpa=360.0,
        dc_current_a=260.0,
        battery_heat_j_k=3.8e5,
    ),
)
