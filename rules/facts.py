"""Reads which cars a rule is for: facts of the registry, each with the values of which a car must have one."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from rules.reader import Reader
from rules.rule import UNKNOWN
from vehicle.vehicle import LowVoltageChemistry, Powertrain

FACTS: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "model": (),
        "chemistry": ("NMC", "NCA", "LFP"),
        "lv_chemistry": (*LowVoltageChemistry, UNKNOWN),
        "powertrain": (*Powertrain, UNKNOWN),
    }
)
"""What a rule can ask for, with the values there are; none given: any."""


def read_facts(reader: Reader) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """The facts of the field `applies_to`."""
    table = reader.inner("applies_to")
    return tuple((name, _values(table, name)) for name in table.table)


def _values(table: Reader, name: str) -> tuple[str, ...]:
    if name not in FACTS:
        table.complain(name, f"the registry knows no {name} of a vehicle: known are {', '.join(FACTS)}")
        return ()
    known = FACTS[name] or None
    if isinstance(table.table[name], list):
        return table.texts(name, known)
    value = table.text(name)
    if known and value and value not in known:
        table.complain(name, f"{name}: there is no {value}: known are {', '.join(known)}")
    return (value,)
