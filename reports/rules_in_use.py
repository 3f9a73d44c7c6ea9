"""The rules that a fleet is judged by, for those who only tell of them."""

from functools import lru_cache
from pathlib import Path
from typing import Any

import psycopg

from rules.files import RuleFiles, read_files
from rules.loader import build_rules
from rules.rule import Rule
from storage import rule_files


def rules_in_use(connection: psycopg.Connection[Any], folder: Path) -> tuple[Rule, ...]:
    """Those last taken over from a folder; where nothing was judged by it yet, those that its files say.

    Raises:
        RuleError: if these are broken.
    """
    return _built(rule_files.find(connection, folder) or read_files(folder))


@lru_cache(maxsize=1)
def _built(files: RuleFiles) -> tuple[Rule, ...]:
    return build_rules(files)
