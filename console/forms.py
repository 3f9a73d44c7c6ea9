"""What a person filled in, checked; the answer to a form that cannot be meant is 422."""

import unicodedata
from collections.abc import Mapping
from http import HTTPStatus
from typing import Annotated, Final
from urllib.parse import parse_qsl, quote, unquote

from fastapi import Depends, Request
from fastapi.responses import Response
from starlette.exceptions import HTTPException

MOST_BYTES: Final = 16 * 1024
MOST_FIELDS: Final = 20
LONGEST: Final = {"author": 80, "reason": 500, "until": 10, "what": 20}
"""Characters per field."""
_FORM_TYPE: Final = "application/x-www-form-urlencoded"
_COOKIE: Final = "author"
_REMEMBERED_S: Final = 30 * 86_400


async def _read(request: Request) -> Mapping[str, str]:
    if request.headers.get("content-type", "").partition(";")[0].strip() != _FORM_TYPE:
        raise HTTPException(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "This address takes only the page's own form.")
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > MOST_BYTES:
            raise HTTPException(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "The form holds more than it has room for.")
    try:
        pairs = parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=MOST_FIELDS)
    except ValueError:
        raise HTTPException(HTTPStatus.UNPROCESSABLE_ENTITY, "The form cannot be read.") from None
    return dict(pairs)


Form = Annotated[Mapping[str, str], Depends(_read)]


def filled(form: Mapping[str, str], field: str) -> str:
    """What was written into a field that must not be left empty."""
    text = unicodedata.normalize("NFC", form.get(field, "")).strip()
    if not text:
        raise HTTPException(HTTPStatus.UNPROCESSABLE_ENTITY, f"The field “{field}” is empty; nothing was changed.")
    if len(text) > LONGEST[field]:
        limit = f"The field “{field}” holds more than {LONGEST[field]} characters; nothing was changed."
        raise HTTPException(HTTPStatus.UNPROCESSABLE_ENTITY, limit)
    if any(unicodedata.category(character) in {"Cc", "Cs"} for character in text):
        raise HTTPException(
            HTTPStatus.UNPROCESSABLE_ENTITY, f"The field “{field}” holds control characters; nothing was changed."
        )
    return text


def remember_author(response: Response, author: str) -> None:
    """Let the browser fill in the name the next time."""
    response.set_cookie(_COOKIE, quote(author), max_age=_REMEMBERED_S, httponly=True, samesite="strict")


def remembered_author(request: Request) -> str:
    """The name that this browser used last, or nothing."""
    return unquote(request.cookies.get(_COOKIE, ""), errors="replace")[: LONGEST["author"]]
