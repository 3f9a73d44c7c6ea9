"""Open-circuit voltage of a cell over its state of charge, by chemistry."""

from typing import Final

import numpy as np

from simulator.day import BoolArray, FloatArray
from simulator.models import Chemistry

_CHARGE: Final = np.array(
    [-0.3, -0.1, -0.05, 0.0, 0.03, 0.06, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.97, 1.0, 1.05]
)
_VOLTAGE: Final = {
    # Shape of graphite/NMC-811, LG M50 (Chen et al., J. Electrochem. Soc. 167 080534, 2020), over the usable window.
    Chemistry.NMC: np.array(
        [1.0, 2.2, 2.75, 3.10, 3.27, 3.38, 3.45, 3.50, 3.55, 3.61, 3.66, 3.73, 3.82, 3.91, 4.00, 4.08, 4.14, 4.17, 4.25]
    ),
    # Shape of graphite/LFP, A123 (Prada et al., J. Electrochem. Soc. 160 A616, 2013): plateaus with a step near 60 %.
    Chemistry.LFP: np.array(
        [
            0.8,
            1.9,
            2.4,
            2.80,
            3.05,
            3.15,
            3.20,
            3.225,
            3.25,
            3.28,
            3.292,
            3.298,
            3.31,
            3.33,
            3.333,
            3.338,
            3.36,
            3.42,
            3.60,
        ]
    ),
}
"""Below empty the voltage collapses (engineering estimate)."""


def cell_voltage(chemistry: Chemistry, charge: FloatArray) -> FloatArray:
    """Volts at rest of cells of one chemistry, for charges (0 to 1) of any shape."""
    return np.asarray(np.interp(charge, _CHARGE, _VOLTAGE[chemistry]), dtype=np.float64)


_APART: Final = 16.0
_BOTH: Final = (np.append(_CHARGE, _CHARGE + _APART), np.append(_VOLTAGE[Chemistry.NMC], _VOLTAGE[Chemistry.LFP]))
"""One curve behind the other, so that one look finds both; a power of two costs the charge the fewest bits."""


def mixed_voltage(lfp: BoolArray, charge: FloatArray) -> FloatArray:
    """Volts at rest where the chemistry differs between elements."""
    return np.asarray(np.interp(charge + _APART * lfp, *_BOTH), dtype=np.float64)
