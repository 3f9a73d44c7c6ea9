"""How often a car samples, by what it is doing."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class SamplingProfile:
    """Seconds between samples; charging control keeps steps of its own, whatever is sampled."""

    driving_s: float = 20.0
    charging_s: float = 120.0
    awake_s: float = 200.0
    asleep_s: float = 1800.0
    cells_every: int = 5
    """While driving and charging only every so many samples carry the voltage of each cell group; at rest all do."""


SPARSE: Final = SamplingProfile()
"""For weeks of a fleet: about 260 samples per car and day."""
DENSE: Final = SamplingProfile(driving_s=1.0, charging_s=10.0, awake_s=10.0, asleep_s=600.0, cells_every=10)
"""For watching cars live."""
