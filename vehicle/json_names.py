"""Names that stand twice in a JSON object: decoders take the last and lose the other without a word."""

import json
import re
from typing import Any, Final

_STRING: Final = re.compile(rb'"([^"\\]*)"(\s*:)?')


class _TwiceError(ValueError):
    """Carries the name."""


def name_twice(payload: bytes) -> str | None:
    """A name that stands twice in one object of a valid JSON text, or None."""
    if b"\\" not in payload:
        names = [name for name, colon in _STRING.findall(payload) if colon]
        # No name twice in all of it: then in no object either, and nothing need be parsed.
        if len(set(names)) == len(names):
            return None
    try:
        json.loads(payload, object_pairs_hook=_object, parse_int=float)
    except _TwiceError as error:
        return str(error)
    except (ValueError, RecursionError):
        # Not for us to say: what has decoded it thinks otherwise.
        return None
    return None


def _object(pairs: list[tuple[str, Any]]) -> None:
    seen: set[str] = set()
    for name, _ in pairs:
        if name in seen:
            raise _TwiceError(name)
        seen.add(name)
