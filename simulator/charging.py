"""Times at a charger: how a session goes, step by step, and why it ends.

Sessions run side by side in steps of the car's own control, because current, heat and step-down depend on each other.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import numpy as np

from simulator.charge_power import (
    AC_CONTACT_OHM,
    AC_FAULT_W,
    AC_K_W,
    COLD_TAPER,
    DC_CONTACT_OHM,
    DC_FAULT_W,
    DC_K_W,
    MODULES,
    POST_A,
    SHUT_OFF_C,
    WIRING_V,
    Bank,
)
from simulator.day import BoolArray, Cars, FloatArray
from simulator.itinerary import PlugIn
from simulator.models import Chemistry
from simulator.weather import DAY_S

STEP_S: Final = 120.0
"""The car looks at the inlet's temperature and sets the current so often (engineering estimate)."""
ENOUGH: Final = 1e-6
"""Charge missing to the target that nobody waits for."""
TRIES: Final = 5
"""The car gives up when the latch has not held for so many steps on end (engineering estimate)."""


class Ending(StrEnum):
    """Why a session ended."""

    COMPLETE = "complete"
    UNPLUGGED = "unplugged"
    OVERHEATED = "inlet overheated"
    UNLATCHED = "latch not engaged"
    MIDNIGHT = "midnight"
    """It goes on tomorrow."""


@dataclass(frozen=True, slots=True, eq=False)
class Ailments:
    """What is wrong with car and wall while a session lasts."""

    inlet: float = 0.0
    """Severity of charge inlet overheating."""
    wiring: float = 0.0
    """Severity of the home's wiring fault; nothing at a public charger."""
    modules_lost: int = 0
    """Of the on-board charger's."""
    latch_open: BoolArray | None = None
    """Per step of `STEP_S` from the session's start whether the latch fails to hold; None: it always holds."""


@dataclass(frozen=True, slots=True)
class Session:
    """A car at a charger, as it begins."""

    number: int
    """Of the car, as position in `Cars`."""
    plug: PlugIn
    charge: float
    capacity_ah: float
    ambient_c: float
    battery_c: float
    ailments: Ailments
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
    latch_open: BoolArray
    """Over the step that ends there: the car waits for the latch."""
    phases: int
    wiring_ohm: float
    """More than a sound house's."""
    share: float
    ending: Ending

    @property
    def end_s(self) -> float:
        """When the current stopped, in seconds of the day."""
        return float(self.at_s[-1])


def run_sessions(cars: Cars, sessions: Sequence[Session]) -> list[ChargeRun]:
    """Run sessions of different cars until each is complete, unplugged, given up or cut by midnight."""
    if not sessions:
        return []
    bank = _bank(cars, sessions)
    charge = np.array([one.charge for one in sessions])
    share = np.array([one.share for one in sessions])
    inlet = np.array([one.ambient_c if one.inlet_c is None else one.inlet_c for one in sessions])
    sound = inlet.copy()
    at = np.array([one.plug.start_s for one in sessions])
    until = np.array([one.plug.until_s for one in sessions])
    latch = _latches(sessions)
    added = np.zeros(len(sessions))
    never = np.zeros(len(sessions), dtype=np.bool_)
    history = [(at, added, added, bank.rated_a * share, inlet, sound, never)]
    steps, tries = np.zeros((2, len(sessions)), dtype=np.intp)
    enough = bank.charge_to - ENOUGH
    running = (at < until) & (charge < enough)
    while running.any():
        dt = np.minimum(until - at, STEP_S) * running
        battery_a, inlet_a, request_a = bank.currents(charge, share)
        open_now = never
        if latch is not None:
            open_now = latch[np.arange(len(sessions)), np.minimum(steps, latch.shape[1] - 1)]
            battery_a, inlet_a = np.where(open_now, 0.0, battery_a), np.where(open_now, 0.0, inlet_a)
            tries = np.where(open_now, tries + running, 0)
        inlet, sound = bank.warmed(inlet, sound, inlet_a, dt)
        # A session that has ended has no time left to add anything in.
        step_ah = np.minimum(battery_a * dt / 3600.0, (bank.charge_to - charge) * bank.capacity_ah * running)
        added = added + step_ah
        charge = np.minimum(charge + step_ah / bank.capacity_ah, bank.charge_to)
        at = at + dt
        steps += running
        history.append((at, added, inlet_a, request_a, inlet, sound, open_now))
        share = np.where(running & ~open_now, bank.stepped(share, inlet, inlet_a), share)
        running &= (at < until) & (charge < enough) & (inlet < SHUT_OFF_C) & (tries < TRIES)
    table = np.array(history)
    return [
        _run(
            one,
            table[: steps[k] + 1, :, k],
            share=float(share[k]),
            charge=float(charge[k]),
            phases=int(bank.phases[k]),
            wiring_ohm=float(bank.wiring_ohm[k]),
        )
        for k, one in enumerate(sessions)
    ]


def _run(
    session: Session, table: FloatArray, *, share: float, charge: float, phases: int, wiring_ohm: float
) -> ChargeRun:
    at_s, battery_ah, inlet_a, request_a, inlet_c, sound_c, latch_open = table.T
    if inlet_c[-1] >= SHUT_OFF_C:
        ending = Ending.OVERHEATED
    elif charge >= session.plug.charge_to - ENOUGH:
        ending = Ending.COMPLETE
    elif len(at_s) > TRIES and latch_open[-TRIES:].all():
        ending = Ending.UNLATCHED
    else:
        ending = Ending.MIDNIGHT if at_s[-1] >= DAY_S and not session.plug.public else Ending.UNPLUGGED
    return ChargeRun(
        session=session,
        at_s=at_s,
        battery_ah=battery_ah,
        inlet_a=inlet_a,
        request_a=request_a,
        inlet_c=inlet_c,
        sound_c=sound_c,
        latch_open=latch_open > 0.0,
        phases=phases,
        wiring_ohm=wiring_ohm,
        share=share,
        ending=ending,
    )


def _latches(sessions: Sequence[Session]) -> BoolArray | None:
    """Per session and step whether the latch fails to hold, the last step for all that follow; None: it never fails."""
    opened = [one.ailments.latch_open for one in sessions]
    if all(one is None for one in opened):
        return None
    table = np.zeros((len(sessions), 1 + max((len(one) for one in opened if one is not None), default=0)), np.bool_)
    for row, steps in zip(table, opened, strict=True):
        if steps is not None:
            row[: len(steps)] = steps
    return table


def _bank(cars: Cars, sessions: Sequence[Session]) -> Bank:
    chosen = [cars.cars[one.number] for one in sessions]
    public = np.array([one.plug.public for one in sessions])
    inlet = np.array([one.ailments.inlet for one in sessions])
    away = np.array([one.plug.away for one in sessions])
    wiring = np.where(public | away, 0.0, [one.ailments.wiring for one in sessions])
    lost = np.array([one.ailments.modules_lost for one in sessions], dtype=np.intp)
    fitted = np.where(public, 0, np.where(away, MODULES, [car.owner.charger.phases for car in chosen]))
    home_a = np.array([car.owner.charger.current_a for car in chosen])
    # The inlet's contacts are the car's own: worn by what they mostly carry.
    sound_a = np.where(public, [car.model.dc_current_a for car in chosen], home_a)
    offered_a = np.where(away, POST_A, sound_a)
    # On a single phase the modules share the current, and a lost one's share is gone.
    rated = np.where(fitted == 1, offered_a * (MODULES - lost) / MODULES, offered_a)
    return Bank(
        public=public,
        lfp=np.array([car.model.chemistry is Chemistry.LFP for car in chosen]),
        cells=np.array([float(car.model.cell_count) for car in chosen]),
        capacity_ah=np.array([one.capacity_ah for one in sessions]),
        rated_a=rated,
        phases=np.where(fitted == MODULES, fitted - lost, fitted).astype(np.float64),
        contact_ohm=np.where(public, DC_CONTACT_OHM, AC_CONTACT_OHM),
        fault_ohm=inlet * np.where(public, DC_FAULT_W, AC_FAULT_W) / np.square(sound_a),
        kelvin_w=np.where(public, DC_K_W, AC_K_W),
        wiring_ohm=wiring * WIRING_V / offered_a,
        cold=np.interp([max(one.battery_c, 10.0) for one in sessions], *COLD_TAPER),
        charge_to=np.array([one.plug.charge_to for one in sessions]),
        ambient_c=np.array([one.ambient_c for one in sessions]),
    )
