"""Where a history is read from, and who says of it what was right: a Parquet folder, or the stack's database."""

from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

import psycopg

from flows.backtest import Backtest, backtest
from flows.database_history import open_database
from flows.history import History
from flows.known_then import backtest_known
from flows.parquet_history import open_folder
from rules.rule import Rule
from simulator.truth import read_truth
from storage import alerts, decisions, silences
from storage.connection import connect
from vehicle.vehicle import VehicleRecord
from vsc.hindsight.reference import Reference
from vsc.hindsight.truth import TruthReference
from vsc.hindsight.verdicts import VerdictReference, answered


class View(StrEnum):
    """What is known when rules are judged."""

    FINAL = "final"
    """All that has arrived until today."""
    KNOWN = "known"
    """At each time what had arrived by then."""


@dataclass(frozen=True, slots=True)
class Part:
    """What of a history is looked at; None: all."""

    since: datetime | None = None
    until: datetime | None = None
    vehicles: Collection[str] | None = None


@dataclass(frozen=True, slots=True)
class Archive:
    """A history at hand."""

    history: History
    reference: Reference | None
    where: str
    connection: psycopg.Connection[Any] | None = None
    """Of the database that it lies in; None: it lies in files, which do not say when anything arrived."""

    @property
    def vehicles(self) -> dict[str, VehicleRecord]:
        """The cars by their ids."""
        return {one.vehicle_id: one for one in self.history.vehicles}

    def run(self, view: View, rules: tuple[Rule, ...], report: Callable[[float], None]) -> Backtest:
        """What rules would have said; `report` is told the share that is done.

        Raises:
            HistoryError: if the history cannot be read.
            ValueError: if it does not say what was known when.
        """
        if view is View.FINAL:
            return backtest(self.history, rules, report)
        if self.connection is None:
            raise ValueError("a Parquet folder does not say when its samples arrived, so it has the final view only")
        return backtest_known(self.connection, self.history, rules, report)


def folder_archive(folder: Path, part: Part) -> Archive:
    """The history in a folder, held against the truth if that lies beside it.

    Raises:
        HistoryError: if there is none.
        TruthError: if the truth cannot be read.
    """
    history = History.of(open_folder(folder), since=part.since, until=part.until, vehicles=part.vehicles)
    truth = folder / "truth.jsonl"
    archive = Archive(history, None, folder.name)
    if not truth.is_file():
        return archive
    return Archive(history, TruthReference(read_truth(truth), archive.vehicles, history.span), archive.where)


@contextmanager
def database_archive(database_url: str, now: datetime, part: Part) -> Iterator[Archive]:
    """The history in a database until a time, held against what was said of its alerts; nothing is written.

    Raises:
        HistoryError: if there is none.
        DatabaseUnavailableError: if nobody answers at the address.
    """
    with connect(database_url, application="vsc rules backtest", autocommit=True) as connection:
        source = open_database(connection, now)
        history = History.of(source, since=part.since, until=part.until, vehicles=part.vehicles)
        yield Archive(history, read_verdicts(connection), "the stack's database", connection)


def read_verdicts(connection: psycopg.Connection[Any]) -> VerdictReference:
    """What was said of all alerts so far."""
    every = alerts.list_alerts(connection)
    stays = {vehicle_id: silences.stays(connection, vehicle_id) for vehicle_id in {one.vehicle_id for one in every}}
    said = (answered(alert, decisions.of_alert(connection, alert.alert_id), stays[alert.vehicle_id]) for alert in every)
    return VerdictReference(tuple(one for one in said if one is not None))
