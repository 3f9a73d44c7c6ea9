"""SVG and HTML elements as escaped text.

Lengths along a chart are percentages, so that lines follow the page's width while type keeps its size.
"""

import unicodedata
from collections.abc import Iterable
from typing import Any, Final

from markupsafe import Markup, escape

_JOINERS: Final = "\u200c\u200d"
"""Format characters that belong to words and emoji."""
_HIDING: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
"""Unicode categories that a reader cannot see, or that move what stands around them."""


def element(tag: str, *children: str, **attributes: str | float) -> Markup:
    """One element; `class_` means class and `stroke_width` stroke-width; what is not Markup is escaped."""
    opening = Markup(" ").join(
        [tag, *(Markup('{}="{}"').format(_attribute_name(key), visible(value)) for key, value in attributes.items())]
    )
    return Markup("<{}>{}</{}>").format(opening, join(escape(visible(child)) for child in children), tag)


def join(parts: Iterable[str]) -> Markup:
    """Elements one after the other."""
    return Markup("").join(parts)


def percent(fraction: float) -> str:
    """A share of the width as SVG writes it, the same on every machine."""
    return f"{100 * fraction:.2f}%"


def visible(value: Any) -> Any:
    """Text with the characters that hide or turn its neighbours written as escapes; anything else as it is."""
    if not isinstance(value, str) or isinstance(value, Markup) or (value.isascii() and value.isprintable()):
        return value
    return "".join(map(_visible_character, value))


def _visible_character(character: str) -> str:
    hidden = unicodedata.category(character) in _HIDING and character not in _JOINERS and character not in "\n\t"
    return character.encode("unicode_escape").decode() if hidden else character


def _attribute_name(key: str) -> str:
    return key.rstrip("_").replace("_", "-")
