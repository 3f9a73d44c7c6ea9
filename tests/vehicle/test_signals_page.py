"""The committed page is the one that the catalogue gives."""

from pathlib import Path

from vehicle.signals import ATTRIBUTES, CATALOGUE
from vehicle.signals_page import signals_page

PAGE = Path(__file__).parents[2] / "docs" / "signals.md"


def test_the_page_is_in_step_with_the_catalogue() -> None:
    assert PAGE.read_text() == signals_page(), "run: python -m vehicle.signals_page > docs/signals.md"


def test_every_signal_and_text_is_on_the_page() -> None:
    page = signals_page()
    assert [name for name in (*CATALOGUE, *ATTRIBUTES) if f"| `{name}` |" not in page] == []
