"""Templates to pages: everything escaped, hidden characters made visible, an unknown name an error."""

from pathlib import Path
from typing import Any, Final

from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from reports import wording
from reports.charts import line_chart
from reports.evidence import evidence_spark
from reports.svg import visible

_PAGES: Final = Environment(
    loader=FileSystemLoader(Path(__file__).with_name("templates")),
    autoescape=True,
    undefined=StrictUndefined,
    finalize=visible,
    trim_blocks=True,
    lstrip_blocks=True,
)
_PAGES.filters.update(
    title=wording.title,
    place=wording.place,
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
    evidence_spark=evidence_spark,
)


def page(template: str, status: int = 200, **shown: Any) -> HTMLResponse:
    """A template with what it shows."""
    return HTMLResponse(_PAGES.get_template(template).render(shown), status)
