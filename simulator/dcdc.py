"""The DC-DC converter: what it gives to the low-voltage system, and how warm that makes it.

A failing converter turns more of its power into heat: a phase has come off, a cooling plate is clogged. It lowers its
current to save itself, in the end below what the car takes, and the low-voltage battery adds the rest until it is
empty. Warm days come first.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from simulator.consumption import AWAKE_W
from simulator.day import FloatArray
from simulator.usage import DCDC_EFFICIENCY, LV_SYSTEM_V

FULL_A: Final = 150.0
"""About 2 kW (engineering estimate)."""
LOAD_A: Final = AWAKE_W * DCDC_EFFICIENCY / LV_SYSTEM_V
"""What the awake car takes."""
FILL_A: Final = 15.0
"""With less than that to spare the voltage sags and the battery fills more slowly (engineering estimate)."""
REFILL_S: Final = 2700.0
"""Time constant at which the converter fills the battery (engineering estimate)."""
SUPPORTED_V: Final = (13.5, 14.8)
"""Its own limits."""
IDLE_K: Final = 12.0
K_PER_A: Final = 0.4
WARMEST_A: Final = 30.0
"""Above the air: at work, and for each ampere into the battery up to these (engineering estimates)."""
FAILING_K: Final = 75.0
"""How much hotter severity 1 is (engineering estimate)."""
DERATES_C: Final = (70.0, 95.0)
"""Lowers its current from the first on, gives none from the second (engineering estimate)."""


@dataclass(frozen=True, slots=True, eq=False)
class Support:
    """What converters give while they are enabled, shape (n,)."""

    share: FloatArray
    """Of the current that would fill the battery: 1 sound, 0 nothing to spare."""
    lacking_a: FloatArray
    """What the battery has to add to what the car takes."""

    def keeps(self, seconds: FloatArray | float) -> FloatArray:
        """Share of the missing charge that is still missing after so long."""
        return np.exp(-seconds * self.share / REFILL_S)


def support(ambient_c: FloatArray, severity: FloatArray) -> Support:
    """Support in this air, by a converter that fails so severely."""
    own_c = ambient_c + IDLE_K + FAILING_K * severity
    gives = FULL_A * np.clip((DERATES_C[1] - own_c) / (DERATES_C[1] - DERATES_C[0]), 0.0, 1.0)
    return Support(np.clip((gives - LOAD_A) / FILL_A, 0.0, 1.0), np.maximum(LOAD_A - gives, 0.0))


def rise_k(filling_a: FloatArray, severity: FloatArray) -> FloatArray:
    """How far an enabled converter is above the air."""
    return IDLE_K + K_PER_A * np.clip(filling_a, 0.0, WARMEST_A) + FAILING_K * severity
