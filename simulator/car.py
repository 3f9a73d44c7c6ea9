"""One simulated car as it left the works and met its owner; nothing in it changes with time."""

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time
from typing import Final

import numpy as np

from simulator.batches import Batch, batch_of
from simulator.confounders import DRAWN, Confounder, Oddity, Variety, draw_more, draw_oddity
from simulator.faults import Fault, FaultOrder, build_fault
from simulator.models import MODELS, CarModel, Chemistry
from simulator.owner import HABITS, VAN, Habit, HomeCharger, Owner, draw_owner
from simulator.randomness import Purpose, generator
from simulator.weather import REGIONS
from vehicle.failure import FailureMode
from vehicle.vehicle import LowVoltageChemistry, Powertrain, VehicleRecord

MAKER: Final = "XVS"
"""An invented world manufacturer identifier, outside the regions whose law asks for a check digit."""
YEAR_CODES: Final = "LMNPRSTVWXY"
"""Model years from 2020, ISO 3779 position 10."""
FADE_PCT_PER_YEAR: Final = 2.3
"""Mean loss of capacity (Geotab 2026)."""
KM_PER_YEAR: Final = {"commuter": 15000.0, "family": 12000.0, "taxi": 60000.0, "delivery": 25000.0}
RARE_KM_PER_YEAR: Final = 4000.0
"""After the habits' own daily distance (engineering estimates)."""
POSTS_AT_WORK: Final = 0.3
POSTS_IN_TOWN: Final = 0.15
"""Of commuters and of other private cars, those that charge at a post by day (engineering estimates)."""
CELL_SPREAD: Final = (2.0, 0.4)
"""Median and standard deviation of the logarithm; one recorded car has groups 15 mV apart at rest, from the 5th to the
95th percentile, which is about twice that of well sorted ones (engineering estimate after it)."""
FALLEN_APART: Final = 0.25
OLD_YEARS: Final = 3.17
FALLEN_FACTOR: Final = 3.5
MOST_SPREAD: Final = 9.0
"""Of the old cars, those whose groups have fallen apart, and how far at most, others half as far: the other recorded
car has 66 mV and is sound all the same (engineering estimate after it)."""
MOST_SPREAD_LFP: Final = 2.0
"""Groups of an LFP battery are charged full and balanced every week (engineering estimate)."""
OFTEN: Final = 0.15
"""Who does not let the charge fall further than this charges every day or two."""


@dataclass(frozen=True, slots=True)
class Car:
    """What was drawn for one car."""

    seed: int
    number: int
    """From 0; all its draws hang on it and on the seed alone."""
    vehicle_id: str
    vin: str
    model: CarModel
    owner: Owner
    region: int
    """Index into `REGIONS`."""
    age_years: float
    odometer_km: float
    health_pct: float
    """Usable capacity over that of a new battery, at the fleet's start."""
    charge: float
    """State of charge at the fleet's start, 0 to 1."""
    cell_spread: float
    """How unlike the traction battery's groups are, over well sorted ones."""
    oddities: tuple[Oddity, ...] = ()
    faults: tuple[Fault, ...] = ()
    tells_altitude: bool = False
    """Its samples have the altitude; so do those of a fleet with all confounders."""

    @property
    def capacity_ah(self) -> float:
        """Usable now."""
        return self.model.capacity_ah * self.health_pct / 100.0

    @property
    def batch(self) -> Batch:
        """That it was built in."""
        return batch_of(self.model.name, self.age_years)

    def fault(self, mode: FailureMode) -> Fault | None:
        """The car's fault of this mode, if it has one."""
        return next((fault for fault in self.faults if fault.order.mode is mode), None)

    def oddity(self, kind: Confounder) -> Oddity | None:
        """The car's confounder of this kind, if it has one."""
        return next((oddity for oddity in self.oddities if oddity.kind is kind), None)

    def record(self, start: date) -> VehicleRecord:
        """The car as the registry knows it."""
        return VehicleRecord(
            vehicle_id=self.vehicle_id,
            registered_at=datetime.combine(start, time(), UTC),
            vin=self.vin,
            model=self.model.name,
            chemistry=self.model.chemistry.value,
            lv_chemistry=self.model.lv_chemistry,
            tyre_reference_kpa=self.model.tyre_reference_kpa,
            cell_count=self.model.cell_count,
            nominal_voltage_v=round(self.model.nominal_voltage_v, 1),
            place=REGIONS[self.region].name,
            build_batch=self.batch.code,
            powertrain=Powertrain.ELECTRIC,
        )


def vehicle_id(number: int) -> str:
    """The pseudonym of car `number` (from 0): ``car-0001`` for the first."""
    return f"car-{number + 1:04d}"


def build_car(
    seed: int, number: int, days: int, orders: tuple[FaultOrder, ...], variety: Variety = Variety.USUAL
) -> Car:
    """Draw car `number` of the fleet; neither faults nor more confounders change anything else about it."""
    model, habit, oddity = _lot(seed, number)
    rng = generator(seed, Purpose.BIRTH, number)
    age = float(rng.uniform(0.5, 4.5))
    fade = FADE_PCT_PER_YEAR * age * float(rng.lognormal(0.0, 0.25))
    per_year = KM_PER_YEAR.get(habit.name, RARE_KM_PER_YEAR) * float(rng.lognormal(0.0, 0.25))
    more = draw_more(seed, number, days) if variety is Variety.ALL else ()
    serial = int(rng.integers(100_000, 1_000_000))
    batch = batch_of(model.name, age)
    return Car(
        seed=seed,
        number=number,
        vehicle_id=vehicle_id(number),
        vin=f"{MAKER}{model.name[0]}EV{model.cell_count:03d}{YEAR_CODES[6 - int(age)]}C{serial}"[:17],
        model=model,
        owner=replace(draw_owner(rng, model, habit), plugs_away=_plugs_away(seed, number, habit)),
        region=int(rng.integers(len(REGIONS))),
        age_years=age,
        odometer_km=age * per_year,
        health_pct=100.0 - fade,
        charge=float(rng.uniform(0.55, 0.8)),
        cell_spread=_cell_spread(seed, number, model, age),
        oddities=(*draw_oddity(rng, oddity, days), *more),
        faults=tuple(build_fault(seed, number, model, order, batch.quality(order.mode).pace) for order in orders),
        tells_altitude=variety is Variety.ALL,
    )


def _cell_spread(seed: int, number: int, model: CarModel, age_years: float) -> float:
    """Twice that of well sorted groups in most cars, and several times that in a few old ones."""
    median, scatter = CELL_SPREAD
    rng = generator(seed, Purpose.BIRTH, number, 4)
    spread = min(median * float(np.exp(scatter * rng.standard_normal())), MOST_SPREAD / 2.0)
    apart = rng.random() < FALLEN_APART and age_years > OLD_YEARS
    most = MOST_SPREAD if model.chemistry is Chemistry.NMC else MOST_SPREAD_LFP
    return min(spread * FALLEN_FACTOR if apart else spread, most)


def _plugs_away(seed: int, number: int, habit: Habit) -> bool:
    """Whether the car has a post where it stands by day; from draws of its own."""
    share = 0.0 if habit.rounds[1] else POSTS_AT_WORK if habit.commutes else POSTS_IN_TOWN
    return bool(generator(seed, Purpose.BIRTH, number, 23).random() < share)


def _lot(seed: int, number: int) -> tuple[CarModel, Habit, Confounder | None]:
    """Model, habit and confounder by turns rather than by chance, so that small fleets hold some of each."""
    turn = generator(seed, Purpose.FLEET).integers(1000, size=3)
    model = MODELS[(number + int(turn[0])) % len(MODELS)]
    habit = VAN if model.front_share == 1.0 else HABITS[(number + int(turn[1])) % len(HABITS)]
    return model, habit, DRAWN[(number + int(turn[2])) % len(DRAWN)]


def suits(car: Car, mode: FailureMode) -> bool:
    """Whether the car shows this fault well: the unasked-for faults go to such cars."""
    if car.oddities or car.owner.habit.name == "rarely driven":
        return False
    match mode:
        case FailureMode.LV_BATTERY_AGEING:
            return car.model.lv_chemistry is LowVoltageChemistry.LEAD_ACID
        case FailureMode.WEAK_CELL_GROUP:
            return car.model.chemistry is Chemistry.NMC
        case FailureMode.BMS_CALIBRATION_DRIFT:
            return car.model.chemistry is Chemistry.LFP
        case (
            FailureMode.CHARGE_INLET_OVERHEATING
            | FailureMode.CHARGER_PHASE_LOST
            | FailureMode.HOME_WIRING_FAULT
            | FailureMode.CHARGE_PORT_LATCH
        ):
            often = car.owner.charges_to - car.owner.plugs_below < OFTEN
            return car.owner.charger is not HomeCharger.NONE and often and not car.owner.plugs_away
        case _:
            return True
