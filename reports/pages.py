"""Templates to HTML, for pages and reports alike: everything escaped, hidden characters made visible."""

from pathlib import Path
from typing import Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from reports import wording
from reports.charts import line_chart
from reports.svg import visible

_HERE: Final = Path(__file__).parent


def style(*names: str) -> Markup:
    """Our style sheets of these names, for a page that needs no other file."""
    return Markup("\n").join(Markup((_HERE / name).read_text()) for name in names)  # noqa: S704 - our own


def write_page(page: str, path: Path) -> Path:
    """Write a page whole or not at all, and return where it is.

    Raises:
        OSError: if it cannot be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f"{path.name}.new")
    fresh.write_text(page, encoding="utf-8")
    return fresh.replace(path)


def page_environment(templates: Path) -> Environment:
    """The templates of a folder, in which an unknown name is an error, with our words and charts as filters."""
    pages = Environment(
        loader=FileSystemLoader(templates),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=visible,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    pages.filters.update(
        title=wording.title,
        place=wording.place,
        lower_first=wording.lower_first,
        significant=wording.significant,
        quantity=wording.quantity,
        unit=wording.unit,
        day=wording.day,
        time_of_day=wording.time_of_day,
        near_day=wording.near_day,
        near_time=wording.near_time,
        span=wording.span,
        distance=wording.distance,
        line_chart=line_chart,
    )
    return pages
