"""Power at the charge port: what the car asks for, what phases and wiring leave of it, and the heat of the inlet.

Figures and laws; `charging` runs sessions with them.
"""

from dataclasses import dataclass, field
from typing import Final

import numpy as np

from simulator.consumption import AWAKE_W
from simulator.day import BoolArray, FloatArray
from simulator.open_circuit import mixed_voltage

GRID_V: Final = 230.0
CHARGER_EFFICIENCY: Final = 0.91
"""On-board charger, wall to battery (engineering estimate)."""
MODULES: Final = 3
"""Of the on-board charger: one per phase of three, or all side by side on a single one (engineering estimate)."""
FULL_TAPER: Final = 0.03
"""Alternating current tapers over the last share of the charge (engineering estimate)."""
TAPER: Final = ((0.0, 0.1, 0.45, 0.6, 0.8, 0.9, 1.0), (0.8, 1.0, 1.0, 0.65, 0.35, 0.2, 0.05))
"""Share of the greatest direct current over the charge (engineering estimate after published charge curves)."""
COLD_TAPER: Final = ((-10.0, 0.0, 10.0, 22.0), (0.3, 0.35, 0.6, 1.0))
"""The same over battery temperature, a heated battery taken for granted (engineering estimate)."""

STEP_DOWN: Final = 0.75
LIMIT_C: Final = 78.0
CLEAR_C: Final = 58.0
"""The current is stepped down by 25 % at a time above the limit and up again below the other (alert CC_a013)."""
LEAST_SHARE: Final = 0.25
SHUT_OFF_C: Final = 90.0
"""Charging stops: functional failure of the inlet (usual limit of charging contacts; engineering estimate)."""

POST_A: Final = 16.0
"""Per phase, at a post with three (usual: 11 kW)."""

INLET_TAU_S: Final = 480.0
AC_K_W: Final = 4.0
DC_K_W: Final = 1.3
"""Rise of the hottest contact per watt in it: thin pins, and thick ones with thick cables (engineering estimates)."""
AC_CONTACT_OHM: Final = 0.6e-3
DC_CONTACT_OHM: Final = 0.2e-3
"""Of a sound contact (engineering estimates)."""
AC_FAULT_W: Final = 30.0
DC_FAULT_W: Final = 90.0
"""Heat that severity 1 adds at the rated current: wear is driven by its own heat, so it is alike for all currents
(engineering estimates)."""

GRID_OHM: Final = 0.12
"""Of a house's supply line (engineering estimate)."""
LEAST_V: Final = 207.0
"""Functional failure of the wiring: 10 % below nominal, the limit of EN 50160; the car steps the current down."""
CLEAR_V: Final = 220.0
"""It steps up again above (engineering estimate)."""
WIRING_V: Final = 22.0
"""More drop that severity 1 of a fault of the wiring brings at the rated current (engineering estimate)."""


@dataclass(slots=True, eq=False)
class Bank:
    """Constants of the sessions that run side by side, shape (sessions,)."""

    public: BoolArray
    lfp: BoolArray
    cells: FloatArray
    capacity_ah: FloatArray
    rated_a: FloatArray
    phases: FloatArray
    """That carry current; 0 for direct current."""
    contact_ohm: FloatArray
    fault_ohm: FloatArray
    kelvin_w: FloatArray
    wiring_ohm: FloatArray
    """More than a sound house's."""
    cold: FloatArray
    charge_to: FloatArray
    ambient_c: FloatArray

    tapers: BoolArray = field(init=False)
    """Alternating current to a full battery."""
    any_public: bool = field(init=False)
    sound_walls: bool = field(init=False)
    """What need not be asked again at every step."""

    def __post_init__(self) -> None:
        self.tapers = ~self.public & (self.charge_to > 1.0 - FULL_TAPER)
        self.any_public, self.sound_walls = bool(self.public.any()), not self.wiring_ohm.any()

    def currents(self, charge: FloatArray, share: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Current into the battery, at the inlet, and asked for."""
        volts = self.cells * mixed_voltage(self.lfp, charge)
        most = self.rated_a * share
        asked = most
        if self.tapers.any():
            top = np.minimum(np.maximum((self.charge_to + 0.005 - charge) / FULL_TAPER, 0.05), 1.0)
            asked = np.where(self.tapers, most * top, asked)
        if self.any_public:
            asked = np.where(self.public, most * (np.interp(charge, *TAPER) * self.cold), asked)
        wall = GRID_V - self.wiring_ohm * asked
        power = self.phases * wall * asked * CHARGER_EFFICIENCY
        if self.any_public:
            power = np.where(self.public, volts * asked, power)
        return (power - AWAKE_W) / volts, asked, most

    def warmed(
        self, inlet_c: FloatArray, sound_c: FloatArray, inlet_a: FloatArray, dt_s: FloatArray
    ) -> tuple[FloatArray, FloatArray]:
        """The inlet's temperature after a step at this current, and what a sound inlet's would be."""
        keep = np.exp(dt_s / -INLET_TAU_S)
        heat_k = self.kelvin_w * np.square(inlet_a)
        warm = self.ambient_c + heat_k * self.contact_ohm
        hot = warm + heat_k * self.fault_ohm
        return hot + (inlet_c - hot) * keep, warm + (sound_c - warm) * keep

    def stepped(self, share: FloatArray, inlet_c: FloatArray, inlet_a: FloatArray) -> FloatArray:
        """Share of the current for the next step: a hot inlet takes it down, and so does a wall that gives way."""
        hot = inlet_c > LIMIT_C
        if self.sound_walls and share.min() == 1.0 and not hot.any():
            return share
        wall = GRID_V - (GRID_OHM + self.wiring_ohm) * inlet_a
        weak = ~self.public & (wall < LEAST_V)
        clear = (inlet_c < CLEAR_C) & (self.public | (wall > CLEAR_V))
        down = np.where(hot | weak, share * STEP_DOWN, np.where(clear, share / STEP_DOWN, share))
        return np.clip(down, LEAST_SHARE, 1.0)
