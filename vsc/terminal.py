"""What commands print: tables and sentences for people, JSON for scripts."""

import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, is_dataclass
from datetime import datetime, timedelta
from enum import Enum
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

import typer
from rich.console import Console
from rich.table import Table

JsonOption = Annotated[bool, typer.Option("--json", help="Print the result as JSON, for scripts.")]

PIPE_WIDTH = 160
"""Columns of a table that goes into a pipe or a file, where no terminal says how wide it is."""

OUT = Console(highlight=False, width=None if sys.stdout.isatty() else PIPE_WIDTH)
"""Results."""
ERR = Console(stderr=True, highlight=False)
"""Progress and errors, so that results can be piped."""


def print_json(result: Any) -> None:
    """Print dataclasses, mappings, times and paths as JSON."""
    typer.echo(json.dumps(result, default=_plain, indent=2, allow_nan=False))


def print_rows(rows: Sequence[Mapping[str, Any]], *, as_json: bool, empty: str) -> None:
    """Print rows with the same keys as a table, or as a JSON list; `empty` is said to people when there are none."""
    if as_json:
        print_json(list(rows))
        return
    if not rows:
        OUT.print(empty)
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in rows[0]:
        table.add_column(name.replace("_", " "), overflow="fold")
    for row in rows:
        table.add_row(*(_shown(value) for value in row.values()))
    OUT.print(table)


def print_facts(facts: Mapping[str, Any], *, as_json: bool) -> None:
    """Print names and values, one a line, or as a JSON object."""
    if as_json:
        print_json(dict(facts))
        return
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column(style="bold")
    table.add_column(overflow="fold")
    for name, value in facts.items():
        table.add_row(name.replace("_", " "), _shown(value))
    OUT.print(table)


def _shown(value: Any) -> str:
    match value:
        case None:
            text = "-"
        case datetime():
            text = f"{value:%Y-%m-%d %H:%M}"
        case float():
            text = f"{value:.4g}"
        case Enum():
            text = value.name.lower() if isinstance(value.value, int) else str(value.value)
        case Mapping():
            text = ", ".join(f"{name}: {_shown(item)}" for name, item in value.items()) or "-"
        case list() | tuple():
            text = ", ".join(_shown(item) for item in value)
        case _:
            text = str(value)
    return text


def _plain(value: Any) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        return asdict(value)
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, (Path, UUID)):
        return str(value)
    if isinstance(value, Enum):
        return value.name.lower()
    if hasattr(value, "tolist"):
        return value.tolist()
    raise TypeError(f"{type(value).__name__} has no JSON form")
