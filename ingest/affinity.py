"""On which CPU the process runs.

Ingest's two threads, network and writer, run Python in turn: the interpreter's lock lets one at a time. On two CPUs
each change of turn wakes the other CPU and moves the data that both work on into its caches. Measured on two cores:
kept on one CPU, a message costs a third less.
"""

import os


def keep_to_one_cpu(place: int) -> None:
    """Stay on one of the CPUs that this thread may use; threads started from now on stay there too.

    Args:
        place: Of the process among its like, from 0: neighbours get different CPUs. They are counted from the last,
            because the first ones serve most interrupts.

    Where the system knows no such thing, nothing is done.
    """
    if hasattr(os, "sched_setaffinity"):
        allowed = sorted(os.sched_getaffinity(0))
        os.sched_setaffinity(0, {allowed[-1 - place % len(allowed)]})
