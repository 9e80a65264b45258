"""The inbox: what came in, leased to one worker at a time, one person's messages in order.

waiting ──take──▶ taken ──commit──▶ done
   ▲                │└──set aside──▶ aside
   └──put back, or the lease runs out
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta

from sqlalchemy import and_, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.core.model import Outcome
from bot.core.ports import Arrival, Taken
from bot.errors import StaleLease
from bot.store.codec import Hasher
from bot.store.schema import inbox
from bot.store.sql import insert_once

UNFINISHED = ("waiting", "taken")
RECENT = timedelta(hours=2)  # longer than the time in which a flood is counted


async def keep(connection: AsyncConnection, hashed: Hasher, arrivals: Sequence[Arrival]) -> int:
    """Store what is new; how many that were."""
    new = 0
    for arrival in arrivals:
        row = {
            "key": hashed(arrival.key),
            "person": hashed(arrival.person) if arrival.person else "",
            "channel": arrival.channel,
            "raw": dict(arrival.raw),
            "raw_key": arrival.key,
            "raw_person": arrival.person,
            "state": "waiting",
            "attempts": 0,
            "received_at": arrival.received_at,
            "due_at": arrival.received_at,
        }
        new += await insert_once(connection, inbox, row)
    return new


async def take(connection: AsyncConnection, now: datetime, lease: timedelta, channels: Collection[str]) -> Taken | None:
    earlier = inbox.alias()
    free = or_(
        and_(inbox.c.state == "waiting", inbox.c.due_at <= now),
        and_(inbox.c.state == "taken", inbox.c.lease_until < now),
    )
    in_order = ~(
        select(earlier.c.id)
        .where(earlier.c.person == inbox.c.person, earlier.c.id < inbox.c.id, earlier.c.state.in_(UNFINISHED))
        .exists()
    )
    oldest = (
        select(inbox.c.id)
        .where(inbox.c.channel.in_(channels), free, or_(inbox.c.person == "", in_order))
        .order_by(inbox.c.id)
        .limit(1)
        .with_for_update(skip_locked=True)  # SQLite has no rows to lock and leaves this out
    )
    took = (
        update(inbox)
        .where(inbox.c.id == oldest.scalar_subquery())
        .values(state="taken", attempts=inbox.c.attempts + 1, lease_until=now + lease)
        .returning(inbox)
    )
    row = (await connection.execute(took)).mappings().first()
    if row is None:
        return None
    arrival = Arrival(row["raw_key"] or "", row["channel"], row["raw_person"] or "", row["raw"] or {}, row["received_at"])
    return Taken(row["id"], arrival, row["attempts"])


async def finish(connection: AsyncConnection, hashed: Hasher, taken: Taken, outcome: Outcome, now: datetime) -> None:
    """The row done and its raw content erased: what is still needed stands in the dialogue and the escalation."""
    values = {
        "state": "done",
        "end": outcome.end,
        "reason": outcome.reason or None,
        "message": hashed(outcome.message) if outcome.message else None,
        "decision": outcome.decision or None,
        "raw": None,
        "raw_key": None,
        "raw_person": None,
        "error": None,
        "done_at": now,
    }
    await _change(connection, taken, values)


async def put_back(connection: AsyncConnection, taken: Taken, at: datetime, error: str) -> None:
    await _change(connection, taken, {"state": "waiting", "due_at": at, "error": error})


async def set_aside(connection: AsyncConnection, taken: Taken, outcome: Outcome, error: str, now: datetime) -> None:
    """Kept whole, for a person to look at; ended as the outcome says."""
    values = {"state": "aside", "error": error, "done_at": now, "end": outcome.end, "reason": outcome.reason or None}
    await _change(connection, taken, values)


async def _change(connection: AsyncConnection, taken: Taken, values: Mapping[str, object]) -> None:
    mine = (inbox.c.id == taken.id) & (inbox.c.state == "taken") & (inbox.c.attempts == taken.attempts)
    changed = await connection.execute(update(inbox).where(mine).values(lease_until=None, **values))
    if changed.rowcount != 1:
        raise StaleLease(f"inbox row {taken.id} was taken back meanwhile")


async def last_decision(connection: AsyncConnection, message: str) -> str | None:
    found = select(inbox.c.decision).where(inbox.c.message == message).order_by(inbox.c.id.desc()).limit(1)
    return (await connection.execute(found)).scalar()


async def count(connection: AsyncConnection, person: str, since: datetime, counted: str, handled: bool) -> int:
    concerns_us = or_(inbox.c.end.is_(None), inbox.c.end != "ignored", inbox.c.reason == counted)
    found = select(func.count()).where(inbox.c.person == person, inbox.c.received_at >= since, concerns_us)
    if handled:
        found = found.where(inbox.c.end.is_not(None))
    return int((await connection.execute(found)).scalar_one())


async def release(connection: AsyncConnection) -> None:
    """Give back what a worker that is known to be dead had taken."""
    await connection.execute(update(inbox).where(inbox.c.state == "taken").values(state="waiting", lease_until=None))


async def shift(connection: AsyncConnection, by: timedelta) -> None:
    """Also of what was done a short time ago: a flood is told by it."""
    newest = (await connection.execute(select(func.max(inbox.c.received_at)))).scalar()
    if newest is None:
        return
    moved = or_(inbox.c.state.in_(UNFINISHED), inbox.c.received_at >= newest - RECENT)
    rows = (await connection.execute(select(inbox).where(moved))).mappings().all()
    for row in rows:
        lease = row["lease_until"] + by if row["lease_until"] else None
        values = {"due_at": row["due_at"] + by, "received_at": row["received_at"] + by, "lease_until": lease}
        await connection.execute(update(inbox).where(inbox.c.id == row["id"]).values(**values))


async def unfinished(connection: AsyncConnection, channels: Collection[str]) -> bool:
    found = select(inbox.c.id).where(inbox.c.channel.in_(channels), inbox.c.state.in_(UNFINISHED)).limit(1)
    return (await connection.execute(found)).first() is not None


async def counts(connection: AsyncConnection) -> dict[str, int]:
    rows = await connection.execute(select(inbox.c.state, inbox.c.end, func.count()).group_by(inbox.c.state, inbox.c.end))
    found: dict[str, int] = {}
    for state, end, count in rows:
        found[f"inbox.{state}"] = found.get(f"inbox.{state}", 0) + count
        if end:
            found[f"inbox.{state}.{end}"] = count
    return found
