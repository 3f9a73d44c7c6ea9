"""How much memory ingest may come to need, and how much it is allowed by the control groups it runs in."""

from pathlib import Path
from typing import Final

import structlog

from ingest.inbox import MOST_BYTES_READY
from ingest.session import MOST_BYTES

_PROCESS_BYTES: Final = 100 * 1024 * 1024
"""The interpreter with its libraries."""
_LAID_OUT: Final = 8
"""Times the bytes of its payloads that a flush made ready takes besides its values: a null is one byte in a list, four
in a row of COPY, and more while it is being laid out."""
BUDGET_BYTES: Final = _PROCESS_BYTES + 3 * MOST_BYTES + _LAID_OUT * MOST_BYTES_READY
"""With as many payloads as may wait, twice their size for the values in them, a flush on its way and one made ready."""

log = structlog.get_logger()


def memory_limit(membership: Path = Path("/proc/self/cgroup"), groups: Path = Path("/sys/fs/cgroup")) -> int | None:
    """The least limit, in bytes, of the control groups of this process, versions 1 and 2; None: there is none.

    Args:
        membership: Names the groups.
        groups: Where they are mounted.
    """
    limits = []
    for line in _text(membership).splitlines():
        _, controllers, path = line.split(":", 2)
        if "memory" in controllers.split(","):
            root, name = groups / "memory", "memory.limit_in_bytes"
        elif not controllers:
            root, name = groups, "memory.max"
        else:
            continue
        inner = root / path.lstrip("/")
        for group in (inner, *inner.parents):
            limit = _text(group / name).strip()
            if limit.isdecimal():
                limits.append(int(limit))
            if group == root:
                break
    return min(limits, default=None)


def check_memory(limit: int | None) -> bool:
    """Whether the limit is enough for the worst; if not, that is logged, and ingest may end under large payloads."""
    enough = limit is None or limit >= BUDGET_BYTES
    if not enough:
        log.warning("memory_limit_small", limit_bytes=limit, budget_bytes=BUDGET_BYTES)
    return enough


def _text(file: Path) -> str:
    try:
        return file.read_text()
    except OSError:
        return ""
