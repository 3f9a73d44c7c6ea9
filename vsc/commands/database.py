"""``vsc db``: the database's schema."""

import typer

from vsc.context import load_context
from vsc.terminal import OUT, JsonOption, print_facts, print_json, print_rows

app = typer.Typer(no_args_is_help=True, help="The database: its schema and what it is.")


@app.command()
def migrate(*, as_json: JsonOption = False) -> None:
    """Bring the schema up to date; safe to run twice, and from two processes at once."""
    from storage.migrate import migrate as apply_migrations

    applied = apply_migrations(load_context().database_url)
    if as_json:
        print_json({"applied": applied})
    else:
        OUT.print(f"Applied {', '.join(applied)}." if applied else "The schema is up to date.")


@app.command()
def info(*, as_json: JsonOption = False) -> None:
    """Show the server's version, TimescaleDB's, the hypertables, the applied migrations and the sizes."""
    from dataclasses import asdict

    from storage.information import database_info

    print_facts(asdict(database_info(load_context().database_url)), as_json=as_json)


@app.command()
def incidents(*, as_json: JsonOption = False) -> None:
    """Show what somebody should look into, the latest first: lost broker sessions, messages that ended ingest."""
    from dataclasses import asdict

    from storage.connection import connect
    from storage.incidents import list_incidents

    with connect(load_context().database_url) as connection:
        rows = [asdict(incident) for incident in list_incidents(connection)]
    print_rows(rows, as_json=as_json, empty="There were no incidents.")
