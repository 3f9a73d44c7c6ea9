"""The most memory that each of some processes has ever held."""

import threading
from collections.abc import Callable, Mapping
from typing import Self

import psutil

_EVERY_S = 0.1
_MEGABYTE = 1e6


class Memory:
    """Samples resident set sizes, from `with` to its end."""

    def __init__(self, processes: Mapping[str, Callable[[], int | None]]) -> None:
        """Watch processes, each given by a function that tells its present number."""
        self._processes = processes
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="memory", daemon=True)
        self.most_mb: dict[str, float] = dict.fromkeys(processes, 0.0)
        """In megabytes of 10^6 bytes."""

    def __enter__(self) -> Self:
        """Begin."""
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """End."""
        self._done.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._done.wait(_EVERY_S):
            for name, number in self._processes.items():
                self.most_mb[name] = max(self.most_mb[name], rss_mb(number()))


def rss_mb(pid: int | None) -> float:
    """The memory that a process holds now, in megabytes; 0 if there is none."""
    if pid is None:
        return 0.0
    try:
        return float(psutil.Process(pid).memory_info().rss) / _MEGABYTE
    except psutil.Error:
        return 0.0
