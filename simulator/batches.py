"""Build batches: which supplier's parts a car was built with, and what those are worth.

Each model is built in three batches, one after the other; a car's age says which it is of. What a supplier is worth
stands in one table, for all models: how often a mode comes, and how fast it grows. Over the three batches of a model
the rates of a mode have the mean 1, so that `fault_modes.toml` keeps saying what the whole fleet has.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from vehicle.failure import FailureMode

LATER_THAN_YEARS: Final = (0.0, 1.83, 3.17)
"""Least age of a car of each batch, the newest first: thirds of the fleet, whose cars are half a year to four and a
half years old."""


@dataclass(frozen=True, slots=True)
class Quality:
    """What one supplier's part makes of one mode."""

    rate: float
    """Times the mode's incidence."""
    pace: float = 1.0
    """Times its duration."""


@dataclass(frozen=True, slots=True)
class Batch:
    """What all cars of a batch have in common."""

    code: str
    """As the registry knows it."""
    suppliers: Mapping[str, str]
    """By part, generic names."""

    def quality(self, mode: FailureMode) -> Quality:
        """What its suppliers' parts make of the mode."""
        found = (QUALITY.get(one, {}).get(mode) for one in self.suppliers.items())
        return next((one for one in found if one is not None), ORDINARY)


ORDINARY: Final = Quality(1.0)
_GOOD, _BAD = Quality(0.5), Quality(2.0)
_SLOW, _FAST = Quality(0.5, 1.1), Quality(2.0, 0.8)
QUALITY: Final[Mapping[tuple[str, str], Mapping[FailureMode, Quality]]] = {
    ("battery module", "Taiga"): {
        FailureMode.WEAK_CELL_GROUP: Quality(0.6),
        FailureMode.CELL_INTERNAL_SHORT: Quality(0.6),
    },
    ("battery module", "Luma"): {
        FailureMode.WEAK_CELL_GROUP: Quality(1.8),
        FailureMode.CELL_INTERNAL_SHORT: Quality(1.8),
    },
    ("coolant pump", "Halden"): {FailureMode.COOLANT_PUMP_WEAK: _GOOD},
    ("coolant pump", "Mirov"): {FailureMode.COOLANT_PUMP_WEAK: _BAD},
    ("contactor", "Kessel"): {FailureMode.CONTACTOR_WEAR: _SLOW},
    ("contactor", "Ostra"): {FailureMode.CONTACTOR_WEAR: _FAST},
    ("charge inlet", "Halden"): {FailureMode.CHARGE_INLET_OVERHEATING: _GOOD},
    ("charge inlet", "Ostra"): {FailureMode.CHARGE_INLET_OVERHEATING: _BAD},
    ("tyre pressure sensor", "Pell"): {FailureMode.TPMS_SENSOR_BATTERY: _SLOW},
    ("tyre pressure sensor", "Tarn"): {FailureMode.TPMS_SENSOR_BATTERY: _FAST},
    ("air-conditioning seal", "Pell"): {FailureMode.REFRIGERANT_LEAK: _SLOW},
    ("air-conditioning seal", "Mirov"): {FailureMode.REFRIGERANT_LEAK: _FAST},
}
"""By part and supplier, all invented. A factor of two to four between two suppliers of a part is what makers recall
batches for (engineering estimate)."""

_PARTS: Final = (
    ("battery module", "Taiga", "Luma"),
    ("coolant pump", "Halden", "Mirov"),
    ("contactor", "Kessel", "Ostra"),
    ("charge inlet", "Halden", "Ostra"),
    ("tyre pressure sensor", "Pell", "Tarn"),
    ("air-conditioning seal", "Pell", "Mirov"),
)
"""Each part's better supplier and the other one."""
_WORSE: Final = {
    "Aster 57": (2, 1, 0, 1, 2, 0),
    "Borealis 78 AWD": (1, 2, 1, 0, 2, 1),
    "Cirrus 60": (1, 0, 2, 1, 1, 2),
    "Dorado Van 68": (0, 1, 1, 2, 2, 1),
}
"""By model the one of its batches, the newest being 0, that has the other supplier's part."""


def batch_of(model: str, age_years: float) -> Batch:
    """The batch of a car of this model and age at the fleet's start."""
    return BATCHES[model][sum(age_years >= least for least in LATER_THAN_YEARS) - 1]


def _batch(model: str, place: int) -> Batch:
    suppliers = {
        part: other if worse == place else better
        for (part, better, other), worse in zip(_PARTS, _WORSE[model], strict=True)
    }
    return Batch(f"{model[0]}{len(LATER_THAN_YEARS) - place}", suppliers)


BATCHES: Final = {model: tuple(_batch(model, place) for place in range(len(LATER_THAN_YEARS))) for model in _WORSE}
"""By model, the newest first."""
