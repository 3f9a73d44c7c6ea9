"""Whole lives of simulated cars."""

from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime
from functools import cached_property
from typing import Any

import numpy as np
import pytest

from benchmarks.twins import Life, Twins, live_twins
from benchmarks.twins import lives as live
from simulator.fault_modes import FAULT_MODES
from simulator.fleet import Fleet
from vehicle.failure import FailureMode


@pytest.fixture(scope="session")
def lives() -> Callable[[Fleet], dict[str, Life]]:
    """The function that lets a fleet live all its days."""
    return live


class Checked(Twins):
    """Twins with what tests ask of them."""

    def before_failure(self, name: str) -> tuple[Any, Any]:
        """A signal of both at the same times, up to the failure; NaN where it was not sampled."""
        own, twin = self.rows_before_failure
        return self.struck[1][name][own], self.healthy[1][name][twin]

    @cached_property
    def rows_before_failure(self) -> tuple[Any, Any]:
        """Rows of both at which they sampled together, up to the failure."""
        own, twin = self.rows_together
        before = self.struck[0][own] < self._naive(self.fault.failed_at)
        return own[before], twin[before]

    @cached_property
    def rows_together(self) -> tuple[Any, Any]:
        """Rows of both that are less than a second apart: a fault that costs energy makes charges longer."""
        times, others = self.struck[0], self.healthy[0]
        near = np.clip(np.searchsorted(others, times - np.timedelta64(500, "ms")), 0, len(others) - 1)
        together = np.abs(others[near] - times) < np.timedelta64(1, "s")
        assert together.mean() > 0.5
        return np.flatnonzero(together), near[together]

    def raised(self, name: str) -> Any:
        """How far the fault moved a signal before the failure, where it was sampled."""
        own, twin = self.before_failure(name)
        moved = own - twin
        return moved[np.isfinite(moved)]

    def check_onset(self) -> None:
        """Equal to the bit until the onset, and visible before failed."""
        times, columns, _ = self.struck
        before = int((times < self._naive(self.fault.onset_at) - np.timedelta64(1, "s")).sum())
        assert before > 100
        assert (times[:before] == self.healthy[0][:before]).all()
        assert columns.keys() == self.healthy[1].keys()
        for name, values in columns.items():
            assert values[:before].tobytes() == self.healthy[1][name][:before].tobytes(), name
        onset = self._naive(self.fault.onset_at)
        assert onset < self._naive(self.fault.first_visible_at) < self._naive(self.fault.failed_at)

    def check_failure(self) -> None:
        """It fails about when the growth says."""
        mode = FAULT_MODES[FailureMode(self.fault.failure_mode)]
        onset, failed = self._naive(self.fault.onset_at), self._naive(self.fault.failed_at)
        days = (failed - onset) / np.timedelta64(1, "D")
        # Three deviations of the duration, and as much again for how the car is used; then the wait for a drive.
        most = np.exp(3.0 * mode.scatter) * 1.5
        assert mode.duration_days / most < days < mode.duration_days * most + 7.0

    @staticmethod
    def _naive(at: datetime | None) -> Any:
        assert at is not None
        return np.datetime64(at.astimezone(UTC).replace(tzinfo=None))


def _twins(modes: Sequence[FailureMode], seed: int, days: int, start: date) -> dict[FailureMode, Checked]:
    pairs = live_twins(modes, seed, days, start)
    return {mode: Checked(one.fault, one.struck, one.healthy) for mode, one in pairs.items()}


@pytest.fixture(scope="session")
def twins() -> Callable[[Sequence[FailureMode], int, int, date], dict[FailureMode, Checked]]:
    """The function that puts each mode into a car and lets it and its sound twin live all days."""
    return _twins
