"""The files of a rule folder as they were read, before anybody asks what they mean."""

import json
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from rules.reader import Mistake

Stamp = tuple[tuple[str, int, int], ...]
"""Name, time of the last change in ns and size in bytes of each file."""


@dataclass(frozen=True, slots=True)
class RuleFiles:
    """All of a folder, in the order of their names."""

    texts: tuple[tuple[str, str], ...]
    """Name and text of each."""
    mistakes: tuple[Mistake, ...] = ()
    """Those that cannot be read, or that there is none."""

    def as_json(self) -> str:
        """The texts in ASCII, whatever characters they hold: a database's text knows neither NUL nor half a pair."""
        return json.dumps(self.texts)

    @classmethod
    def from_json(cls, text: str) -> "RuleFiles":
        """The files whose texts were written so."""
        return cls(tuple((name, content) for name, content in json.loads(text)))

    @property
    def digest(self) -> str:
        """SHA-256 of the texts in hex: the same wherever they are the same."""
        return sha256(self.as_json().encode()).hexdigest()


def read_files(folder: Path) -> RuleFiles:
    """The ``*.yaml`` files of a folder; what cannot be read of them is a mistake."""
    texts: list[tuple[str, str]] = []
    mistakes: list[Mistake] = []
    for path in sorted(folder.glob("*.yaml")):
        try:
            texts.append((path.name, path.read_text(encoding="utf-8")))
        except UnicodeDecodeError:
            mistakes.append(Mistake(path.name, 1, 1, "", "is not UTF-8 text"))
        except OSError as error:
            mistakes.append(Mistake(path.name, 1, 1, "", f"cannot be read: {error.strerror}"))
    if not texts and not mistakes:
        mistakes.append(Mistake(str(folder), 1, 1, "", "there is no rule file (*.yaml) here"))
    return RuleFiles(tuple(texts), tuple(mistakes))


def stamp(folder: Path) -> Stamp:
    """What changes when a file does, without reading it."""
    stats = []
    for path in sorted(folder.glob("*.yaml")):
        try:
            stat = path.stat()
        except OSError:
            continue  # it has just gone
        stats.append((path.name, stat.st_mtime_ns, stat.st_size))
    return tuple(stats)
