"""What went wrong, in one sentence: a page for people, JSON below ``/api/``.

403  a form was sent from another site
404  there is no such page, or what it would show does not exist
409  somebody else was faster
422  what was filled in or asked for cannot be meant
503  the database does not answer, or has no tables yet
"""

from http import HTTPStatus

import psycopg
import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from starlette.exceptions import HTTPException

from console.rendering import page
from storage.connection import DatabaseUnavailableError

NO_SUCH_PAGE = "There is no such page."
DATABASE_SILENT = "The database does not answer; this page works again as soon as it does."
NO_TABLES = "The database has no tables yet: run “vsc db migrate”."
BROKEN = "This page failed; the console's log says why."
MACHINES = ("/api/", "/health")
"""Paths whose answers are read by programs."""
_LOG = structlog.get_logger()


class NotFoundError(HTTPException):
    """What a page would show does not exist; the sentence names it."""

    def __init__(self, sentence: str) -> None:
        super().__init__(HTTPStatus.NOT_FOUND, sentence)


def failure(path: str, status: int, sentence: str) -> Response:
    """The answer to a request for `path` that failed."""
    if path.startswith(MACHINES):
        return JSONResponse({"error": sentence}, status)
    return page("failure.html", status, phrase=HTTPStatus(status).phrase, sentence=sentence)


def add_failures(app: FastAPI) -> None:
    """Give an application its answers for what goes wrong."""

    @app.exception_handler(HTTPException)
    def refused(request: Request, error: HTTPException) -> Response:
        unrouted = error.status_code == HTTPStatus.NOT_FOUND and not isinstance(error, NotFoundError)
        return failure(request.url.path, error.status_code, NO_SUCH_PAGE if unrouted else error.detail)

    @app.exception_handler(RequestValidationError)
    def invalid(request: Request, error: RequestValidationError) -> Response:
        first = error.errors()[0]
        if first["loc"][0] == "path":
            return failure(request.url.path, HTTPStatus.NOT_FOUND, NO_SUCH_PAGE)
        sentence = f"{first['loc'][-1]}: {first['msg']}."
        return failure(request.url.path, HTTPStatus.UNPROCESSABLE_ENTITY, sentence)

    @app.exception_handler(DatabaseUnavailableError)
    @app.exception_handler(psycopg.OperationalError)
    def unavailable(request: Request, error: Exception) -> Response:
        _LOG.warning("database_unavailable", path=request.url.path, error=str(error))
        return failure(request.url.path, HTTPStatus.SERVICE_UNAVAILABLE, DATABASE_SILENT)

    @app.exception_handler(psycopg.errors.UndefinedTable)
    def without_tables(request: Request, error: Exception) -> Response:
        _LOG.warning("tables_missing", path=request.url.path, error=str(error))
        return failure(request.url.path, HTTPStatus.SERVICE_UNAVAILABLE, NO_TABLES)

    @app.exception_handler(Exception)
    def broken(request: Request, error: Exception) -> Response:
        _LOG.error("page_failed", path=request.url.path, exc_info=error)
        return failure(request.url.path, HTTPStatus.INTERNAL_SERVER_ERROR, BROKEN)
