"""Domain dataclasses as database rows and back: fields and columns have the same names."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import fields, is_dataclass
from typing import Any, TypeVar

import msgspec
import psycopg
from psycopg import sql
from psycopg.types.json import Jsonb

T = TypeVar("T")


def record_row(kind: type[T]) -> Callable[[psycopg.Cursor[Any]], Callable[[Sequence[Any]], T]]:
    """A row factory: the columns become the fields of the same name, checked and converted to their types."""

    def factory(cursor: psycopg.Cursor[Any]) -> Callable[[Sequence[Any]], T]:
        names = [column.name for column in cursor.description or ()]
        return lambda values: msgspec.convert(dict(zip(names, values, strict=True)), kind)

    return factory


def column_values(record: Any) -> dict[str, Any]:
    """What the columns of a dataclass hold: tuples as arrays, mappings and dataclasses as JSON."""
    return {field.name: _column_value(getattr(record, field.name)) for field in fields(record)}


def transposed(rows: Collection[Sequence[Any]], width: int) -> list[list[Any]]:
    """Rows of `width` values as columns, the arrays that a statement's `unnest` puts together again."""
    return [list(column) for column in zip(*rows, strict=True)] if rows else [[] for _ in range(width)]


def insert(connection: psycopg.Connection[Any], table: str, record: Any) -> None:
    """Insert a record that is new."""
    connection.execute(_insertion(table, column_values(record)), column_values(record))


def save(  # noqa: PLR0917 -- a record and where it goes
    connection: psycopg.Connection[Any],
    table: str,
    key: str,
    record: Any,
    keep: Collection[str] = (),
    without: Collection[str] = (),
) -> None:
    """Insert a record; where one with the same key is, overwrite every column but those in `keep`.

    Fields in `without` are in another table.
    """
    values = {name: value for name, value in column_values(record).items() if name not in without}
    changed = [name for name in values if name != key and name not in keep]
    conflict = sql.SQL(" ON CONFLICT ({key}) DO UPDATE SET {changes}").format(
        key=sql.Identifier(key),
        changes=sql.SQL(", ").join(sql.SQL("{0} = excluded.{0}").format(sql.Identifier(n)) for n in changed),
    )
    connection.execute(_insertion(table, values) + conflict, values)


def _insertion(table: str, values: Mapping[str, Any]) -> sql.Composed:
    return sql.SQL("INSERT INTO {} ({}) VALUES ({})").format(
        sql.Identifier(table),
        sql.SQL(", ").join(map(sql.Identifier, values)),
        sql.SQL(", ").join(map(sql.Placeholder, values)),
    )


def _column_value(value: Any) -> Any:
    if isinstance(value, tuple):
        return list(value)
    if isinstance(value, dict) or is_dataclass(value):
        return Jsonb(msgspec.to_builtins(value))
    return value
