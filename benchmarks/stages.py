"""A profile of ingest as a table: what each stage costs per row, and in which functions.

A stack belongs to the stage of its innermost function that stands in the table; what a library does belongs to
whoever called it.
"""

import json
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

_STAGES: Final = (
    ("packets out: PUBACKs, stored-acks", (
        "agent/connection.py:Connection.publish", "agent/connection.py:Connection.acknowledge", "agent/publish_packet",
        "ingest/session.py:Session.turn",
    )),
    ("packets in: socket, MQTT", ("agent/",)),
    ("read: decode", ("vehicle/wire.py", "vehicle/codec.py", "vehicle/columns.py")),
    ("read: hash, topic, key", ("ingest/incoming.py", "vehicle/topics.py")),
    ("queue between the threads", ("ingest/session.py",)),
    ("validate", ("ingest/validation.py", "vehicle/column_block.py")),
    ("plan: known or new, in order", ("ingest/flush.py",)),
    ("registry", ("ingest/registry.py", "storage/vehicles.py")),
    ("ledger", ("storage/ledger.py",)),
    ("COPY: lay out and send rows", ("storage/telemetry_copy.py",)),
    ("quarantine, gaps, incidents", (
        "storage/quarantine.py", "storage/gaps.py", "ingest/gaps.py", "ingest/continuity.py", "storage/incidents.py",
    )),
    ("begin, commit", ("psycopg/transaction.py",)),
    ("stored-acks: what to tell", ("ingest/acks.py",)),
    ("metrics, watchdog, crash note", (
        "ingest/metrics.py", "ingest/observation.py", "ingest/watchdog.py", "ingest/poison.py", "ingest/condition.py",
        "ingest/histogram.py",
    )),
    ("writer, service: the rest", ("ingest/", "storage/", "vehicle/", "config/")),
)  # fmt: skip
_OTHER: Final = "anything else"
_WRITER: Final = "MainThread"
_MOST_FUNCTIONS: Final = 25


@dataclass(frozen=True, slots=True)
class Stage:
    """What one stage costs."""

    stage: str
    cpu_us_per_row: float
    cpu_pct: float
    writer_us_per_row: float
    """Time of the writer's thread, its waits included."""


@dataclass(frozen=True, slots=True)
class Function:
    """What one function costs, without the Python functions that it calls."""

    function: str
    cpu_us_per_row: float


@dataclass(frozen=True, slots=True)
class Profile:
    """Where the time of one drain went."""

    rows: int
    cpu_us_per_row: float
    """All that was booked, the sampler's own left out."""
    stages: list[Stage]
    functions: list[Function]
    """The dearest ones."""


def read_profile(file: Path, rows: int) -> Profile:
    """Make the tables of what `benchmarks.sampler` has left, for a drain of so many rows."""
    booked: list[tuple[str, list[str], float, float]] = json.loads(file.read_text())
    cpu: defaultdict[str, float] = defaultdict(float)
    wall: defaultdict[str, float] = defaultdict(float)
    functions: defaultdict[str, float] = defaultdict(float)
    for thread, stack, cpu_s, wall_s in booked:
        name = stage_of(stack)
        cpu[name] += cpu_s
        wall[name] += wall_s * (thread == _WRITER)
        functions[stack[0]] += cpu_s
    us = 1e6 / rows
    total = sum(cpu.values()) or 1.0
    stages = [Stage(name, cpu[name] * us, 100 * cpu[name] / total, wall[name] * us) for name in cpu]
    dearest = sorted(functions.items(), key=lambda item: -item[1])[:_MOST_FUNCTIONS]
    return Profile(
        rows=rows,
        cpu_us_per_row=total * us,
        stages=sorted(stages, key=lambda stage: -stage.cpu_us_per_row),
        functions=[Function(name, cpu_s * us) for name, cpu_s in dearest],
    )


def stage_of(stack: Any) -> str:
    """The stage of a stack, innermost function first."""
    for function in stack:
        for name, prefixes in _STAGES:
            if function.startswith(prefixes):
                return name
    return _OTHER
