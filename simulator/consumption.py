"""What driving costs: resistance of the road and the air, losses, heating and cooling."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from simulator.models import CarModel

GRAVITY: Final = 9.81
AIR_DENSITY: Final = 1.2
"""kg/m3 at 20 degC and sea level."""
ROLLING: Final = 0.010
"""Rolling resistance coefficient of class B tyres (EU 2020/740: 6.6 to 7.7 N/kN) with bearings and brakes."""
ROTATING: Final = 1.05
"""Share of wheels, gears and rotors in the mass to be accelerated (engineering estimate)."""
DRIVE_EFFICIENCY: Final = 0.89
"""Battery to wheel (engineering estimate)."""
REGEN_EFFICIENCY: Final = 0.70
"""Wheel to battery, friction brakes included (engineering estimate)."""
AWAKE_W: Final = 350.0
"""Control units, pumps and DC-DC converter while the car is awake (engineering estimate)."""
HVAC_W_K: Final = 75.0
"""Heat pump or compressor power per kelvin between outside air and a comfortable cabin (engineering estimate)."""
HVAC_MOST_W: Final = 4000.0
COMFORT_C: Final = 21.0
RESTLESS: Final = 1.25
"""Speeding up and braking cost this much more than steady speed (engineering estimate)."""


def resistance_n(
    mass_kg: NDArray[np.float64] | float,
    drag_area_m2: NDArray[np.float64] | float,
    speed_ms: NDArray[np.float64] | float,
) -> NDArray[np.float64]:
    """Force to roll on the flat at a steady speed."""
    return np.asarray(GRAVITY * ROLLING * mass_kg + 0.5 * AIR_DENSITY * drag_area_m2 * np.square(speed_ms))


def hvac_w(ambient_c: NDArray[np.float64] | float) -> NDArray[np.float64]:
    """Electric power that keeps the cabin comfortable; nothing within 3 K of comfort."""
    gap = np.maximum(np.abs(COMFORT_C - np.asarray(ambient_c)) - 3.0, 0.0)
    return np.minimum(HVAC_W_K * gap, HVAC_MOST_W)


def expected_wh_per_km(model: CarModel, speed_kmh: float, ambient_c: float) -> float:
    """Mean consumption of a trip at this mean speed."""
    speed_ms = speed_kmh / 3.6 * 1.1
    force = GRAVITY * ROLLING * model.mass_kg + 0.5 * AIR_DENSITY * model.drag_area_m2 * speed_ms * speed_ms
    hvac = min(HVAC_W_K * max(abs(COMFORT_C - ambient_c) - 3.0, 0.0), HVAC_MOST_W)
    return force / 3.6 / DRIVE_EFFICIENCY * RESTLESS + (AWAKE_W + hvac) / speed_kmh
