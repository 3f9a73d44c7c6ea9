"""What could not be stored, by reason, and the latest of it."""

from fastapi import APIRouter
from fastapi.responses import HTMLResponse

from console.present import Database, Present
from console.rendering import page
from storage import quarantine

router = APIRouter(prefix="/quarantine", include_in_schema=False)
LATEST = 50
PREVIEW_BYTES = 160


@router.get("")
def show(connection: Database, now: Present) -> HTMLResponse:
    """The counts, and the latest entries with the start of their bytes."""
    entries = quarantine.entries(connection, LATEST)
    return page(
        "quarantine.html",
        here="quarantine",
        now=now,
        counts=sorted(quarantine.counts(connection).items(), key=lambda item: (-item[1], item[0])),
        entries=[(entry, entry.payload[:PREVIEW_BYTES].decode("utf-8", "backslashreplace")) for entry in entries],
    )
