"""Ends processes that a killed supervisor left behind, known by a mark in their environment."""

import psutil

MARK = "VSC_STACK"
"""Holds the stack's state folder in the environment of every process of the stack."""

PATIENCE_S = 10


def end_leftovers(stack: str) -> int:
    """End every process marked with `stack`, except this one and its parents; how many there were."""
    own = {psutil.Process().pid, *(parent.pid for parent in psutil.Process().parents())}
    found = [process for process in psutil.process_iter() if process.pid not in own and _mark(process) == stack]
    for process in found:
        _signal(process, force=False)
    _, stubborn = psutil.wait_procs(found, timeout=PATIENCE_S)
    for process in stubborn:
        _signal(process, force=True)
    psutil.wait_procs(stubborn, timeout=PATIENCE_S)
    return len(found)


def _mark(process: psutil.Process) -> str | None:
    try:
        return process.environ().get(MARK)
    except (psutil.Error, OSError):
        return None


def _signal(process: psutil.Process, *, force: bool) -> None:
    try:
        (process.kill if force else process.terminate)()
    except psutil.NoSuchProcess:
        return
