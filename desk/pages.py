"""The desk's pages for people, without scripts: the next appointments, and what its HTTP interface offers."""

from pathlib import Path
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.staticfiles import StaticFiles
from fastapi.templating import Jinja2Templates

from desk.bookings import Desk
from desk.messages import Health

HERE = Path(__file__).parent
LINES_SHOWN = 200
"""Appointments of each kind on the page."""


def add_pages(app: FastAPI, desk: Desk) -> None:
    """Give an application the pages, their style sheet and the health check."""
    templates = Jinja2Templates(HERE / "templates")
    app.mount("/static", StaticFiles(directory=HERE / "static"))

    @app.get("/health", summary="Whether the desk works, and its present")
    def health() -> Health:
        desk.agenda(limit=1)
        return Health(status="ok", now=desk.now())

    @app.get("/", include_in_schema=False)
    def agenda(request: Request) -> Response:
        coming, over = desk.agenda(LINES_SHOWN)
        shown = {"now": desk.now(), "coming": coming, "over": over, "places": desk.places}
        return templates.TemplateResponse(request, "agenda.html", shown)

    @app.get("/docs", include_in_schema=False)
    def docs(request: Request) -> Response:
        schema = app.openapi()
        shown = {"info": schema["info"], "operations": _operations(schema), "type_of": _type_of}
        return templates.TemplateResponse(request, "docs.html", shown)


def _operations(schema: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        {"method": method.upper(), "path": path, **operation}
        for path, methods in schema["paths"].items()
        for method, operation in methods.items()
    ]


def _type_of(schema: dict[str, Any]) -> str:
    """A JSON schema in a word or two."""
    if "anyOf" in schema:
        return " or ".join(_type_of(option) for option in schema["anyOf"])
    name: str = schema.get("format") or schema.get("type") or schema["$ref"].rpartition("/")[2]
    return name
