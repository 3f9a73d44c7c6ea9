"""A car with a trailer: heavier, and with more of it in the wind, while the owner drives as ever."""

from dataclasses import replace
from typing import Final

from simulator.car import Car
from simulator.confounders import Confounder
from simulator.day import Cars

TRAILER_KG: Final = (500.0, 1100.0)
TRAILER_M2: Final = 0.9
"""Mass and drag area of a box or a small caravan behind a car (engineering estimates)."""


def as_driven(cars: Cars, index: int) -> Cars:
    """The cars with what they pull on this day; the same object when nobody tows."""
    pulled = [car.oddity(Confounder.TRAILER) for car in cars.cars]
    if not any(one is not None and one.shows(index) for one in pulled):
        return cars
    return Cars(
        tuple(
            _loaded(car, one.size) if one is not None and one.shows(index) else car
            for car, one in zip(cars.cars, pulled, strict=True)
        )
    )


def _loaded(car: Car, size: float) -> Car:
    low, high = TRAILER_KG
    model = replace(
        car.model,
        mass_kg=car.model.mass_kg + low + (high - low) * size,
        drag_area_m2=car.model.drag_area_m2 + TRAILER_M2,
    )
    return replace(car, model=model)
