"""The page ``docs/fault-modes.md``, written from `fault_modes.toml`."""

from typing import Final

from simulator.fault_modes import FAULT_MODES, SIMULATED, FaultMode, Intermittent, LikeParts
from vehicle.failure import FailureMode

_INTRODUCTION: Final = """\
# Failure modes of the simulated fleet

Written by `make docs` from `simulator/fault_modes.toml`, which says what each column means and where it is from: change
that file, not this page. What each mode does to a car is in [fleet.md](fleet.md).

{simulated} of {all} modes can be built in. *Days* is the median from onset to severity 1, which is about functional
failure, with the standard deviation of its logarithm between cars; severity grows as the time since onset to the
*power*. *Rate* is faults per 1,000 car-years.
"""
_COLUMNS: Final = ("no.", "mode", "strikes", "days", "power", "shows", "rate", "breakdown", "channels", "parts")


def fault_modes_page() -> str:
    """The whole page as Markdown."""
    rows = [" | ".join(_row(mode, one)) for mode, one in FAULT_MODES.items()]
    return "\n".join(
        [
            _INTRODUCTION.format(simulated=len(SIMULATED), all=len(FAULT_MODES)),
            f"| {' | '.join(_COLUMNS)} |",
            "|---" * len(_COLUMNS) + "|",
            *(f"| {row} |" for row in rows),
            "",
        ]
    )


def _row(mode: FailureMode, one: FaultMode) -> tuple[str, ...]:
    one_of = "" if one.like_parts is LikeParts.NONE else f", one {one.like_parts.value.replace('_', ' ')}"
    breakdown = "silent" if one.silences else "yes" if one.strands else "no"
    shows = {
        Intermittent.NONE: "always",
        Intermittent.WET: "when wet",
        Intermittent.COLD: "when cold",
        Intermittent.BUMPS: "on rough roads",
    }
    return (
        str(one.number),
        f"`{mode.value}`" + ("" if one.simulated else " (not yet)"),
        f"{mode.component.value.replace('_', ' ')}{one_of}",
        f"{one.duration_days:g} ± {one.scatter:g}",
        f"{one.exponent:g}",
        shows[one.intermittent],
        f"{one.incidence:g}",
        breakdown,
        ", ".join(channel.value.replace("_", " ") for channel in one.channels),
        ", ".join(one.parts) or "-",
    )
