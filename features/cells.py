"""Each cell group's deviation from its pack, by day and by hour, from samples at which cell groups can be compared."""

from datetime import timedelta
from typing import Final

import numpy as np
from numpy.typing import NDArray

from features.panel import Panel, known, panel
from features.window import Window, held

SIGNALS: Final = ("hv_current_a", "hv_soc_pct")
MIN_CELLS: Final = 8
"""Fewer cell groups have no peers to speak of."""
MIN_SAMPLES: Final = 10
"""A day with fewer comparable samples says nothing (engineering estimate)."""
QUIET_A: Final = 40.0
"""Up to this current a 10 % spread of a 1.5 mOhm cell group's resistance stays below 6 mV (engineering estimate)."""
HOURLY_QUIET_A: Final = 20.0
"""An hour has fewer samples to even out: half the current, half the effect (engineering estimate)."""
LOW_SOC_PCT: Final = 10.0
"""Below it open-circuit voltages fall so steeply that equal cells stand apart."""
LFP_FULL_PCT: Final = 90.0
"""Above it an LFP cell's voltage rises steeply; the first to be full stands far above the others."""
LFP_PLATEAU_V: Final = 3.45
"""An NMC cell lies above it from 30 % charge on, an LFP cell below it until it is nearly full."""
PLATEAU_SOC_PCT: Final = 30.0
STUCK_SHARE: Final = 0.2
"""A cell that moves less than this share of its pack's movement is a dead sensor, not a weak cell."""
STUCK_MOVE_V: Final = 0.05
"""The pack must have moved this far to tell."""
CURRENT_HELD: Final = timedelta(minutes=2)


def observe(window: Window) -> dict[str, Panel]:
    """`cell_deviation` in mV per cell group: the day's median of its voltage less its pack's median.

    And `cell_deviation_hour`, the same of each hour, but for LFP: where its curve is flat nothing shows within an hour,
    and where it is steep groups move apart as the charge does.
    """
    times, volts = window.arrays.get("cell_voltages_v", (np.empty(0, "datetime64[us]"), np.empty((0, 0))))
    day = window.inside(times)
    times, volts = times[day], volts[day]
    if volts.shape[1] < MIN_CELLS:
        return {}
    enough = np.isfinite(volts).sum(axis=1) * 2 > volts.shape[1]
    times, volts = times[enough], volts[enough]
    pack = row_median(volts)
    lfp = _is_lfp(window, _at(window, "hv_soc_pct", times), pack)
    use = _comparable(window, times, lfp=lfp)
    if use.sum() < MIN_SAMPLES:
        return {}
    apart = (volts[use] - pack[use, None]) * 1000.0
    stuck = _stuck(volts, pack)
    deviation = column_median(apart)
    deviation[stuck] = np.nan
    locations = tuple(f"V_{number}" for number in range(1, volts.shape[1] + 1))
    panels = {"cell_deviation": panel(times[use][-1:], deviation[None, :], locations)}
    if not lfp:
        quiet = ~(np.abs(_at(window, "hv_current_a", times[use])) > HOURLY_QUIET_A)
        panels["cell_deviation_hour"] = _by_hour(times[use][quiet], np.where(stuck, np.nan, apart[quiet]), locations)
    return known(panels)


def _by_hour(times: NDArray[np.datetime64], apart: NDArray[np.float64], locations: tuple[str, ...]) -> Panel:
    """The median of each hour that has enough samples, at the last of them."""
    _, starts = np.unique(times.astype("datetime64[h]"), return_index=True)
    ends = np.append(starts[1:], len(times))
    told = [(first, last) for first, last in zip(starts, ends, strict=True) if last - first >= MIN_SAMPLES]
    rows = [column_median(apart[first:last]) for first, last in told]
    return panel([times[last - 1] for _, last in told], np.reshape(rows, (len(told), len(locations))), locations)


def row_median(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """The median of each row's finite values; like `nanmedian`, but fast where little is missing."""
    medians = np.median(values, axis=1)
    gaps = np.flatnonzero(np.isnan(medians))
    if len(gaps):
        medians[gaps] = np.nanmedian(values[gaps], axis=1)
    return medians


def column_median(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """The median of each column's finite values, NaN for a column seen at fewer than half of the rows."""
    scarce = np.isfinite(values).sum(axis=0) * 2 < len(values)
    filled = np.where(scarce, 0.0, values)
    return np.where(scarce, np.nan, row_median(np.ascontiguousarray(filled.T)))


def movement(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """How far the finite values of each column spread, from the lowest but 5 % to the highest but 5 %."""
    ordered = np.sort(values, axis=0)
    last = np.maximum(np.isfinite(values).sum(axis=0) - 1, 0)
    low, high = (np.round(share * last).astype(np.intp) for share in (0.05, 0.95))
    columns = np.arange(values.shape[1])
    return np.asarray(ordered[high, columns] - ordered[low, columns], dtype=np.float64)


def _comparable(window: Window, times: NDArray[np.datetime64], *, lfp: bool) -> NDArray[np.bool_]:
    """At which samples neither current nor a knee of the voltage curve sets equal cells apart; unknown is fine."""
    current = _at(window, "hv_current_a", times)
    soc = _at(window, "hv_soc_pct", times)
    use = ~(np.abs(current) > QUIET_A) & ~(soc < LOW_SOC_PCT)
    if lfp:
        use &= ~(soc > LFP_FULL_PCT)
    return use


def _is_lfp(window: Window, soc: NDArray[np.float64], pack: NDArray[np.float64]) -> bool:
    if window.vehicle.chemistry:
        return window.vehicle.chemistry.upper() == "LFP"
    telling = pack[(soc > PLATEAU_SOC_PCT) & (soc < LFP_FULL_PCT)]
    return bool(len(telling)) and bool(np.median(telling) < LFP_PLATEAU_V)


def _stuck(volts: NDArray[np.float64], pack: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Cells whose reading stands still while their pack moves."""
    moved = movement(pack[:, None])[0]
    if moved < STUCK_MOVE_V:
        return np.zeros(volts.shape[1], dtype=bool)
    return np.asarray(movement(volts) < STUCK_SHARE * moved, dtype=np.bool_)


def _at(window: Window, name: str, times: NDArray[np.datetime64]) -> NDArray[np.float64]:
    """A scalar signal at the times of an array: its latest value, NaN if that is too old."""
    grid = window.times
    if not len(grid):
        return np.full(len(times), np.nan)
    values = held(window.signal(name), grid, CURRENT_HELD)
    latest = np.searchsorted(grid, times, side="right") - 1
    fresh = (latest >= 0) & (times - grid[latest] <= np.timedelta64(CURRENT_HELD))
    return np.where(fresh, values[latest], np.nan)
