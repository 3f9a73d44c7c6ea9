"""What is really wrong with the fleet: for scoring detectors, never for building them."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import msgspec


class VisitTruth(msgspec.Struct, frozen=True):
    """One day in the workshop for one fault."""

    at: datetime
    """The midnight with which the day begins."""
    result: str
    """``repaired``, ``no_fault_found``, ``wrong_part`` or ``not_cured``."""
    replaced: tuple[str, ...] = ()
    """Parts, the right one or not."""


class FaultTruth(msgspec.Struct, frozen=True, tag="fault", tag_field="kind"):
    """One fault of one vehicle, as it really went."""

    vehicle_id: str
    component: str
    failure_mode: str
    onset_at: datetime
    first_visible_at: datetime | None
    """First sample that the fault moves by three standard deviations of a sound car's; None: not within the days."""
    failed_at: datetime | None
    """First sample at which the component no longer does its work; None: not within the days."""
    locations: tuple[str, ...] = ()
    """Which of several like parts: ``fl``, ``V_17``."""
    channels: tuple[str, ...] = ()
    """Who may rightly see to it, the least effort first."""
    parts: tuple[str, ...] = ()
    """What the repair may need."""
    repaired_at: datetime | None = None
    """From then on there is no fault; None: not within the days."""
    visits: tuple[VisitTruth, ...] = ()
    """To the workshop for this fault, in order; empty where no car goes to one."""


class ConfounderTruth(msgspec.Struct, frozen=True, tag="confounder", tag_field="kind"):
    """Something about one vehicle that looks odd and is no fault."""

    vehicle_id: str
    confounder: str
    start_at: datetime
    end_at: datetime
    locations: tuple[str, ...] = ()


class BuildTruth(msgspec.Struct, frozen=True, tag="build", tag_field="kind"):
    """What one vehicle was built with, and what that makes of its failure modes."""

    vehicle_id: str
    batch: str
    suppliers: dict[str, str]
    """By part."""
    rates: dict[str, float]
    """By failure mode: times the fleet's incidence, where that is not 1."""
    paces: dict[str, float]
    """The same: times the time from onset to failure."""


@dataclass(frozen=True, slots=True)
class Truth:
    """Everything that is true of a fleet and that no detector may see."""

    faults: tuple[FaultTruth, ...]
    confounders: tuple[ConfounderTruth, ...]
    builds: tuple[BuildTruth, ...] = ()


class TruthError(ValueError):
    """The file is no truth file; the message names file and line."""


_DECODER = msgspec.json.Decoder(FaultTruth | ConfounderTruth | BuildTruth)


def write_truth(path: Path, truth: Truth) -> None:
    """Write one JSON object per line: faults first, then confounders, then builds."""
    lines = [msgspec.json.encode(entry) for entry in (*truth.faults, *truth.confounders, *truth.builds)]
    path.write_bytes(b"".join(line + b"\n" for line in lines))


def read_truth(path: Path) -> Truth:
    """Read what `write_truth` wrote.

    Raises:
        TruthError: at the first line that is not an entry.
        OSError: if the file cannot be read.
    """
    entries: list[FaultTruth | ConfounderTruth | BuildTruth] = []
    for number, line in enumerate(path.read_bytes().splitlines(), start=1):
        try:
            entries.append(_DECODER.decode(line))
        except msgspec.DecodeError as error:
            raise TruthError(f"{path}, line {number}: {error}") from None
    return Truth(
        tuple(entry for entry in entries if isinstance(entry, FaultTruth)),
        tuple(entry for entry in entries if isinstance(entry, ConfounderTruth)),
        tuple(entry for entry in entries if isinstance(entry, BuildTruth)),
    )
