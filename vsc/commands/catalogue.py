"""The rule files that a command is told to work with."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from vsc.failure import CommandError, WrongCallError

if TYPE_CHECKING:
    from rules.rule import Rule

RulesOption = Annotated[Path | None, typer.Option("--rules", help="Folder of rule files; default: the shipped ones.")]


def load(folder: Path | None) -> "tuple[Rule, ...]":
    """The rules of a folder, or the shipped ones.

    Raises:
        WrongCallError: if there is no such folder.
        CommandError: if a rule is broken.
    """
    from rules.loader import CATALOGUE, RuleError, load_rules

    if folder is not None and not folder.is_dir():
        raise WrongCallError(f"{folder} is not a folder of rule files")
    try:
        return load_rules(folder or CATALOGUE)
    except RuleError as error:
        raise CommandError(str(error)) from None


def chosen(loaded: "tuple[Rule, ...]", only: list[str] | None) -> "tuple[Rule, ...]":
    """The rules of these ids, or all.

    Raises:
        WrongCallError: if there is no such rule.
    """
    unknown = sorted(set(only or ()) - {rule.rule_id for rule in loaded})
    if unknown:
        raise WrongCallError(f"there is no rule {', '.join(unknown)}")
    return tuple(rule for rule in loaded if not only or rule.rule_id in only)
