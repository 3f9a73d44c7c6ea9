"""Reads which cars a rule is for: facts of the registry, each with the values of which a car must have one."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from rules.reader import Reader
from rules.rule import UNKNOWN
from vehicle.software import is_pattern
from vehicle.vehicle import LowVoltageChemistry, Powertrain

FACTS: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "model": (),
        "chemistry": ("NMC", "NCA", "LFP"),
        "lv_chemistry": (*LowVoltageChemistry, UNKNOWN),
        "powertrain": (*Powertrain, UNKNOWN),
        "software": (),
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
    if name == "software":
        return _versions(table)
    known = FACTS[name] or None
    if isinstance(table.table[name], list):
        return table.texts(name, known)
    value = table.text(name)
    if known and value and value not in known:
        table.complain(name, f"{name}: there is no {value}: known are {', '.join(known)}")
    return (value,)


def _versions(table: Reader) -> tuple[str, ...]:
    """Versions of software, or beginnings of them and ``*``."""
    given = table.table["software"]
    values = given if isinstance(given, list) else [given]
    if not values or not all(isinstance(value, str) for value in values):
        table.complain("software", 'software: name one version or more, in quotation marks: "2026.8", or "2026.8.*"')
        return ()
    for value in values:
        if not is_pattern(value):
            table.complain("software", f"software: {value} is neither a version nor the beginning of several and *")
    return tuple(map(str, values))
