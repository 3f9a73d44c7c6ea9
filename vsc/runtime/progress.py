"""Telling the person at the terminal what is being done while it is done."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TaskProgressColumn, TextColumn, TimeElapsedColumn

Report = Callable[[str, float], None]
"""Takes what is being done and how much of it, 0 to 1."""


def silent(_what: str, _done: float) -> None:
    """Report nothing."""


@contextmanager
def progress_bars(console: Console) -> Iterator[Report]:
    """One bar per step on a terminal, one line per step elsewhere."""
    bars = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TimeElapsedColumn(),
        console=console,
    )
    steps: dict[str, TaskID] = {}

    def on_terminal(what: str, done: float) -> None:
        if what not in steps:
            steps[what] = bars.add_task(what, total=1.0)
        bars.update(steps[what], completed=done)

    def in_lines(what: str, _done: float) -> None:
        if what not in steps:
            steps[what] = TaskID(len(steps))
            console.print(what)

    if not console.is_terminal:
        yield in_lines
        return
    with bars:
        yield on_terminal
