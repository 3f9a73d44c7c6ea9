"""The refrigerant circuit that heats and cools the cabin: a compressor between a cold and a hot heat exchanger.

A worn compressor takes more power for the same cooling and has less of it to give; its low side comes up. A circuit
that lacks refrigerant starves its evaporator: the low side falls, the lift grows, and in the end the compressor, whose
oil comes with the refrigerant, is locked. Both leave the cabin waiting.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from simulator.consumption import COMFORT_C
from simulator.day import BoolArray, Cars, Day, FloatArray
from simulator.instruments import AWAKE, DRIVING, Sensor, Test
from vehicle.failure import FailureMode

ZERO_C: Final = 273.15
SATURATED_KPA: Final = 316.0
SATURATED_K: Final = 2500.0
"""R-1234yf by Clausius and Clapeyron, through the tables' 316 kPa at 0 degC and 1642 kPa at 60 degC; cars of the EU
must not use R-134a since 2017 (directive 2006/40/EC)."""
CARNOT_SHARE: Final = 0.4
"""Of the reversible machine's efficiency: 2.7 times the power at 30 degC and at 5 degC (engineering estimate)."""
CAPACITY_W: Final = 7000.0
"""Most heat the circuit moves (engineering estimate)."""
EVAPORATOR_C: Final = 2.0
CONDENSER_K: Final = 8.0
CONDENSER_LOAD_K: Final = 10.0
"""Cooling: the evaporator is kept just above freezing, the condenser is above the outside air, more at full load."""
HEATER_C: Final = 45.0
HEATER_LOAD_K: Final = 5.0
OUTSIDE_K: Final = 4.0
OUTSIDE_LOAD_K: Final = 6.0
"""Heating: the same the other way round (engineering estimates, all of them)."""

WORN_EFFICIENCY: Final = 0.5
WORN_CAPACITY: Final = 0.6
WORN_LOW_K: Final = 3.0
LEAST_LEFT: Final = 0.1
"""A worn compressor at severity 1: shares of efficiency and capacity lost, and how much warmer the cold side is. So
much of either is always left (engineering estimates)."""
POWER_INDEX: Final = 1.7
"""Functional failure: so much more power than a sound compressor takes for the same heat (engineering estimate)."""
LEAK_SHARE: Final = 0.8
"""Of the filling, lost at severity 1."""
RESERVE: Final = 0.15
"""Of the filling, held in the accumulator: what lacks beyond it starves the evaporator (engineering estimate)."""
STARVED_K: Final = 35.0
STARVED_HOT_K: Final = 12.0
STARVED_CAPACITY: Final = 0.8
"""Colder evaporator, cooler condenser, share of the capacity lost, without any refrigerant (engineering estimates)."""
LOCKED: Final = 0.4
"""Functional failure: the compressor is locked once its low side is at less than this share of the pressure it should
have (engineering estimate)."""

POWER_SHARE: Final = 0.03
PRESSURE_SHARE: Final = 0.02
"""Standard deviations of the sensors over their values (engineering estimates)."""
SENSORS: Final = {
    "ac_compressor_power_kw": Sensor(AWAKE | DRIVING, POWER_SHARE, relative=True),
    "refrigerant_high_kpa": Sensor(AWAKE | DRIVING, PRESSURE_SHARE, relative=True),
    "refrigerant_low_kpa": Sensor(AWAKE | DRIVING, PRESSURE_SHARE, relative=True),
}


def _power(day: Day, _: Cars) -> BoolArray:
    return day.columns["ac_power_index"] > 0.9 * POWER_INDEX


def _charge(day: Day, _: Cars) -> BoolArray:
    return day.columns["refrigerant_low_share"] < 1.2 * LOCKED


_FRAME: Final = ("ac_compressor_power_kw", "refrigerant_high_kpa", "refrigerant_low_kpa", "ambient_temp_c")
TESTS: Final = (Test("P0534", _charge, _FRAME), Test("AC_compressor_power_index", _power, _FRAME))
"""SAE J2012: refrigerant charge loss; the other is the maker's own code."""


MODES: Final = (FailureMode.AC_COMPRESSOR_DEGRADING, FailureMode.REFRIGERANT_LEAK)


@dataclass(frozen=True, slots=True, eq=False)
class Circuit:
    """The circuit at every row, shape (n,)."""

    works: BoolArray
    share: FloatArray
    """Of the heat that is wanted, 1 for a sound one."""
    starved: FloatArray
    """How much refrigerant the evaporator lacks, 0 to 1."""
    cold_c: FloatArray
    hot_c: FloatArray
    """At which it boils and condenses."""
    low_share: FloatArray
    """Of the low side's pressure in a sound circuit."""
    index: FloatArray
    """Of the power over a sound compressor's for the same heat."""
    power_w: FloatArray


def saturated_kpa(temp_c: FloatArray) -> FloatArray:
    """Absolute pressure at which the refrigerant boils, by temperature."""
    return np.asarray(SATURATED_KPA * np.exp(SATURATED_K * (1.0 / ZERO_C - 1.0 / (temp_c + ZERO_C))))


def advance(day: Day, running: BoolArray, wanted_w: FloatArray) -> FloatArray:
    """Move heat into or out of the cabin: power and both pressures.

    Args:
        day: with the outside air's temperature.
        running: rows at which the cabin is heated or cooled.
        wanted_w: heat that a sound circuit moves then, above 0 and at most `CAPACITY_W`.

    Returns:
        The share of it that this circuit moves, exactly 1 for a sound one.
    """
    worn, leak = (day.severity(mode) for mode in MODES)
    ambient = day.columns["ambient_temp_c"]
    found = circuit(ambient, running, wanted_w, worn, leak)
    works, starved, index, low_share = found.works, found.starved, found.index, found.low_share
    standing = saturated_kpa(ambient)
    day.columns["ac_compressor_power_kw"] = found.power_w / 1000.0
    day.columns["refrigerant_high_kpa"] = np.where(works, saturated_kpa(found.hot_c), standing)
    day.columns["refrigerant_low_kpa"] = np.where(works, saturated_kpa(found.cold_c), standing)
    day.columns["ac_power_index"] = np.where(works, index, 1.0)
    day.columns["refrigerant_low_share"] = np.where(running, low_share, 1.0)
    day.visible[FailureMode.AC_COMPRESSOR_DEGRADING] = works & (worn > 0.0) & (np.abs(index - 1.0) > 3.0 * POWER_SHARE)
    day.failed[FailureMode.AC_COMPRESSOR_DEGRADING] = works & (worn > 0.0) & (index > POWER_INDEX)
    read = running & (starved > 0.0)
    day.visible[FailureMode.REFRIGERANT_LEAK] = read & (np.abs(low_share - 1.0) > 3.0 * PRESSURE_SHARE)
    day.failed[FailureMode.REFRIGERANT_LEAK] = read & ~works
    return np.where(running & ~works, 0.0, found.share)


def circuit(
    ambient_c: FloatArray, running: BoolArray, wanted_w: FloatArray, worn: FloatArray, leak: FloatArray
) -> Circuit:
    """What the circuit does at each row.

    Args:
        ambient_c: outside air.
        running: rows at which the cabin is heated or cooled.
        wanted_w: heat that a sound circuit moves then, above 0 and at most `CAPACITY_W`.
        worn: severity of the compressor's wear.
        leak: of the leak.
    """
    starved = np.clip((LEAK_SHARE * leak - RESERVE) / (1.0 - RESERVE), 0.0, 1.0)
    capacity = np.maximum(1.0 - WORN_CAPACITY * worn, LEAST_LEFT) * (1.0 - STARVED_CAPACITY * starved)
    share = np.where(running, np.minimum(capacity * CAPACITY_W / np.maximum(wanted_w, 1.0), 1.0), 1.0)
    cold, hot = _sides(ambient_c, wanted_w * share / CAPACITY_W)
    faulty_cold = cold + WORN_LOW_K * worn - STARVED_K * starved
    faulty_hot = hot - STARVED_HOT_K * starved
    low_share = saturated_kpa(faulty_cold) / saturated_kpa(cold)
    works = running & (low_share >= LOCKED)
    efficiency = np.maximum(1.0 - WORN_EFFICIENCY * worn, LEAST_LEFT)
    per_heat = _power_per_heat(ambient_c, faulty_cold, faulty_hot) / efficiency
    return Circuit(
        works=works,
        share=share,
        starved=starved,
        cold_c=faulty_cold,
        hot_c=faulty_hot,
        low_share=low_share,
        index=per_heat / _power_per_heat(ambient_c, cold, hot),
        power_w=np.where(works, per_heat * wanted_w * share, 0.0),
    )


def _sides(ambient_c: FloatArray, load: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Where the refrigerant boils and condenses in a sound circuit, degC; `load`: 0 to 1."""
    cooling = ambient_c > COMFORT_C
    cold = np.where(cooling, EVAPORATOR_C, ambient_c - OUTSIDE_K - OUTSIDE_LOAD_K * load)
    hot = np.where(cooling, ambient_c + CONDENSER_K + CONDENSER_LOAD_K * load, HEATER_C + HEATER_LOAD_K * load)
    return cold, hot


def _power_per_heat(ambient_c: FloatArray, cold_c: FloatArray, hot_c: FloatArray) -> FloatArray:
    """Of a sound compressor between these sides: heat is counted where it is wanted."""
    useful = np.where(ambient_c > COMFORT_C, cold_c, hot_c) + ZERO_C
    return np.asarray((hot_c - cold_c) / useful / CARNOT_SHARE)
