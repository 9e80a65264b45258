"""The outbox: texts that a person will read, one at a time for each address.

waiting ──claim──▶ claimed ──on the wire──▶ sending ──▶ sent
   ▲  │               │                       │└─────▶ failed
   │  └──▶ dropped    │                       │
   └── retry, or the lease runs out ──────────┴── then nobody knows whether it went out (unsure)
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from pydantic import ValidationError
from sqlalchemy import and_, bindparam, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.core.model import Outgoing
from bot.core.ports import Delivery, Sent
from bot.errors import StaleLease
from bot.store import codec
from bot.store.codec import Hasher
from bot.store.schema import escalations, outbox
from bot.store.sql import insert_once

_OPEN = ("open", "claimed")
_IN_HAND = ("claimed", "sending")


async def queue(
    connection: AsyncConnection, hashed: Hasher, rows: Iterable[Outgoing], now: datetime, *, erase: bool = False
) -> None:
    for outgoing in rows:
        row = {
            "key": hashed(outgoing.key),
            "to": outgoing.to,
            "to_hash": hashed(outgoing.to),
            "kind": outgoing.kind,
            "outgoing": codec.dump(codec.outgoing, outgoing),
            "private": outgoing.private,
            "erase": erase,
            "about": outgoing.about,
            "cancels_with": outgoing.cancels_with,
            "state": "waiting",
            "attempts": 0,
            "unsure": 0,
            "created_at": now,
            "due_at": outgoing.not_before or now,
        }
        await insert_once(connection, outbox, row)


async def claim(connection: AsyncConnection, now: datetime, lease: timedelta, channels: Collection[str]) -> Delivery | None:
    await connection.execute(_dropping(), {"now": now})
    took = _claiming(tuple(channels))
    row = (await connection.execute(took, {"now": now, "lease": now + lease})).mappings().first()
    if row is None:
        return None
    try:
        outgoing = codec.outgoing.validate_python(row["outgoing"])
        readable = True
    except ValidationError:  # written by another version: somebody must hear of it
        outgoing = Outgoing(f"unreadable:{row['id']}", row["to"], "", row["kind"], about=row["about"])
        readable = False
    return Delivery(row["id"], outgoing, row["attempts"], row["unsure"], row["created_at"], readable)


@cache  # to put the statement together takes longer than to run it
def _claiming(channels: tuple[str, ...]) -> Any:
    """The oldest text that is due, or whose lease ran out, becomes claimed. Takes ``now`` and ``lease``, its end."""
    now = bindparam("now", type_=outbox.c.due_at.type)
    lost = and_(outbox.c.state.in_(_IN_HAND), outbox.c.lease_until < now)
    free = and_(outbox.c.state == "waiting", outbox.c.due_at <= now)
    oldest = (
        select(outbox.c.id)
        .where(_served(channels), or_(lost, and_(free, _nothing_before(now))))
        .order_by(outbox.c.id)
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    return (
        update(outbox)
        .where(outbox.c.id == oldest.scalar_subquery())
        .values(
            state="claimed",
            attempts=outbox.c.attempts + 1,
            unsure=outbox.c.unsure + _was_on_wire(),
            lease_until=bindparam("lease", type_=outbox.c.lease_until.type),
        )
        .returning(outbox)
    )


def _served(channels: Collection[str]) -> Any:
    return or_(*(outbox.c.to.like(f"{channel}:%") for channel in channels))


def _nothing_before(now: Any) -> Any:
    """Nothing to the same address is on the wire, due earlier, or being tried again: texts keep their order."""
    other = outbox.alias()
    waits = and_(
        other.c.id < outbox.c.id,
        other.c.state == "waiting",
        or_(other.c.due_at <= now, other.c.attempts > 0),
    )
    return ~select(other.c.id).where(other.c.to_hash == outbox.c.to_hash, or_(other.c.state.in_(_IN_HAND), waits)).exists()


@cache
def _dropping() -> Any:
    """A reminder whose escalation is settled is not sent. Takes ``now``."""
    still_open = select(escalations.c.id).where(escalations.c.id == outbox.c.cancels_with, escalations.c.status.in_(_OPEN))
    now = bindparam("now", type_=outbox.c.due_at.type)
    due = and_(outbox.c.state == "waiting", outbox.c.due_at <= now, outbox.c.cancels_with.is_not(None))
    return update(outbox).where(due, ~still_open.exists()).values(state="dropped", outgoing=None)


def _was_on_wire() -> Any:
    return (outbox.c.state == "sending").cast(outbox.c.unsure.type)


async def wired(connection: AsyncConnection, delivery: Delivery, lease_until: datetime) -> None:
    await _change(connection, delivery, {"state": "sending"}, lease_until)


async def delivered(connection: AsyncConnection, delivery: Delivery, native_id: str, now: datetime) -> None:
    await _change(connection, delivery, {"state": "sent", "native_id": native_id or None, "sent_at": now, "error": None})
    await _erased(connection, delivery)


async def _erased(connection: AsyncConnection, delivery: Delivery) -> bool:
    gone = and_(outbox.c.id == delivery.id, outbox.c.erase)
    done = await connection.execute(update(outbox).where(gone).values(outgoing=None, to=None))
    return bool(done.rowcount)


async def retry(connection: AsyncConnection, delivery: Delivery, at: datetime, error: str, unsure: bool) -> None:
    values = {"state": "waiting", "due_at": at, "error": error, "unsure": delivery.unsure + unsure}
    await _change(connection, delivery, values)


async def failed(connection: AsyncConnection, delivery: Delivery, error: str, now: datetime) -> bool:
    """Whether its words were to be erased: then they are, and those of what replaces it once that is sent."""
    await _change(connection, delivery, {"state": "failed", "error": error, "sent_at": now})
    return await _erased(connection, delivery)


async def came_back(connection: AsyncConnection, native_ids: Collection[str]) -> None:
    """What the peer took and then reported as undelivered."""
    mine = and_(outbox.c.native_id.in_(native_ids), outbox.c.state == "sent")
    if native_ids:
        await connection.execute(update(outbox).where(mine).values(state="failed", error="came back"))


async def moved(connection: AsyncConnection, hashed: Hasher, old: str, new: str) -> None:
    """A chat has a new address: what still waits for it goes there."""
    waiting = select(outbox.c.id, outbox.c.outgoing).where(outbox.c.to_hash == hashed(old), outbox.c.state == "waiting")
    for id, outgoing in (await connection.execute(waiting)).all():
        values = {"to": new, "to_hash": hashed(new), "outgoing": {**outgoing, "to": new}}
        await connection.execute(update(outbox).where(outbox.c.id == id).values(**values))


async def _change(
    connection: AsyncConnection, delivery: Delivery, values: dict[str, object], lease_until: datetime | None = None
) -> None:
    mine = (outbox.c.id == delivery.id) & outbox.c.state.in_(_IN_HAND) & (outbox.c.attempts == delivery.attempts)
    changed = await connection.execute(update(outbox).where(mine).values(lease_until=lease_until, **values))
    if changed.rowcount != 1:
        raise StaleLease(f"outbox row {delivery.id} was taken back meanwhile")


async def find_sent(connection: AsyncConnection, to_hash: str, native_id: str) -> Sent | None:
    found = select(outbox.c.about, outbox.c.kind).where(outbox.c.to_hash == to_hash, outbox.c.native_id == native_id)
    row = (await connection.execute(found)).first()
    return Sent(row.about, row.kind) if row else None


async def addressee(connection: AsyncConnection, native_id: str) -> str | None:
    found = select(outbox.c.to).where(outbox.c.native_id == native_id).limit(1)
    return (await connection.execute(found)).scalar()


async def release(connection: AsyncConnection) -> None:
    """What a dead worker had in hand is due again, and what it had on the wire is known to be unsure."""
    lost = update(outbox).where(outbox.c.state.in_(_IN_HAND))
    await connection.execute(lost.values(state="waiting", unsure=outbox.c.unsure + _was_on_wire(), lease_until=None))


async def shift(connection: AsyncConnection, by: timedelta) -> None:
    pending = select(outbox.c.id, outbox.c.due_at, outbox.c.lease_until).where(outbox.c.state.in_(("waiting", *_IN_HAND)))
    for row in (await connection.execute(pending)).all():
        lease = row.lease_until + by if row.lease_until else None
        values = {"due_at": row.due_at + by, "lease_until": lease}
        await connection.execute(update(outbox).where(outbox.c.id == row.id).values(**values))


async def unfinished(connection: AsyncConnection, now: datetime, channels: Collection[str]) -> bool:
    due = or_(outbox.c.state.in_(_IN_HAND), and_(outbox.c.state == "waiting", outbox.c.due_at <= now))
    return (await connection.execute(select(outbox.c.id).where(_served(channels), due).limit(1))).first() is not None


async def counts(connection: AsyncConnection) -> dict[str, int]:
    rows = await connection.execute(select(outbox.c.state, func.count()).group_by(outbox.c.state))
    return {f"outbox.{state}": count for state, count in rows}
