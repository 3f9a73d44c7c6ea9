"""Structured logs to standard error, with what identifies a person taken out."""

import logging
import re
import sys
from collections.abc import MutableMapping
from typing import Any

import structlog

REDACTED_KEYS = frozenset({"vin", "latitude", "longitude", "password", "token", "authorization", "database_url"})
"""Fields whose values never reach a log."""

VIN_PATTERN = re.compile(r"\b[A-HJ-NPR-Z0-9]{17}\b")
"""ISO 3779: seventeen characters without I, O and Q."""


def redact(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Replace secrets, VINs and positions in one log event."""
    for key, value in event.items():
        if key in REDACTED_KEYS:
            event[key] = "[redacted]"
        elif isinstance(value, str):
            event[key] = VIN_PATTERN.sub("[vin]", value)
    return event


def configure_logs(level: str) -> None:
    """Write logs of this process from `level` up: lines for people on a terminal, JSON elsewhere."""
    renderer: Any = structlog.dev.ConsoleRenderer() if sys.stderr.isatty() else structlog.processors.JSONRenderer()
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            redact,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(getattr(logging, level.upper())),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
