"""Times at a charger: current by charge and temperature, and the heat of the inlet that can make the car step it down.

Sessions run side by side in steps of the car's own control, because current, heat and step-down depend on each other.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import numpy as np

from simulator.consumption import AWAKE_W
from simulator.day import BoolArray, Cars, FloatArray
from simulator.itinerary import PlugIn
from simulator.models import Chemistry
from simulator.open_circuit import mixed_voltage
from simulator.weather import DAY_S

STEP_S: Final = 120.0
"""The car looks at the inlet's temperature and sets the current so often (engineering estimate)."""
GRID_V: Final = 230.0
CHARGER_EFFICIENCY: Final = 0.91
"""On-board charger, wall to battery (engineering estimate)."""
ENOUGH: Final = 1e-6
"""Charge missing to the target that nobody waits for."""
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


class Ending(StrEnum):
    """Why a session ended."""

    COMPLETE = "complete"
    UNPLUGGED = "unplugged"
    OVERHEATED = "inlet overheated"
    MIDNIGHT = "midnight"
    """It goes on tomorrow."""


@dataclass(frozen=True, slots=True)
class Session:
    """A car at a charger, as it begins."""

    number: int
    """Of the car, as position in `Cars`."""
    plug: PlugIn
    charge: float
    ambient_c: float
    battery_c: float
    severity: float
    """Of charge inlet overheating."""
    share: float = 1.0
    """Of the current left by earlier step-downs."""
    inlet_c: float | None = None
    """None: it begins at the air's temperature."""


@dataclass(frozen=True, slots=True, eq=False)
class ChargeRun:
    """A session as it went; arrays have one entry per step's end, the first at its start."""

    session: Session
    at_s: FloatArray
    battery_ah: FloatArray
    """Since the start."""
    inlet_a: FloatArray
    """Over the step that ends there, of one phase or direct."""
    request_a: FloatArray
    inlet_c: FloatArray
    sound_c: FloatArray
    """What a sound inlet would show."""
    share: float
    ending: Ending

    @property
    def end_s(self) -> float:
        """When the current stopped, in seconds of the day."""
        return float(self.at_s[-1])


@dataclass(slots=True, eq=False)
class _Bank:
    """Constants of the sessions that run side by side, shape (sessions,)."""

    public: BoolArray
    lfp: BoolArray
    cells: FloatArray
    capacity_ah: FloatArray
    rated_a: FloatArray
    phases: FloatArray
    contact_ohm: FloatArray
    fault_ohm: FloatArray
    kelvin_w: FloatArray
    cold: FloatArray
    charge_to: FloatArray
    ambient_c: FloatArray

    def currents(self, charge: FloatArray, share: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Current into the battery, at the inlet, and asked for."""
        volts = self.cells * mixed_voltage(self.lfp, charge)
        top = np.clip((self.charge_to + 0.005 - charge) / FULL_TAPER, 0.05, 1.0)
        top = np.where(self.charge_to > 1.0 - FULL_TAPER, top, 1.0)
        asked = self.rated_a * share * np.where(self.public, np.interp(charge, *TAPER) * self.cold, top)
        power = np.where(self.public, volts * asked, self.phases * GRID_V * asked * CHARGER_EFFICIENCY)
        return (power - AWAKE_W) / volts, asked, self.rated_a * share


def run_sessions(cars: Cars, sessions: Sequence[Session]) -> list[ChargeRun]:
    """Run sessions of different cars until each is complete, unplugged, overheated or cut by midnight."""
    if not sessions:
        return []
    bank = _bank(cars, sessions)
    charge = np.array([one.charge for one in sessions])
    share = np.array([one.share for one in sessions])
    inlet = np.array([one.ambient_c if one.inlet_c is None else one.inlet_c for one in sessions])
    sound = inlet.copy()
    at = np.array([one.plug.start_s for one in sessions])
    until = np.array([one.plug.until_s for one in sessions])
    added = np.zeros(len(sessions))
    history = [np.array([at, added, added, bank.rated_a * share, inlet, sound])]
    steps = np.zeros(len(sessions), dtype=np.intp)
    running = (at < until) & (charge < bank.charge_to - ENOUGH)
    while running.any():
        dt = np.where(running, np.minimum(STEP_S, until - at), 0.0)
        battery_a, inlet_a, request_a = bank.currents(charge, share)
        keep = np.exp(-dt / INLET_TAU_S)
        warm = bank.ambient_c + bank.kelvin_w * np.square(inlet_a) * bank.contact_ohm
        hot = warm + bank.kelvin_w * np.square(inlet_a) * bank.fault_ohm
        inlet, sound = hot + (inlet - hot) * keep, warm + (sound - warm) * keep
        step_ah = np.minimum(battery_a * dt / 3600.0, (bank.charge_to - charge) * bank.capacity_ah)
        added = added + np.where(running, step_ah, 0.0)
        charge = np.where(running, np.minimum(charge + step_ah / bank.capacity_ah, bank.charge_to), charge)
        at = at + dt
        steps += running
        history.append(np.array([at, added, inlet_a, request_a, inlet, sound]))
        down = np.where(inlet > LIMIT_C, share * STEP_DOWN, np.where(inlet < CLEAR_C, share / STEP_DOWN, share))
        share = np.where(running, np.clip(down, LEAST_SHARE, 1.0), share)
        running &= (at < until) & (charge < bank.charge_to - ENOUGH) & (inlet < SHUT_OFF_C)
    table = np.stack(history)
    return [_run(one, table[: steps[k] + 1, :, k], float(share[k]), charge[k]) for k, one in enumerate(sessions)]


def _run(session: Session, table: FloatArray, share: float, charge: float) -> ChargeRun:
    at_s, battery_ah, inlet_a, request_a, inlet_c, sound_c = table.T
    if inlet_c[-1] >= SHUT_OFF_C:
        ending = Ending.OVERHEATED
    elif charge >= session.plug.charge_to - ENOUGH:
        ending = Ending.COMPLETE
    else:
        ending = Ending.MIDNIGHT if at_s[-1] >= DAY_S and not session.plug.public else Ending.UNPLUGGED
    return ChargeRun(session, at_s, battery_ah, inlet_a, request_a, inlet_c, sound_c, share, ending)


def _bank(cars: Cars, sessions: Sequence[Session]) -> _Bank:
    chosen = [cars.cars[one.number] for one in sessions]
    public = np.array([one.plug.public for one in sessions])
    severity = np.array([one.severity for one in sessions])
    rated = np.where(
        public,
        [car.model.dc_current_a for car in chosen],
        [car.owner.charger.current_a for car in chosen],
    )
    return _Bank(
        public=public,
        lfp=np.array([car.model.chemistry is Chemistry.LFP for car in chosen]),
        cells=np.array([float(car.model.cell_count) for car in chosen]),
        capacity_ah=np.array([car.capacity_ah for car in chosen]),
        rated_a=rated,
        phases=np.array([float(car.owner.charger.phases) for car in chosen]),
        contact_ohm=np.where(public, DC_CONTACT_OHM, AC_CONTACT_OHM),
        fault_ohm=severity * np.where(public, DC_FAULT_W, AC_FAULT_W) / np.square(rated),
        kelvin_w=np.where(public, DC_K_W, AC_K_W),
        cold=np.interp([max(one.battery_c, 10.0) for one in sessions], *COLD_TAPER),
        charge_to=np.array([one.plug.charge_to for one in sessions]),
        ambient_c=np.array([one.ambient_c for one in sessions]),
    )
