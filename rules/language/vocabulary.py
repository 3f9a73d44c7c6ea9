"""Every name that an expression can use by itself: signals, groups of them, features, facts, states and the time.

A group is made of the signals whose names differ in the wheel (``fl fr rl rr``) or axle (``f r``) alone, and is called
like them without it: ``tyre_pressure_kpa`` is the four tyre pressures, ``motor_stator_temp_c`` both motors'.
"""

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Final

from features.table import FEATURES
from rules.language.kind import Form, Kind, Typed, number, truth
from rules.language.tree import CarState, Clock, Fact, Group, InState, Series, Source
from rules.language.units import SECOND, Unit, unit
from vehicle.signals import CATALOGUE, Signal, SignalKind

WHEEL: Final = Group("wheel", ("fl", "fr", "rl", "rr"))
AXLE: Final = Group("axle", ("f", "r"))
CELL: Final = Group("cell", prefix="V_")
MODULE: Final = Group("module", prefix="M_")

FACTS: Final[Mapping[str, str]] = MappingProxyType(
    {"tyre_reference_kpa": "kPa", "cell_count": "", "nominal_voltage_v": "V"}
)
"""The numbers of `VehicleRecord` and their units."""
TIME: Final = "time"
"""The sample's own."""

_ARRAYS: Final = MappingProxyType({"cell_voltages_v": CELL, "module_temps_c": MODULE})
GROUPS: Final = MappingProxyType({group.name: group for group in (WHEEL, AXLE, CELL, MODULE)})


def _unit(text: str) -> Unit:
    found = unit(text)
    if found is None:
        raise ValueError(f"the language knows no unit {text}")
    return found


def _kind(signal: Signal, group: Group | None) -> Kind:
    match signal.kind:
        case SignalKind.BOOLEAN:
            return truth(group)
        case SignalKind.ENUMERATION:
            return Kind(Form.CHOICE, group=group, choices=signal.values)
        case _:
            return number(_unit(signal.unit), group)


def _signals() -> Iterator[tuple[str, Typed]]:
    for name, signal in CATALOGUE.items():
        group = _ARRAYS.get(name)
        source = Source.ARRAY if signal.kind is SignalKind.ARRAY else Source.SIGNAL
        yield name, Typed(Series(name, source, (name,), group, signal.kind is SignalKind.BOOLEAN), _kind(signal, group))


def _grouped_signals() -> Iterator[tuple[str, Typed]]:
    for group in (WHEEL, AXLE):
        for first in CATALOGUE:
            before, found, after = f"{first}_".partition(f"_{group.members[0]}_")
            names = tuple(f"{before}_{member}_{after}".removesuffix("_") for member in group.members)
            if found and all(name in CATALOGUE for name in names):
                name, signal = f"{before}_{after}".removesuffix("_"), CATALOGUE[first]
                series = Series(name, Source.SIGNAL, names, group, signal.kind is SignalKind.BOOLEAN)
                yield name, Typed(series, _kind(signal, group))


def _features() -> Iterator[tuple[str, Typed]]:
    for name, feature in FEATURES.items():
        group = GROUPS[feature.parts] if feature.parts else None
        yield name, Typed(Series(name, Source.FEATURE, (name,), group), number(_unit(feature.unit), group))


NAMES: Final[Mapping[str, Typed]] = MappingProxyType(
    {
        **dict(_signals()),
        **dict(_grouped_signals()),
        **dict(_features()),
        **{name: Typed(Fact(name), number(_unit(text))) for name, text in FACTS.items()},
        **{str(state): Typed(InState(state), truth()) for state in CarState},
        TIME: Typed(Clock(), number(SECOND)),
    }
)
"""What each name means."""
