"""Structured logs to standard error, with what identifies a person taken out."""

import logging
import re
import sys
import threading
from collections.abc import Mapping, MutableMapping
from types import TracebackType
from typing import Any

import structlog

REDACTED_KEYS = frozenset({"vin", "latitude", "longitude", "password", "token", "authorization", "database_url"})
"""Fields whose values never reach a log."""

VIN_PATTERN = re.compile(
    r"(?:(?<![A-Z0-9])|(?<=\\x[0-9A-F]{2})|(?<=\\[abfnrtv0]))[A-HJ-NPR-Z0-9]{17}(?![A-Z0-9])", re.ASCII | re.IGNORECASE
)
"""ISO 3779: seventeen characters without I, O and Q, also in small letters, also behind an escape such as ``\\xb1``."""


def redact(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Replace secrets, VINs and positions in one log event, however deep they lie."""
    return {key: "[redacted]" if key in REDACTED_KEYS else _redacted(value) for key, value in event.items()}


def _redacted(value: Any) -> Any:
    match value:
        case str():
            return VIN_PATTERN.sub("[vin]", value)
        case None | bool() | int() | float():
            return value
        case Mapping():
            return {_redacted(key): "[redacted]" if key in REDACTED_KEYS else _redacted(v) for key, v in value.items()}
        case list() | tuple() | set() | frozenset():
            return [_redacted(each) for each in value]
    # The renderer would write any other object by its repr.
    return VIN_PATTERN.sub("[vin]", repr(value))


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


def log_crashes() -> None:
    """Have what ends this process or a thread of it logged like all else: a traceback may quote what a car has sent."""
    log = structlog.get_logger()

    def process_crashed(kind: type[BaseException], error: BaseException, place: TracebackType | None) -> None:
        log.critical("crashed", exc_info=(kind, error, place))

    def thread_crashed(crash: threading.ExceptHookArgs) -> None:
        log.critical("thread_crashed", exc_info=(crash.exc_type, crash.exc_value, crash.exc_traceback))

    sys.excepthook = process_crashed
    threading.excepthook = thread_crashed
