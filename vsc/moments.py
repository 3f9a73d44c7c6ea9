"""Times as people write them on the command line: ISO 8601, UTC unless it says otherwise, or a span from another."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from rules.literals import LiteralError, span
from vsc.failure import WrongCallError


def moment(text: str, option: str) -> datetime:
    """The time that an option names.

    Raises:
        WrongCallError: if it is none.
    """
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise WrongCallError(f"{option} {text}: expected a time like 2026-02-01T00:00:00Z") from None
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def time_zone(name: str) -> ZoneInfo:
    """The time zone that `--timezone` names.

    Raises:
        WrongCallError: if there is none of the name.
    """
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        raise WrongCallError(f"--timezone {name}: no such time zone") from None


def moment_or_span(text: str, option: str, since: datetime) -> datetime:
    """The time that an option names, or the one so long after another.

    Raises:
        WrongCallError: if it is neither.
    """
    try:
        return since + span(text)
    except LiteralError:
        pass
    except OverflowError:
        raise WrongCallError(f"{option} {text}: that lies beyond all calendars") from None
    try:
        return moment(text, option)
    except WrongCallError:
        raise WrongCallError(f"{option} {text}: expected a time like 2026-02-01, or a span like 14 d") from None
