"""The workshop: when a struck car comes, and whether what is done there ends the fault.

A visit takes a day, on which nobody drives the car. It ends the fault at the midnight after it; or nothing is found,
the wrong part is replaced, or the right one does not cure it, and the car comes again.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import numpy as np

from simulator.car import Car
from simulator.confounders import Confounder
from simulator.course import Course, Result, Visit
from simulator.day import Cars
from simulator.fault_modes import FAULT_MODES, Intermittent
from simulator.faults import broken_part
from simulator.randomness import Purpose, generator
from simulator.weather import DAY_S
from vehicle.failure import FailureMode

TOW_DAYS: Final = 1.0
BOOK_DAYS: Final = 6.0
NOTICE_DAYS: Final = 30.0
"""Mean days that a car waits for its visit: broken down; failed, but it drives; and with a fault that its data show but
that its owner has yet to be told of or to feel (engineering estimates)."""
FIXES: Final = 0.974
"""The right part cures the fault at the first visit (the published first-time fix rate that the project goes by)."""
RIGHT_PART: Final = 0.92
FOUND: Final = 0.95
FOUND_INTERMITTENT: Final = 0.7
"""The right part is chosen; the fault shows itself in the workshop; the same of one that comes and goes (engineering
estimates)."""

NEW_PARTS: Final = {
    Confounder.NEW_LV_BATTERY: FailureMode.LV_BATTERY_AGEING,
    Confounder.TYRE_CHANGE: FailureMode.TYRE_SLOW_LEAK,
    Confounder.NEW_TYRE: FailureMode.TYRE_SLOW_LEAK,
    Confounder.TYRE_INFLATION: FailureMode.TYRE_UNDERINFLATION_SEASONAL,
}
"""The fault that ends with the old part, or with the air that is put in, if the car had it."""


def advance(cars: Cars, courses: Sequence[Sequence[Course]], index: int) -> list[tuple[int, FailureMode]]:
    """End day `index`: see to the cars that were in the workshop, and book visits for what showed today.

    Args:
        cars: a repair puts the repaired car in its place.
        courses: per car, of its faults.
        index: of the day that is over.

    Returns:
        Position of the car and mode of every fault that ends with the day.
    """
    repaired = []
    for number, ones in enumerate(courses):
        for course in ones:
            if course.repaired:
                continue
            car, mode = cars.cars[number], course.fault.order.mode
            if course.next_visit == index:
                _see_to(car, course, index)
                if course.visits[-1].result is Result.REPAIRED:
                    repaired.append((number, mode))
                    end(cars, number, course, index + 1)
            elif not course.visits:
                course.next_visit = _first_visit(car, course)
    return repaired


def fit_new_parts(cars: Cars, courses: Sequence[Sequence[Course]], index: int) -> list[tuple[int, FailureMode]]:
    """Begin day `index`: parts that are replaced for other reasons; where the old one was faulty, its fault ends.

    Returns:
        As `advance`, and every new low-voltage battery, whether its car had a fault or not.
    """
    fitted = []
    for number, car in enumerate(cars.cars):
        for oddity in (one for one in car.oddities if one.kind in NEW_PARTS and one.start_day == index):
            mode = NEW_PARTS[oddity.kind]
            fitted.append((number, mode))
            for course in courses[number]:
                fault = course.fault
                place = oddity.kind is not Confounder.NEW_TYRE or fault.location == oddity.wheel
                if fault.order.mode is mode and fault.order.onset_day < index and not course.repaired and place:
                    end(cars, number, course, index)
    return fitted


def end(cars: Cars, number: int, course: Course, day: int) -> None:
    """Let the fault be gone from the midnight on with which that day begins."""
    course.fault = replace(course.fault, repaired_s=day * DAY_S)
    course.next_visit = np.inf
    car = cars.cars[number]
    faults = tuple(course.fault if one.order is course.fault.order else one for one in car.faults)
    cars.cars = (*cars.cars[:number], replace(car, faults=faults), *cars.cars[number + 1 :])


def _first_visit(car: Car, course: Course) -> float:
    """The day, after what has shown so far; infinite: none."""
    key = course.mode.key
    notice, repair = generator(car.seed, Purpose.WORKSHOP, car.number, key).standard_exponential(2)
    wait = TOW_DAYS if course.mode.strands else BOOK_DAYS
    return min(
        _day_after(course.visible_s, NOTICE_DAYS * float(notice)),
        _day_after(course.failed_s, wait * float(repair)),
    )


def _see_to(car: Car, course: Course, day: int) -> None:
    """Add the day's visit, and book the next one as if the fault stayed."""
    mode = course.mode
    rng = generator(car.seed, Purpose.WORKSHOP, car.number, mode.key, 1 + len(course.visits))
    found, right, cured = rng.random(3)
    choice, wait = int(rng.integers(1 << 30)), float(rng.standard_exponential())
    broken = broken_part(car.seed, car.number, course.fault.order.mode)
    right_part: tuple[str, ...] = (broken,) if broken else ()
    wrong_parts = tuple(part for part in _suspects(course) if part not in right_part)
    replaced = right_part
    if found >= (FOUND if mode.intermittent is Intermittent.NONE else FOUND_INTERMITTENT):
        result, replaced = Result.NO_FAULT_FOUND, ()
    elif right_part and wrong_parts and right >= RIGHT_PART:
        result, replaced = Result.WRONG_PART, wrong_parts
    else:
        result = Result.REPAIRED if cured < FIXES else Result.NOT_CURED
    course.visits.append(Visit(day, result, (replaced[choice % len(replaced)],) if replaced else ()))
    course.next_visit = _day_after(day * DAY_S, BOOK_DAYS * wait)


def _day_after(since_s: float, wait_days: float) -> float:
    return float(np.floor(since_s / DAY_S) + 1.0 + np.floor(wait_days)) if np.isfinite(since_s) else np.inf


def _suspects(course: Course) -> tuple[str, ...]:
    """What may be taken for the cause: the parts that any fault of the component may need."""
    component = course.fault.order.mode.component
    parts = [part for mode, one in FAULT_MODES.items() if mode.component is component for part in one.parts]
    return tuple(dict.fromkeys(parts))
