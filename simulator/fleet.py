"""A seeded fleet: build it, take its days, and at the end its truth.

Everything follows from the seed, the number of cars and days, the start date and the ordered faults. A car's samples
depend on the seed and on its own number, never on the other cars, so any car can be made again alone.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Final

from simulator.car import Car, build_car, suits
from simulator.confounders import Variety
from simulator.convoy import Convoy, DayOfSamples
from simulator.fault_modes import STORY
from simulator.faults import FaultOrder, build_fault, check_orders
from simulator.incidence import draw_faults
from simulator.journal import builds
from simulator.journal import confounders as confounder_truths
from simulator.profile import SPARSE, SamplingProfile
from simulator.randomness import Purpose, generator
from simulator.troubles import CarTroubles, Troubles, draw_troubles
from simulator.truth import FaultTruth, Truth
from simulator.weather import Weather
from vehicle.vehicle import VehicleRecord

CARS_TOGETHER: Final = 96
"""Bounds memory: so many cars' day is held at once, about half a MB a car."""


@dataclass(frozen=True, slots=True)
class SimulatedVehicle:
    """A car as the outside may know it."""

    vehicle_id: str
    record: VehicleRecord


class Fleet:
    """Simulated cars over a number of days; use `build_fleet`."""

    def __init__(
        self,
        cars: Sequence[Car],
        days: int,
        seed: int,
        start: date,
        profile: SamplingProfile = SPARSE,
        *,
        workshop: bool = False,
        troubles: Mapping[str, CarTroubles] | None = None,
    ) -> None:
        self.vehicles: Sequence[SimulatedVehicle] = [
            SimulatedVehicle(car.vehicle_id, car.record(start)) for car in cars
        ]
        self.days = days
        self.start = start
        self._cars = tuple(cars)
        self._seed = seed
        self._profile = profile
        self._workshop = workshop
        self.troubles = troubles or {}
        """Between the cars that have any and the service centre; of those that publish."""
        self._weather = Weather(seed, start, days)
        self._convoys = [self._convoy(part) for part in self._parts()]

    def day(self, index: int) -> Iterator[tuple[str, DayOfSamples]]:
        """Every vehicle's day, counted from 0; vehicles that do not answer any more are left out.

        Days are cheap in order; a later one makes those between, an earlier one starts over.

        Raises:
            IndexError: if the fleet has no such day.
        """
        if not 0 <= index < self.days:
            raise IndexError(f"day {index} is not one of the fleet's {self.days} days")
        return self._day(index)

    def _day(self, index: int) -> Iterator[tuple[str, DayOfSamples]]:
        for number, convoy in enumerate(self._convoys):
            current = convoy
            if current.next_day > index:
                current = self._convoys[number] = self._convoy(self._parts()[number])
            while current.next_day < index:
                current.live()
            yield from current.take()

    @cached_property
    def truth(self) -> Truth:
        """What is really wrong, through all days, whichever were taken.

        Where not all were, the struck cars live them once more for it.
        """
        faults: list[FaultTruth] = []
        if all(convoy.next_day == self.days for convoy in self._convoys):
            faults += (fault for convoy in self._convoys for fault in convoy.faults())
        else:
            faults += self._lived_again()
        oddities = confounder_truths(self._cars, self.start, self._weather)
        for vehicle_id, troubles in self.troubles.items():
            oddities += troubles.truths(vehicle_id, self.start)
        return Truth(tuple(faults), tuple(oddities), tuple(builds(self._cars)))

    def _lived_again(self) -> Iterator[FaultTruth]:
        struck = [car for car in self._cars if car.faults]
        for first in range(0, len(struck), CARS_TOGETHER):
            convoy = self._convoy(struck[first : first + CARS_TOGETHER])
            for _ in range(self.days):
                convoy.live()
            yield from convoy.faults()

    def alone(self, wanted: str) -> "Fleet":
        """The same vehicle with nobody else.

        Raises:
            KeyError: if the fleet has no such vehicle.
        """
        for car in self._cars:
            if car.vehicle_id == wanted:
                own = {name: troubles for name, troubles in self.troubles.items() if name == wanted}
                return Fleet(
                    [car], self.days, self._seed, self.start, self._profile, workshop=self._workshop, troubles=own
                )
        raise KeyError(wanted)

    def _parts(self) -> list[tuple[Car, ...]]:
        return [self._cars[first : first + CARS_TOGETHER] for first in range(0, len(self._cars), CARS_TOGETHER)]

    def _convoy(self, cars: Sequence[Car]) -> Convoy:
        return Convoy(tuple(cars), self.start, self._weather, self._profile, with_workshop=self._workshop)


def build_fleet(
    vehicles: int,
    days: int,
    seed: int,
    start: date,
    faults: Sequence[FaultOrder] | None = None,
    *,
    incidence: float | None = None,
    workshop: bool = False,
    confounders: Variety = Variety.USUAL,
    troubles: Troubles = Troubles.NONE,
    profile: SamplingProfile = SPARSE,
) -> Fleet:
    """Build a fleet.

    Args:
        vehicles: how many cars.
        days: how many days.
        seed: of everything that is drawn.
        start: first day, UTC.
        faults: what is to fail; None: each of `STORY` once, on different cars, in time to fail if the days allow, or
            with `incidence` nothing but what is drawn.
        incidence: draw faults by their rates, made so much more frequent, on top of those ordered; 0 or None: none.
        workshop: struck cars go to a workshop, and most come back repaired.
        confounders: which kinds of what is no fault the cars get.
        troubles: which cars have troubles with link, clock and gateway when they publish.
        profile: how often cars sample.

    Raises:
        FaultError: if a fault cannot be built in.
        ValueError: if there is no car or no day.
    """
    if vehicles < 1 or days < 1:
        raise ValueError(f"a fleet has at least one car and one day, not {vehicles} and {days}")
    sound = [build_car(seed, number, days, (), confounders) for number in range(vehicles)]
    orders = list(faults or []) if faults is not None or incidence is not None else _tell_story(sound, days, seed)
    orders += _drawn(sound, days, incidence or 0.0, orders)
    check_orders(orders, [car.vehicle_id for car in sound])
    struck = {order.vehicle_id for order in orders}
    cars = [
        build_car(
            seed,
            car.number,
            days,
            tuple(order for order in orders if order.vehicle_id == car.vehicle_id),
            confounders,
        )
        if car.vehicle_id in struck
        else car
        for car in sound
    ]
    drawn = {car.vehicle_id: draw_troubles(seed, car.number, days, troubles) for car in cars}
    some = {vehicle_id: one for vehicle_id, one in drawn.items() if one.episodes}
    return Fleet(cars, days, seed, start, profile, workshop=workshop, troubles=some)


def _drawn(cars: Sequence[Car], days: int, factor: float, ordered: Sequence[FaultOrder]) -> list[FaultOrder]:
    """What strikes by its rate, but no mode of a car that is ordered for it anyway."""
    taken = {(order.mode, order.vehicle_id) for order in ordered}
    return [order for order in draw_faults(cars, days, factor) if (order.mode, order.vehicle_id) not in taken]


def _tell_story(cars: Sequence[Car], days: int, seed: int) -> list[FaultOrder]:
    """Each of `STORY` on a car that suits it, as long as there are cars, set off early enough to fail in the days."""
    rng = generator(seed, Purpose.FLEET, 1)
    free = [cars[number] for number in rng.permutation(len(cars))]
    orders = []
    for mode in STORY:
        if not free:
            break
        chosen = next((car for car in free if suits(car, mode)), free[0])
        free.remove(chosen)
        ends = days * float(rng.uniform(0.78, 0.92))
        order = FaultOrder(mode, chosen.vehicle_id, 0.0)
        draft = build_fault(seed, chosen.number, chosen.model, order, chosen.batch.quality(mode).pace)
        onset = max(ends - draft.duration_days, 0.15 * days)
        orders.append(FaultOrder(mode, chosen.vehicle_id, round(onset, 2)))
    return orders
