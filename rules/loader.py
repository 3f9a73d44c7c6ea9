"""Reads rule files and refuses them with every mistake of every file at once.

Errors: `RuleError`, whose message has one line per mistake: file, line, column, rule and what is wrong.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from config.settings import SHIPPED_RULES
from rules.build import build_rule
from rules.files import RuleFiles, read_files
from rules.nodes import SyntaxMistakeError, Table, parse
from rules.reader import Mistake, Reader
from rules.rule import Rule

CATALOGUE: Final = SHIPPED_RULES


class RuleError(Exception):
    """Rule files are broken; the message names every mistake, one per line."""

    def __init__(self, mistakes: Sequence[Mistake]) -> None:
        super().__init__("\n".join(map(str, mistakes)))
        self.mistakes = tuple(mistakes)


def load_rules(folder: Path = CATALOGUE) -> tuple[Rule, ...]:
    """The rules of all ``*.yaml`` files of a folder, by file and in their order.

    Raises:
        RuleError: with every mistake of every file.
    """
    return build_rules(read_files(folder))


def build_rules(files: RuleFiles) -> tuple[Rule, ...]:
    """The rules of files that have been read, by file and in their order.

    Raises:
        RuleError: with every mistake of every file.
    """
    mistakes = [*files.mistakes]
    rules: list[tuple[Reader, Rule]] = []
    homes: dict[str, str] = {}
    for name, text in files.texts:
        for reader, system in _tables(name, text, mistakes):
            home = f"{name}:{reader.table.place_of('id').line}"
            if reader.rule_id and homes.setdefault(reader.rule_id, home) != home:
                reader.complain("id", f"the id is taken by the rule at {homes[reader.rule_id]}")
            rules.append((reader, build_rule(reader, system)))
    _check_inhibitors(rules)
    if mistakes:
        raise RuleError(sorted(mistakes, key=lambda mistake: (mistake.file, mistake.line, mistake.column)))
    return tuple(rule for _, rule in rules)


def _check_inhibitors(rules: Sequence[tuple[Reader, Rule]]) -> None:
    """Every inhibitor is a rule, and none is inhibited in its turn by one that it inhibits."""
    inhibitors = {rule.rule_id: rule.inhibited_by for _, rule in rules}
    for reader, rule in rules:
        for name in rule.inhibited_by:
            if name not in inhibitors:
                reader.complain("inhibited_by", f"inhibited_by: there is no rule {name}")
            elif rule.rule_id in inhibitors[name]:
                reader.complain("inhibited_by", f"inhibited_by: {name} is inhibited by this rule")


def _tables(name: str, text: str, mistakes: list[Mistake]) -> list[tuple[Reader, str]]:
    """The tables of one file's rules, each with the system it belongs to."""
    document = _document(name, text, mistakes)
    if not isinstance(document, Table):
        if not mistakes or mistakes[-1].file != name:
            mistakes.append(Mistake(name, 1, 1, "", "is no rule file: it needs the fields system and rules"))
        return []
    top = Reader(document, name, "", mistakes)
    system = top.text("system")
    readers = top.inners("rules")
    top.finish()
    for reader in readers:
        rule_id = reader.table.get("id")
        reader.rule_id = rule_id if isinstance(rule_id, str) else ""
    return [(reader, system) for reader in readers]


def _document(name: str, text: str, mistakes: list[Mistake]) -> Any:
    try:
        return parse(text)
    except SyntaxMistakeError as error:
        mistakes.append(
            Mistake(name, error.at.line, error.at.column, "", f"is not YAML as rule files are written in: {error}")
        )
    return None
