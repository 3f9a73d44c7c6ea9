"""What a person is told of a running stack."""

from collections.abc import Sequence
from dataclasses import dataclass

from rich.table import Table


@dataclass(frozen=True)
class Part:
    """One part of a running stack."""

    name: str
    state: str
    """The supervisor's word, e.g. ``RUNNING``; ``ELSEWHERE`` for a server that the settings name."""
    pid: int
    uptime_s: int
    works: bool
    detail: str


def status_table(parts: Sequence[Part]) -> Table:
    """One row per part, what does not work in red."""
    table = Table("part", "works", "state", "pid", "up", "says")
    for part in parts:
        works = "[green]yes[/green]" if part.works else "[red]no[/red]"
        pid = str(part.pid) if part.pid else ""
        table.add_row(part.name, works, part.state.lower(), pid, _duration(part.uptime_s), part.detail)
    return table


def _duration(seconds: int) -> str:
    hours, rest = divmod(seconds, 3600)
    return f"{hours}:{rest // 60:02}:{rest % 60:02}" if seconds else ""
