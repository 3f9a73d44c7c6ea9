"""``python -m benchmarks.sampler FILE``: ``vsc ingest``, and where its time went, left in FILE when it ends.

From SIGUSR1 on, a thread looks at all others every four milliseconds, and books the CPU that each has used since, by
its own CPU clock, to the functions in which it finds it; and the time of the clock on the wall, which shows where a
thread waits. What is not exact: a thread is seen where it lets another run, so functions in which it gives the
interpreter's lock away are seen too often (SHA-256 of a batch takes 4 us and shows as 25), and CPU between two looks
is all booked to the second.
"""

import ctypes
import json
import signal
import sys
import threading
import time
from collections import defaultdict
from pathlib import Path
from types import FrameType
from typing import Any, Final

from config.settings import CHECKOUT

_EVERY_S: Final = 0.004
_SWITCH_S: Final = 0.00002
"""How soon a running thread lets the sampler in; Python's own 5 ms would show only where threads wait anyway. Less
would have the threads themselves take turns so often that it changes what is measured."""
_PR_SET_TIMERSLACK: Final = 29
"""See prctl(2); by default the kernel wakes a waiting thread up to 50 us late."""
_DEEPEST: Final = 40

Stack = tuple[str, ...]
"""Functions, the innermost first, each as ``file:function``."""


class Sampler:
    """Books the time of all threads to their stacks from `start` to `stop`."""

    def __init__(self) -> None:
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="sampler", daemon=True)
        self._clocks: dict[int, tuple[float, float]] = {}
        self._names: dict[object, str] = {}
        self.spent: defaultdict[tuple[str, Stack], list[float]] = defaultdict(lambda: [0.0, 0.0])
        """Per thread and stack: seconds of CPU and seconds."""

    def start(self) -> None:
        """Begin to look."""
        sys.setswitchinterval(_SWITCH_S)
        self._thread.start()

    def stop(self) -> None:
        """End it, also if it was never begun."""
        self._stopping.set()
        if self._thread.ident is not None:
            self._thread.join()

    def _run(self) -> None:
        ctypes.CDLL(None).prctl(_PR_SET_TIMERSLACK, 1, 0, 0, 0)
        while not self._stopping.wait(_EVERY_S):
            names = {thread.ident: thread.name for thread in threading.enumerate()}
            for ident, frame in sys._current_frames().items():  # noqa: SLF001 - the one way to see other threads
                if ident != self._thread.ident:
                    self._book(ident, names.get(ident, "a thread"), frame)

    def _book(self, ident: int, name: str, frame: FrameType) -> None:
        try:
            cpu_s = time.clock_gettime(time.pthread_getcpuclockid(ident))
        except OSError:  # it has just ended
            return
        now_s = time.monotonic()
        cpu_before_s, before_s = self._clocks.get(ident, (cpu_s, now_s))
        self._clocks[ident] = cpu_s, now_s
        booked = self.spent[name, self._stack(frame)]
        booked[0] += cpu_s - cpu_before_s
        booked[1] += now_s - before_s

    def _stack(self, frame: FrameType | None) -> Stack:
        stack: list[str] = []
        while frame is not None and len(stack) < _DEEPEST:
            code = frame.f_code
            name = self._names.get(code)
            if name is None:
                name = self._names[code] = f"{_relative(code.co_filename)}:{code.co_qualname}"
            stack.append(name)
            frame = frame.f_back
        return tuple(stack)


def _relative(filename: str) -> str:
    """The file as one names it: from the checkout, from site-packages, or from the standard library's folder."""
    for root in ("/site-packages/", f"/python{sys.version_info.major}.{sys.version_info.minor}/"):
        if root in filename:
            return filename.rsplit(root, 1)[1]
    return filename.removeprefix(f"{CHECKOUT}/")


def _main(file: Path) -> None:
    from vsc.cli import main  # noqa: PLC0415 - loaded only where it is run

    sampler = Sampler()

    def begin(*_: Any) -> None:
        sampler.start()

    signal.signal(signal.SIGUSR1, begin)
    sys.argv = ["vsc", "ingest"]
    try:
        main()
    finally:
        sampler.stop()
        file.write_text(json.dumps([[thread, stack, *times] for (thread, stack), times in sampler.spent.items()]))


if __name__ == "__main__":
    _main(Path(sys.argv[1]))
