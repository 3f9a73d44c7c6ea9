"""Templates to pages: everything escaped, hidden characters made visible, an unknown name an error."""

from pathlib import Path
from typing import Any, Final

from fastapi.responses import HTMLResponse

from reports.evidence import evidence_spark
from reports.pages import page_environment

_PAGES: Final = page_environment(Path(__file__).with_name("templates"))
_PAGES.filters["evidence_spark"] = evidence_spark


def page(template: str, status: int = 200, **shown: Any) -> HTMLResponse:
    """A template with what it shows."""
    return HTMLResponse(_PAGES.get_template(template).render(shown), status)
