"""Whole lives of simulated cars."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from simulator.fleet import Fleet
from vehicle.batch import Event

Life = tuple[np.ndarray[Any, np.dtype[Any]], dict[str, np.ndarray[Any, np.dtype[Any]]], list[Event]]


def _lives(fleet: Fleet) -> dict[str, Life]:
    """Times, columns (NaN where a signal was not sampled) and events of every vehicle over all days."""
    parts: dict[str, list[Any]] = {}
    for index in range(fleet.days):
        for vehicle_id, samples in fleet.day(index):
            parts.setdefault(vehicle_id, []).append(samples)
    lives = {}
    for vehicle_id, days in parts.items():
        shapes = {name: values.shape[1:] for day in days for name, values in day.columns.items()}
        columns = {
            name: np.concatenate([day.columns.get(name, np.full((len(day.times), *shape), np.nan)) for day in days])
            for name, shape in shapes.items()
        }
        times = np.concatenate([day.times for day in days])
        lives[vehicle_id] = times, columns, [event for day in days for event in day.events]
    return lives


@pytest.fixture(scope="session")
def lives() -> Callable[[Fleet], dict[str, Life]]:
    """The function that lets a fleet live all its days."""
    return _lives
