"""What the suite prints: one line for each run, and a table of all."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final


@dataclass(frozen=True, slots=True)
class ReportLine:
    """One run of one scenario; messages, unless it says otherwise, None where the scenario has no such thing."""

    scenario: str
    seed: int
    published: int | None = None
    acked: int | None = None
    stored: int | None = None
    quarantined: int | None = None
    lost: int | None = None
    duplicated: int | None = None
    restarts: int | None = None
    """Of whatever the scenario ends."""
    seconds: float | None = None
    recovery_s: float | None = None
    """The longest time from a fault to the next message stored."""
    rss_mb: float | None = None
    """The most that any process of ours held."""
    note: str = ""


_TITLES: Final = {"recovery_s": "recov s", "rss_mb": "rss MB", "quarantined": "quarant", "duplicated": "duplic"}
_SUMMED: Final = ("published", "acked", "stored", "quarantined", "lost", "duplicated", "restarts")
_GREATEST: Final = ("recovery_s", "rss_mb")


def table(lines: Sequence[ReportLine]) -> str:
    """Every run, in the order of scenarios and seeds, with a sum at the end of each scenario that has several."""
    names = list(ReportLine.__dataclass_fields__)
    rows = [[_TITLES.get(name, name) for name in names]]
    ordered = sorted(lines, key=lambda line: (_number(line.scenario), line.scenario, line.seed))
    for scenario in dict.fromkeys(line.scenario for line in ordered):
        runs = [line for line in ordered if line.scenario == scenario]
        rows += [[_cell(value) for value in asdict(run).values()] for run in runs]
        if len(runs) > 1:
            rows.append([_cell(_total(name, runs)) for name in names])
    widths = [max(len(row[i]) for row in rows) for i in range(len(names))]
    left = {names.index("scenario"), names.index("note")}
    return "\n".join(
        "  ".join(
            cell.ljust(width) if i in left else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    )


def _total(name: str, runs: Iterable[ReportLine]) -> Any:
    values = [value for run in runs if (value := getattr(run, name)) is not None]
    match name:
        case "scenario":
            return f"{values[0]}: all"
        case "seed":
            return f"of {len(values)}"
        case "seconds":
            return sum(values)
        case _ if name in _SUMMED and values:
            return sum(values)
        case _ if name in _GREATEST and values:
            return max(values)
    return ""


def _cell(value: Any) -> str:
    if value is None:
        return "-"
    return f"{value:.1f}" if isinstance(value, float) else str(value)


def _number(scenario: str) -> int:
    first = scenario.split(" ", 1)[0]
    return int(first) if first.isdecimal() else 1000
