"""Binary COPY: every value read back is the value that was written, at its column's resolution."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import numpy as np
import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from storage import telemetry_copy
from storage.telemetry_copy import SampleTable, copy_table
from vehicle.signals import CATALOGUE, Signal, SignalKind

pytestmark = pytest.mark.integration

RECEIVED_AT = datetime(2026, 9, 1, 12, 30, tzinfo=UTC)
TIMES = st.datetimes(datetime(2026, 1, 1), datetime(2026, 1, 3))  # noqa: DTZ001 - as NumPy has them


@pytest.fixture
def connection(database_url: str) -> Iterator[psycopg.Connection[Any]]:
    with psycopg.connect(database_url, autocommit=True) as connection:
        yield connection


def values_of(signal: Signal) -> st.SearchStrategy[float]:
    """What the signal can show, its limits and zeros of both signs included, or NaN."""
    if signal.kind not in {SignalKind.NUMBER, SignalKind.ARRAY}:
        shown = st.integers(int(signal.minimum), int(signal.maximum)).map(float)
    else:
        corners = (signal.minimum, signal.maximum, 0.0, -0.0, 5e-324)
        within = [value for value in corners if signal.minimum <= value <= signal.maximum]
        shown = st.floats(signal.minimum, signal.maximum) | st.sampled_from(within)
    return shown | st.just(np.nan)


@st.composite
def tables(draw: st.DrawFn) -> SampleTable:
    times = draw(st.lists(TIMES, min_size=1, max_size=8, unique=True))
    rows = len(times)
    vehicle_ids = draw(st.lists(st.from_regex(r"[A-Za-z0-9_-]{1,64}", fullmatch=True), min_size=1, max_size=3))
    columns = {}
    for name in draw(st.lists(st.sampled_from(sorted(CATALOGUE)), max_size=12, unique=True)):
        signal = CATALOGUE[name]
        shape = (rows, draw(st.integers(1, 5))) if signal.kind is SignalKind.ARRAY else (rows,)
        count = int(np.prod(shape))
        columns[name] = np.array(draw(st.lists(values_of(signal), min_size=count, max_size=count))).reshape(shape)
    text = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=5)
    extras = st.none() | st.dictionaries(text, st.integers()).map(lambda found: json.dumps(found).encode())
    return SampleTable(
        vehicle_ids=vehicle_ids,
        batch=np.array(draw(st.lists(st.integers(0, len(vehicle_ids) - 1), min_size=rows, max_size=rows))),
        times=np.array(times, dtype="datetime64[us]"),
        columns=columns,
        extra=draw(st.just(()) | st.lists(extras, min_size=rows, max_size=rows)),
    )


def held(signal: Signal, value: Any) -> Any:
    """What the signal's column holds of a value."""
    if isinstance(value, np.ndarray):
        return None if np.isnan(value).all() else [held(signal, element) for element in value]
    if np.isnan(value):
        return None
    match signal.column_type:
        case "boolean":
            return bool(value)
        case "smallint" | "integer":
            return int(value)
        case "double precision":
            return float(value)
    return float(np.float32(value))


def row_of(table: SampleTable, index: int) -> dict[str, Any]:
    row = {name: held(CATALOGUE[name], values[index]) for name, values in table.columns.items()}
    row["vehicle_id"] = table.vehicle_ids[table.batch[index]]
    row["time"] = table.times[index].item().replace(tzinfo=UTC)
    row["received_at"] = RECEIVED_AT
    extra = table.extra[index] if table.extra else None
    row["extra"] = None if extra is None else json.loads(extra)
    return {name: value for name, value in row.items() if value is not None}


def rows_in(connection: psycopg.Connection[Any]) -> list[dict[str, Any]]:
    with connection.cursor(binary=True) as cursor:
        cursor.execute("SELECT * FROM telemetry ORDER BY time")
        names = [column.name for column in cursor.description or ()]
        return [{n: v for n, v in zip(names, row, strict=True) if v is not None} for row in cursor]


# The connection may stay: each example empties the table.
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_every_value_comes_back(connection: psycopg.Connection[Any], data: st.DataObject) -> None:
    table = data.draw(tables())
    connection.execute("DELETE FROM telemetry")
    assert copy_table(connection, table, RECEIVED_AT) == len(table.times)
    wrote = [row_of(table, index) for index in np.argsort(table.times)]
    # repr tells 0.0 from -0.0 and True from 1.
    assert list(map(sorted_repr, rows_in(connection))) == list(map(sorted_repr, wrote))


def sorted_repr(row: dict[str, Any]) -> str:
    extra = sorted(row.get("extra", {}).items())
    return repr(sorted((row | {"extra": extra}).items()))


def test_pieces_make_the_same_rows(connection: psycopg.Connection[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    count = 100
    table = SampleTable(
        vehicle_ids=["car"],
        batch=np.zeros(count, np.intp),
        times=np.datetime64("2026-01-01", "us") + np.arange(count) * np.timedelta64(1, "s"),
        columns={"hv_soc_pct": np.where(np.arange(count) % 3 == 0, np.nan, np.arange(count) / 2)},
    )
    monkeypatch.setattr(telemetry_copy, "_MOST_BYTES_AT_ONCE", 700)
    copy_table(connection, table, RECEIVED_AT)
    assert rows_in(connection) == [row_of(table, index) for index in range(count)]
