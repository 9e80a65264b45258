"""What is kept of a person, and how long."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pydantic import ValidationError
from sqlalchemy import Column, ColumnElement, Table, and_, delete, exists, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.store import codec
from bot.store.codec import Hasher
from bot.store.schema import dialogues, escalations, inbox, outbox

_FINISHED = ("sent", "failed", "dropped")


async def export(connection: AsyncConnection, hashed: Hasher, person: str) -> dict[str, Any]:
    """All that is kept of a person, as JSON values."""
    key = hashed(person)
    dialogue = await connection.execute(select(dialogues.c.dialogue).where(dialogues.c.person == person))
    asked = await connection.execute(select(escalations.c.escalation).where(escalations.c.learner == person))
    sent = await connection.execute(
        select(outbox.c.outgoing, outbox.c.state, outbox.c.sent_at).where(outbox.c.to_hash == key, outbox.c.outgoing.is_not(None))
    )
    came = await connection.execute(select(inbox.c.raw).where(inbox.c.person == key, inbox.c.raw.is_not(None)))
    texts = [
        {"text": row.outgoing["body"], "state": row.state, "sent_at": row.sent_at.isoformat() if row.sent_at else None}
        for row in sent
    ]
    return {
        "person": person,
        "dialogue": dialogue.scalar(),
        "escalations": list(asked.scalars()),
        "texts": texts,
        "unread": list(came.scalars()),
    }


async def forget_inbox(connection: AsyncConnection, hashed: Hasher, person: str) -> None:
    """What was set aside of a person loses its content too; what still waits is handled first."""
    aside = and_(inbox.c.person == hashed(person), inbox.c.state == "aside")
    await connection.execute(update(inbox).where(aside).values(raw=None, raw_key=None, raw_person=None, error=None))


async def purge(connection: AsyncConnection, before: datetime, health_before: datetime) -> int:
    """Delete what is older than it may be; an escalation that nobody answered yet stays, with its notices. Rows deleted."""
    total = 0
    ended = and_(escalations.c.ended_at.is_not(None), _due(escalations, escalations.c.ended_at, before, health_before))
    total += (await connection.execute(delete(escalations).where(ended))).rowcount
    kept = exists(select(escalations.c.id).where(escalations.c.id == outbox.c.about, escalations.c.ended_at.is_(None)))
    old = and_(outbox.c.state.in_(_FINISHED), _due(outbox, outbox.c.created_at, before, health_before), ~kept)
    total += (await connection.execute(delete(outbox).where(old))).rowcount
    # what was set aside is whole, and may be a matter of health
    aside = and_(inbox.c.state == "aside", inbox.c.received_at < health_before)
    done = or_(and_(inbox.c.state == "done", inbox.c.received_at < before), aside)
    total += (await connection.execute(delete(inbox).where(done))).rowcount
    total += (await connection.execute(delete(dialogues).where(dialogues.c.updated_at < before))).rowcount
    return total + await _purge_turns(connection, before, health_before)


def _due(table: Table, since: Column[datetime], before: datetime, health_before: datetime) -> ColumnElement[bool]:
    return or_(since < before, and_(table.c.private, since < health_before))


async def _purge_turns(connection: AsyncConnection, before: datetime, health_before: datetime) -> int:
    """Turns of a conversation that goes on are deleted one by one."""
    dropped = 0
    stale = select(dialogues.c.person, dialogues.c.dialogue).where(dialogues.c.updated_at >= before)
    for person, data in (await connection.execute(stale)).all():
        try:
            turns = codec.dialogue.validate_python(data).turns
        except ValidationError:  # written by another version: nobody can tell how old its turns are
            await connection.execute(delete(dialogues).where(dialogues.c.person == person))
            continue
        fresh = [t.at >= (health_before if t.private else before) for t in turns]
        if not all(fresh):
            dropped += fresh.count(False)
            left = [turn for turn, keep in zip(data["turns"], fresh, strict=True) if keep]
            changed = update(dialogues).where(dialogues.c.person == person).values(dialogue={**data, "turns": left})
            await connection.execute(changed)
    return dropped
