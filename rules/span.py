"""A length of time in a field of a rule, within what any rule may look back or last."""

from datetime import timedelta

from rules.language.call import LONGEST
from rules.reader import Reader


def read_span(reader: Reader, key: str, default: timedelta | None = None) -> timedelta:
    """The field's length of time; without a default the field must be there."""
    if default is not None and not reader.has(key):
        return default
    length = reader.span(key)
    if length > LONGEST:
        reader.complain(key, f"{key} is longer than {LONGEST.days} d")
    return min(length, LONGEST)
