"""Ingest seen from outside, over HTTP on a thread of its own.

/metrics    for Prometheus
/live       whether the loop has turned lately; 503: restart the process
/ready      whether what arrives is being stored; 503: a JSON body says what is missing, and since when

Whatever goes wrong here is logged and never reaches ingest: requests are few at a time, each ends after a while,
and what is more is hung up on.
"""

import json
import sys
import threading
from collections.abc import Callable, Iterable, Mapping
from datetime import timedelta
from http import HTTPStatus
from socketserver import ThreadingMixIn
from typing import TYPE_CHECKING, Any, Final
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer

import structlog
from prometheus_client import CollectorRegistry, make_wsgi_app

from ingest.condition import Condition

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIEnvironment

LOOPBACK: Final = "127.0.0.1"
LIVE_WITHIN: Final = timedelta(seconds=90)
"""Longer than the loop may wait for an absent database between two turns: 30 s, and 10 s to find out."""
READY_WITHIN: Final = timedelta(seconds=45)
_MOST_REQUESTS: Final = 8
"""At the same time."""
_PATIENCE_S: Final = 5.0
"""How long a client may take over each read or write."""

log = structlog.get_logger()


class Observation:
    """The answers to the three questions, and the server that gives them."""

    def __init__(
        self,
        registry: CollectorRegistry,
        conditions: Mapping[str, Condition],
        silent_for: Callable[[], timedelta],
        shard: str,
    ) -> None:
        """Answer from `registry`, from what ingest needs, and from how long ago its loop turned."""
        # mypy: prometheus_client annotates the app it makes as a bare Callable.
        self._metrics: Callable[[WSGIEnvironment, StartResponse], Iterable[bytes]] = make_wsgi_app(registry, True)
        self._conditions = conditions
        self._silent_for = silent_for
        self._shard = shard
        self._server: WSGIServer | None = None

    def start(self, port: int, host: str = LOOPBACK) -> None:
        """Serve from now on; a port that cannot be had is logged, and ingest goes on unseen."""
        try:
            server = _Server((host, port), _Handler)
            server.set_app(self)
            threading.Thread(target=server.serve_forever, name="observation", daemon=True).start()
        # In this order: the port is taken, there is no such port, no thread can be had.
        except (OSError, OverflowError, RuntimeError) as error:
            log.warning("observation_impossible", port=port, error=str(error))
            return
        self._server = server
        log.info("observation", address=f"http://{host}:{server.server_port}")

    def stop(self) -> None:
        """Answer no more."""
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()

    @property
    def port(self) -> int | None:
        """Where it listens; None if nowhere."""
        return None if self._server is None else self._server.server_port

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        """Answer one request (PEP 3333)."""
        try:
            if environ["REQUEST_METHOD"] != "GET":
                return _reply(start_response, HTTPStatus.METHOD_NOT_ALLOWED, {"allowed": ["GET"]})
            match environ.get("PATH_INFO"):
                case "/metrics":
                    return self._metrics(environ, start_response)
                case "/live":
                    return _reply(start_response, *self.live())
                case "/ready":
                    return _reply(start_response, *self.ready())
            return _reply(start_response, HTTPStatus.NOT_FOUND, {"paths": ["/metrics", "/live", "/ready"]})
        except Exception:
            log.exception("observation_failed")
            return _reply(start_response, HTTPStatus.INTERNAL_SERVER_ERROR, {})

    def live(self) -> tuple[HTTPStatus, dict[str, Any]]:
        """Whether a restart would not help."""
        silent = self._silent_for()
        return _status(works=silent < LIVE_WITHIN), {"live": silent < LIVE_WITHIN, "silent_s": _seconds(silent)}

    def ready(self) -> tuple[HTTPStatus, dict[str, Any]]:
        """Whether what arrives is being stored, and if not, what is in the way since when."""
        parts: dict[str, Any] = {}
        for name, condition in self._conditions.items():
            works, since = condition.standing
            parts[name] = {"works": works, "since": since.isoformat(timespec="milliseconds")}
        silent = self._silent_for()
        parts["loop"] = {"works": silent < READY_WITHIN, "silent_s": _seconds(silent)}
        missing = [name for name, part in parts.items() if not part["works"]]
        return _status(works=not missing), {
            "ready": not missing,
            "missing": missing,
            "shard": self._shard,
            "parts": parts,
        }


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True
    block_on_close = False

    def __init__(self, *arguments: Any) -> None:
        self._places = threading.BoundedSemaphore(_MOST_REQUESTS)
        super().__init__(*arguments)

    def process_request(self, request: Any, client_address: Any) -> None:
        if not self._places.acquire(blocking=False):
            self.shutdown_request(request)
            return
        try:
            super().process_request(request, client_address)
        except BaseException:
            self._places.release()
            raise

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._places.release()

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ARG002 - the library's signature
        log.debug("observer_lost", error=type(sys.exception()).__name__)


class _Handler(WSGIRequestHandler):
    timeout = _PATIENCE_S

    def log_message(self, *_: Any) -> None:
        """Nothing: who asked is not worth a line."""


def _reply(start_response: "StartResponse", status: HTTPStatus, body: Mapping[str, Any]) -> Iterable[bytes]:
    text = json.dumps(body).encode()
    headers = [("Content-Type", "application/json"), ("Content-Length", str(len(text))), ("Cache-Control", "no-store")]
    start_response(f"{status.value} {status.phrase}", headers)
    return [text]


def _status(*, works: bool) -> HTTPStatus:
    return HTTPStatus.OK if works else HTTPStatus.SERVICE_UNAVAILABLE


def _seconds(duration: timedelta) -> float:
    return round(duration.total_seconds(), 1)
