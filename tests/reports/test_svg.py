from hypothesis import given
from hypothesis import strategies as st
from markupsafe import Markup

from reports.svg import element, percent, visible
from tests.support.markup import parsed


@given(st.text(), st.text())
def test_any_text_stays_text_in_well_formed_xml(content: str, value: str) -> None:
    root = parsed(element("p", content, title=value))
    assert (root.text or "").replace("\r", "") == str(visible(content))
    assert list(root) == []


def test_markup_is_kept_and_names_are_written_as_svg_wants_them() -> None:
    inner = element("tspan", "a < b")
    outer = element("text", inner, class_="tick", text_anchor="end", viewBox="0 0 1 1")
    assert outer == Markup('<text class="tick" text-anchor="end" viewBox="0 0 1 1"><tspan>a &lt; b</tspan></text>')


def test_characters_that_hide_or_turn_their_neighbours_are_shown() -> None:
    assert visible("P0A1F\u202egnp\x00\u2066") == "P0A1F\\u202egnp\\x00\\u2066"
    assert visible("Größe 电池 👩‍🔧") == "Größe 电池 👩‍🔧"
    assert visible(None) is None


def test_percentages_have_two_digits() -> None:
    assert percent(1 / 3) == "33.33%"
