"""Traces: that something was heard or answered, and when, as keyed hashes; counted to tell loops."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime, timedelta

from sqlalchemy import bindparam, delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.core.loops import DAY
from bot.store.codec import Hasher
from bot.store.schema import traces


async def keep(connection: AsyncConnection, hashed: Hasher, left: Iterable[tuple[str, datetime]]) -> None:
    rows = [{"name": hashed(name), "at": at} for name, at in left]
    if rows:
        await connection.execute(insert(traces), rows)


async def found(
    connection: AsyncConnection, hashed: Hasher, names: Collection[str], since: datetime
) -> dict[str, list[datetime]]:
    """When each of these names was left since then; names that were not are missing."""
    by_hash = {hashed(name): name for name in names}
    wanted = select(traces.c.name, traces.c.at).where(traces.c.name.in_(by_hash), traces.c.at >= since)
    times: dict[str, list[datetime]] = {}
    for name, at in (await connection.execute(wanted)).all():
        times.setdefault(by_hash[name], []).append(at)
    return times


async def shift(connection: AsyncConnection, by: timedelta) -> None:
    """The clock was set: the caps look back as far as before."""
    newest = (await connection.execute(select(func.max(traces.c.at)))).scalar()
    if newest is not None:
        recent = select(traces.c.id, traces.c.at).where(traces.c.at >= newest - DAY)
        moved = [{"row": row.id, "to": row.at + by} for row in (await connection.execute(recent)).all()]
        one = update(traces).where(traces.c.id == bindparam("row")).values(at=bindparam("to"))
        await connection.execute(one, moved)


async def purge(connection: AsyncConnection, before: datetime) -> int:
    return (await connection.execute(delete(traces).where(traces.c.at < before))).rowcount
