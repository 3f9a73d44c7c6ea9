"""What every request and answer passes: headers that keep browsers careful, and no orders from other sites.

Content of the database may be hostile, and so may the page that the engineer has open beside ours. As long as
nobody logs in, a browser's own word on where a request comes from is what tells the two apart.
"""

from http import HTTPStatus
from typing import Final
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from console.failures import failure

SAFE_HEADERS: Final = {
    "Content-Security-Policy": (
        "default-src 'self'; script-src 'none'; object-src 'none'; base-uri 'none'; form-action 'self'; "
        "frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}
HARMLESS: Final = frozenset({"GET", "HEAD", "OPTIONS"})
"""Methods that change nothing, so anybody may send them."""
FROM_ELSEWHERE: Final = "This was sent from another site, so nothing was changed."


class Guard:
    """ASGI middleware around the whole application."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, or refuse it with 403 when it would change something and is not from our pages."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def careful(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(SAFE_HEADERS)
            await send(message)

        if scope["method"] in HARMLESS or is_from_here(Headers(scope=scope)):
            await self._app(scope, receive, careful)
        else:
            await failure(scope["path"], HTTPStatus.FORBIDDEN, FROM_ELSEWHERE)(scope, receive, careful)


def is_from_here(headers: Headers) -> bool:
    """Whether the browser says that one of our own pages sent this; without its word the answer is no."""
    site, origin = headers.get("sec-fetch-site"), headers.get("origin")
    if site is not None and site != "same-origin":
        return False
    if origin is not None:
        return urlsplit(origin).netloc == headers.get("host")
    return site is not None
