"""Where a database is, and the same one by way of another address."""

from urllib.parse import urlsplit, urlunsplit


def place_of(url: str) -> tuple[str, int]:
    """Host and port."""
    parts = urlsplit(url)
    assert parts.hostname is not None
    assert parts.port is not None
    return parts.hostname, parts.port


def at_place(url: str, place: tuple[str, int]) -> str:
    """The same database at another address."""
    parts = urlsplit(url)
    account = parts.netloc.rpartition("@")[0]
    return urlunsplit(parts._replace(netloc=f"{account}@{place[0]}:{place[1]}"))
