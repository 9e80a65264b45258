"""The one statement that the two databases spell differently."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Table
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection


def _insert(connection: AsyncConnection, table: Table) -> Any:
    return postgresql.insert(table) if connection.dialect.name == "postgresql" else sqlite.insert(table)


async def insert_once(connection: AsyncConnection, table: Table, row: Mapping[str, object]) -> int:
    """Insert unless a unique column's value is there already; 1 where the row is new."""
    column = next(iter(table.primary_key))
    insert = _insert(connection, table).values(**row).on_conflict_do_nothing().returning(column)
    return int((await connection.execute(insert)).first() is not None)


async def insert_or_replace(connection: AsyncConnection, table: Table, key: str, row: Mapping[str, object]) -> None:
    others = {name: value for name, value in row.items() if name != key}
    statement = _insert(connection, table).values(**row)
    await connection.execute(statement.on_conflict_do_update(index_elements=[key], set_=others))
