"""The nearest of the names there are, for whoever has mistyped one."""

from collections.abc import Iterable
from difflib import get_close_matches


def did_you_mean(name: str, names: Iterable[str], otherwise: str = "") -> str:
    """The question whether another name was meant, without its question mark; `otherwise` where none is near."""
    near = get_close_matches(name, list(names), n=1)
    return f"did you mean {near[0]}" if near else otherwise
