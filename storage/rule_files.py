"""The files that the rules at work were taken over from, by the folder that they stood in."""

from pathlib import Path
from typing import Any

import psycopg

from rules.files import RuleFiles


def digest(connection: psycopg.Connection[Any], folder: Path) -> str | None:
    """The digest of a folder's files at work; None: nothing was ever judged by it."""
    row = connection.execute("SELECT digest FROM rule_files WHERE folder = %s", [_key(folder)]).fetchone()
    return row[0] if row else None


def find(connection: psycopg.Connection[Any], folder: Path) -> RuleFiles | None:
    """A folder's files at work; None: nothing was ever judged by it."""
    row = connection.execute("SELECT files FROM rule_files WHERE folder = %s", [_key(folder)]).fetchone()
    return RuleFiles.from_json(row[0]) if row else None


def keep(connection: psycopg.Connection[Any], folder: Path, files: RuleFiles) -> None:
    """Have a folder's files at work from now on, in every process that is told the folder."""
    connection.execute(
        "INSERT INTO rule_files (folder, digest, files) VALUES (%s, %s, %s) ON CONFLICT (folder) "
        "DO UPDATE SET digest = excluded.digest, files = excluded.files WHERE rule_files.digest <> excluded.digest",
        [_key(folder), files.digest, files.as_json()],
    )


def _key(folder: Path) -> str:
    """The folder's name; one that is no text is written as bytes are."""
    return str(folder.absolute()).encode("utf-8", "backslashreplace").decode()
