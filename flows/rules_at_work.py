"""The rules that everything judges by: those of a folder as they were when all of its files were last right.

Whoever looks at the files first, `vsc watch` or a diagnosis, takes a change over if all of them are right, and keeps
them in the database, where the others find them; broken files are refused, and the kept ones stay at work. So a
scheduled diagnosis, a new process each time, goes on with what it had, and no two processes disagree for longer than
it takes to ask.

Errors: `RulesChangedError`
"""

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import psycopg
import structlog

from rules.files import RuleFiles, read_files, stamp
from rules.loader import RuleError, build_rules
from rules.rule import Rule
from storage import rule_files

_STILL_S: Final = 0.3
"""Files that are the same after this time are not being written."""
_PATIENCE: Final = 10
"""So many times they may have changed meanwhile."""

_LOG: Final = structlog.get_logger()
Connection = psycopg.Connection[Any]


class RulesChangedError(Exception):
    """Another process has taken over other rules since this one last looked."""


class RulesAtWork:
    """A folder's, in one process."""

    def __init__(self, folder: Path) -> None:
        """None yet: `begin` is the way in."""
        self.rules: tuple[Rule, ...] = ()
        self._folder = folder
        self._digest: str | None = None
        self._read = self._looked_at = stamp(folder)

    @classmethod
    def begin(cls, connection: Connection, folder: Path, *, go_on: bool = False) -> "RulesAtWork":
        """Take over what the files say now.

        Args:
            connection: to the database that is judged.
            folder: of the files.
            go_on: if they are broken, refuse them, and go on with those that were last right.

        Raises:
            RuleError: if they are broken, and there are none to go on with.
        """
        work, kept = cls(folder), rule_files.find(connection, folder)
        files = _lying_still(folder, kept)
        if kept is not None and (kept.digest != files.digest or files.mistakes):
            work._take_kept(kept)
        try:
            rules = build_rules(files)
        except RuleError as error:
            if not (go_on and work.rules):
                raise
            work._refuse(error)
        else:
            rule_files.keep(connection, folder, files)
            work._take(files, rules)
        return work

    def follow(self, connection: Connection) -> bool:
        """Take over what has changed, here or in another process; whether other rules are at work now.

        Files are read once they have lain still from one call to the next. Broken ones are refused, once for each
        change, with every mistake logged.
        """
        before, seen = self.rules, stamp(self._folder)
        lie_still, self._looked_at = seen == self._looked_at, seen
        if lie_still and seen != self._read:
            self._read_anew(connection)
            # Not before: if the database was away, they are read again.
            self._read = seen
        if self._is_outdated(connection) and (kept := rule_files.find(connection, self._folder)) is not None:
            self._take_kept(kept)
        return self.rules is not before

    def check(self, connection: Connection) -> None:
        """Make sure that these are still the rules at work.

        Raises:
            RulesChangedError: if they are not: `follow` takes the others over.
        """
        if self._is_outdated(connection):
            raise RulesChangedError

    def _is_outdated(self, connection: Connection) -> bool:
        return rule_files.digest(connection, self._folder) not in {None, self._digest}

    def _read_anew(self, connection: Connection) -> None:
        files = read_files(self._folder)
        try:
            rules = build_rules(files)
        except RuleError as error:
            self._refuse(error)
            return
        rule_files.keep(connection, self._folder, files)
        self._take(files, rules)

    def _take_kept(self, kept: RuleFiles) -> None:
        try:
            self._take(kept, build_rules(kept))
        except RuleError as error:
            # Another version of this program has kept them, which knows a language that this one does not.
            self._digest = kept.digest
            self._refuse(error)

    def _take(self, files: RuleFiles, rules: tuple[Rule, ...]) -> None:
        if self._digest is not None:
            _LOG.info("rules_taken_over", **_changes(self.rules, rules))
        if files.digest != self._digest:
            self.rules, self._digest = rules, files.digest

    def _refuse(self, error: RuleError) -> None:
        _LOG.error("rules_refused", mistakes=str(error).splitlines(), at_work=len(self.rules))


def _lying_still(folder: Path, kept: RuleFiles | None) -> RuleFiles:
    """The files as they are once nobody writes them; those at work while somebody does."""
    files = read_files(folder)
    if kept is None or files == kept:
        return files
    for _ in range(_PATIENCE):
        time.sleep(_STILL_S)
        before, files = files, read_files(folder)
        if files == before:
            return files
    return kept


def _changes(before: Sequence[Rule], after: Sequence[Rule]) -> dict[str, list[str]]:
    """What is other than before, by the rules' ids."""
    old, new = ({rule.rule_id: rule for rule in rules} for rules in (before, after))
    return {
        "added": [name for name in new if name not in old],
        "changed": [name for name in new if name in old and new[name] != old[name]],
        "removed": [name for name in old if name not in new],
    }
