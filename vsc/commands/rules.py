"""``vsc rules test``: rules over the cases that say what they must find."""

from pathlib import Path
from typing import Annotated

import typer

from vsc.commands.catalogue import RulesOption, load
from vsc.failure import CommandError
from vsc.terminal import ERR, OUT, JsonOption, print_json


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command(name="test")(try_out)


def try_out(
    cases: Annotated[
        Path | None, typer.Argument(help="A file of cases, or a folder; default: the shipped ones.")
    ] = None,
    *,
    rules: RulesOption = None,
    as_json: JsonOption = False,
) -> None:
    """Run rules over the series of their cases, and name every finding that is not as expected; exit code 1 if any."""
    from rules.cases import CASES, CaseError, read_cases
    from rules.trial import untried, wrong

    loaded = load(rules)
    try:
        tried = read_cases(cases or CASES)
    except CaseError as error:
        raise CommandError(str(error)) from None
    mistakes = [str(one) for one in wrong(tried, loaded)]
    missing = untried(tried, loaded) if cases is None else []
    if as_json:
        print_json({"cases": len(tried), "wrong": mistakes, "rules_without_cases": missing})
    else:
        OUT.print(f"{len(tried)} cases, {len(mistakes)} wrong, {len(missing)} rules without cases.")
    if mistakes or missing:
        if not as_json:
            ERR.print("\n".join([*mistakes, *(f"{name}: has no case" for name in missing)]), markup=False)
        raise typer.Exit(1)
