"""The command line: one verb per job, exit code 0 for done, 1 for a job that failed, 2 for a wrong call.

Whatever is expected to go wrong ends as one line on standard error; a traceback is a defect of ours.
"""

import sys

import psycopg
import typer

from config.logs import configure_logs
from config.settings import ConfigurationError, load_settings
from storage.connection import DatabaseUnavailableError
from storage.migrate import MigrationError
from vsc.commands import (
    backtest,
    bench,
    database,
    demo,
    fleet,
    judgement,
    proofs,
    quarantine,
    report,
    rules,
    services,
    silences,
    stack,
    tickets,
    vehicles,
)
from vsc.failure import CommandError, WrongCallError
from vsc.runtime.errors import StackError
from vsc.terminal import ERR

app = typer.Typer(
    name="vsc",
    help="Virtual service centre: finds what will fail in a fleet's telemetry and books the repair.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)
for group in (demo, stack, fleet, judgement, services):
    group.register(app)
app.add_typer(database.app, name="db")
app.add_typer(vehicles.app, name="vehicles")
app.add_typer(quarantine.app, name="quarantine")
app.add_typer(judgement.alerts, name="alerts")
rules.register(judgement.rules)
backtest.register(judgement.rules)
app.add_typer(judgement.rules, name="rules")
app.add_typer(silences.app, name="silences")
app.add_typer(tickets.app, name="tickets")
app.add_typer(report.app, name="report")
proofs.register(bench.app)
app.add_typer(bench.app, name="bench")


def main() -> None:
    """Run the command that the arguments name."""
    try:
        load_settings()  # so that a wrong setting is named whatever the command
        configure_logs("warning")  # people read results; services turn their logs up
        app()
    except (ConfigurationError, WrongCallError) as error:
        _fail(error, 2)
    except (CommandError, DatabaseUnavailableError, MigrationError, StackError) as error:
        _fail(error, 1)
    except psycopg.errors.UndefinedTable:
        _fail("the database has not our schema: run `vsc db migrate`", 1)
    except psycopg.OperationalError as error:
        _fail(f"the database went away: {str(error).strip().splitlines()[0]}", 1)
    except OSError as error:
        if error.filename is None:
            raise
        _fail(f"{error.filename}: {error.strerror}", 1)
    except KeyboardInterrupt:
        ERR.print("stopped")
        sys.exit(130)


def _fail(error: Exception | str, code: int) -> None:
    ERR.print(f"vsc: {error}", markup=False, soft_wrap=True)
    sys.exit(code)
