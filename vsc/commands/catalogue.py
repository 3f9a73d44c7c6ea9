"""The rule files that a command works with: those that its option names, else the setting."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from vsc.context import load_context
from vsc.failure import CommandError, WrongCallError

if TYPE_CHECKING:
    from rules.rule import Rule

RulesOption = Annotated[Path | None, typer.Option("--rules", help="Folder of rule files; default: VSC_RULES.")]
GoOnOption = Annotated[
    bool,
    typer.Option(
        "--go-on",
        help="If the rule files are broken, go on with those that were last right; default: refuse to start.",
    ),
]


def rule_folder(named: Path | None = None, *, go_on: bool = False) -> Path:
    """The folder that the option names, else the setting.

    Raises:
        WrongCallError: if there is no such folder, and not to `go_on` by what was read of it before.
    """
    folder = named or load_context().rules
    if not go_on and not folder.is_dir():
        raise WrongCallError(f"{folder if named else f'VSC_RULES: {folder}'} is not a folder of rule files")
    return folder


def load(named: Path | None = None) -> "tuple[Rule, ...]":
    """The rules of the folder that the option names, else the setting.

    Raises:
        WrongCallError: if there is no such folder.
        CommandError: if a rule is broken.
    """
    from rules.loader import RuleError, load_rules

    folder = rule_folder(named)
    try:
        return load_rules(folder)
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
