"""``vsc rules test`` and ``backtest``: what rules would say, before they say it."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from vsc.failure import CommandError, WrongCallError
from vsc.runtime.progress import progress_bars
from vsc.terminal import ERR, OUT, JsonOption, print_json, print_rows

if TYPE_CHECKING:
    from rules.rule import Rule

RulesOption = Annotated[Path | None, typer.Option("--rules", help="Folder of rule files; default: the shipped ones.")]


def register(app: typer.Typer) -> None:
    """Add the verbs."""
    app.command(name="test")(try_out)
    app.command()(backtest)


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

    loaded = _load(rules)
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


def backtest(
    history: Annotated[Path, typer.Argument(help="Folder that `vsc simulate --to` has written.")],
    *,
    rules: RulesOption = None,
    against: Annotated[Path | None, typer.Option(help="Folder of another version, set beside it.")] = None,
    only: Annotated[list[str] | None, typer.Option("--rule", help="Only this rule; repeatable.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Run rules over a stored history: when they would have fired, and what that is worth where the truth is known."""
    from flows.history import HistoryError, open_history
    from simulator.truth import TruthError, read_truth
    from vsc.hindsight import beside

    versions = {"after": _chosen(_load(rules), only)}
    if against is not None:
        versions["before"] = _chosen(_load(against), only)
    try:
        stored = open_history(history)
        truth = read_truth(history / "truth.jsonl") if (history / "truth.jsonl").is_file() else None
        results = {label: _scored(stored, loaded, truth) for label, loaded in versions.items()}
    except (HistoryError, TruthError) as error:
        raise CommandError(str(error)) from None
    if as_json:
        print_json(results["after"] if against is None else results)
    elif against is None:
        rows = [{name: value for name, value in row.items() if name != "models"} for row in results["after"]["rules"]]
        print_rows(rows, as_json=False, empty="There are no rules.")
    else:
        rows = beside(results["before"]["scores"], results["after"]["scores"])
        print_rows(rows, as_json=False, empty="There are no rules.")


def _scored(stored: Any, loaded: "tuple[Rule, ...]", truth: Any) -> dict[str, Any]:
    from flows.backtest import backtest as run
    from vsc.hindsight import score

    with progress_bars(ERR) as report:
        found = run(stored, loaded, lambda share: report("Cars", share))
    vehicles = {vehicle.vehicle_id: vehicle for vehicle in stored.vehicles}
    scores = [score(rule, found, vehicles, truth) for rule in loaded]
    return {
        "samples": found.samples,
        "vehicle_days": found.vehicle_days,
        "rules": [asdict(one) for one in scores],
        "scores": scores,
        "fires": [asdict(one) for one in found.fires],
    }


def _load(folder: Path | None) -> "tuple[Rule, ...]":
    from rules.loader import CATALOGUE, RuleError, load_rules

    if folder is not None and not folder.is_dir():
        raise WrongCallError(f"{folder} is not a folder of rule files")
    try:
        return load_rules(folder or CATALOGUE)
    except RuleError as error:
        raise CommandError(str(error)) from None


def _chosen(loaded: "tuple[Rule, ...]", only: list[str] | None) -> "tuple[Rule, ...]":
    unknown = sorted(set(only or ()) - {rule.rule_id for rule in loaded})
    if unknown:
        raise WrongCallError(f"there is no rule {', '.join(unknown)}")
    return tuple(rule for rule in loaded if not only or rule.rule_id in only)
