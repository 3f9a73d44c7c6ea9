"""A folder of rule files whose changes are taken over while its rules are at work."""

from dataclasses import dataclass
from pathlib import Path

from rules.loader import load_rules

Stamp = tuple[tuple[str, int, int], ...]
"""Name, time of the last change in ns and size in bytes of each file."""


@dataclass(frozen=True, slots=True)
class RuleChange:
    """What is other than before, by the rules' ids."""

    added: tuple[str, ...]
    changed: tuple[str, ...]
    removed: tuple[str, ...]


class RuleFolder:
    """The rules of a folder, as they were when all of its files were last right."""

    def __init__(self, folder: Path) -> None:
        """Read the files.

        Raises:
            RuleError: with every mistake of every file.
        """
        self._folder = folder
        self._read = self._looked_at = self._stamp()
        self.rules = load_rules(folder)

    def reload(self) -> RuleChange | None:
        """Take the files over if they have changed, and have lain still from one call to the next; None: they have not.

        Raises:
            RuleError: if they are broken; once for each change. The rules stay as they were.
        """
        stamp = self._stamp()
        # A file that is being written is not read until it is whole.
        lies_still, self._looked_at = stamp == self._looked_at, stamp
        if stamp == self._read or not lies_still:
            return None
        self._read = stamp
        new = load_rules(self._folder)
        before, after = ({rule.rule_id: rule for rule in rules} for rules in (self.rules, new))
        self.rules = new
        return RuleChange(
            tuple(name for name in after if name not in before),
            tuple(name for name in after if name in before and after[name] != before[name]),
            tuple(name for name in before if name not in after),
        )

    def _stamp(self) -> Stamp:
        stats = {path.name: path.stat() for path in sorted(self._folder.glob("*.yaml"))}
        return tuple((name, stat.st_mtime_ns, stat.st_size) for name, stat in stats.items())
