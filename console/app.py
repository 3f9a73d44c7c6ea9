"""The console as a web application: server-rendered pages, the same as JSON, and a health check."""

from pathlib import Path
from typing import Any, Final

from fastapi import FastAPI
from fastapi.responses import FileResponse
from fastapi.staticfiles import StaticFiles
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware

from config.clock import Clock
from config.settings import SHIPPED_RULES
from console import alerts, api, overview, quarantine, silences, tickets, vehicles
from console.failures import add_failures
from console.guard import Guard
from console.present import Database
from reports import charts

LOOPBACK_NAMES: Final = ("127.0.0.1", "localhost")
"""Names under which the console answers; any other is a foreign site's that was pointed at this machine."""
# What is below an alert's address comes before what decides about it.
ROUTERS: Final = tuple(part.router for part in (overview, silences, alerts, tickets, vehicles, quarantine, api))
_STATIC: Final = Path(__file__).with_name("static")
_CHART_STYLE: Final = Path(charts.__file__).with_name("chart.css")


def create_app(database_url: str, clock: Clock, rules: Path = SHIPPED_RULES) -> FastAPI:
    """The application on one database, judged by a folder's rules; to start it needs neither database nor tables."""
    app = FastAPI(
        title="Virtual service centre",
        openapi_url="/api/v1/openapi.json",
        docs_url=None,
        redoc_url=None,
        middleware=[Middleware(Guard), Middleware(TrustedHostMiddleware, allowed_hosts=list(LOOPBACK_NAMES))],
    )
    app.state.database_url = database_url
    app.state.clock = clock
    app.state.rules = rules
    add_failures(app)
    for router in ROUTERS:
        app.include_router(router)

    @app.get("/health", summary="Whether the console and its database work")
    def health(connection: Database) -> dict[str, Any]:
        connection.execute("SELECT 1 FROM alerts LIMIT 1")
        return {"status": "ok", "now": clock.now()}

    @app.get("/static/chart.css", include_in_schema=False)
    def chart_style() -> FileResponse:
        return FileResponse(_CHART_STYLE, media_type="text/css")

    app.mount("/static", StaticFiles(directory=_STATIC))
    return app
