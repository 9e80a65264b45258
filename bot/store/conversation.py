"""Dialogues and escalations, and an outcome written as a whole."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from typing import Any

from pydantic import ValidationError
from sqlalchemy import BigInteger, Text, delete, func, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.core.loops import CROWD
from bot.core.model import Dialogue, Escalation, Outcome, Status
from bot.errors import StaleLease
from bot.store import codec, outbox
from bot.store.codec import Hasher
from bot.store.schema import dialogues, escalations, meta
from bot.store.schema import outbox as outbox_table
from bot.store.sql import insert_or_replace

COUNTER = "escalation"  # the row of meta that counts them
ENDED = (Status.ANSWERED, Status.CLOSED)


async def write(connection: AsyncConnection, hashed: Hasher, outcome: Outcome, now: datetime) -> None:
    """Everything that an outcome changes but the inbox row. Raises StaleLease where an escalation changed meanwhile."""
    if outcome.dialogue is not None:
        row = {"person": outcome.dialogue.person, "dialogue": codec.dump(codec.dialogue, outcome.dialogue), "updated_at": now}
        await insert_or_replace(connection, dialogues, "person", row)
    await outbox.queue(connection, hashed, outcome.outgoing, now, erase=bool(outcome.forget))
    for escalation in outcome.escalations:
        await _keep(connection, hashed, escalation)


async def dialogue(connection: AsyncConnection, person: str) -> Dialogue | None:
    found = (await connection.execute(select(dialogues.c.dialogue).where(dialogues.c.person == person))).scalar()
    try:
        return codec.dialogue.validate_python(found) if found is not None else None
    except ValidationError:  # written by another version: a conversation can begin anew
        return None


async def reserve(connection: AsyncConnection) -> int:
    """The next number of an escalation; the counter is made with the database."""
    counted = meta.c.value.cast(BigInteger) + 1
    raised = update(meta).where(meta.c.name == COUNTER).values(value=counted.cast(Text)).returning(meta.c.value)
    return int((await connection.execute(raised)).scalar_one())


async def escalation(connection: AsyncConnection, id: int) -> Escalation | None:
    found = (await connection.execute(select(escalations.c.escalation).where(escalations.c.id == id))).scalar()
    return next(iter(_readable([found])), None)


async def listed(connection: AsyncConnection, learner: str | None, open_only: bool, limit: int) -> list[Escalation]:
    """Oldest first; the latest ``limit`` of them."""
    wanted = select(escalations.c.escalation).order_by(escalations.c.id.desc()).limit(limit)
    if learner is not None:
        wanted = wanted.where(escalations.c.learner == learner)
    if open_only:
        wanted = wanted.where(escalations.c.status.not_in([s.value for s in ENDED]))
    rows = (await connection.execute(wanted)).scalars().all()
    return _readable(reversed(rows))


def _readable(rows: Iterable[Any]) -> list[Escalation]:
    """One that another version wrote must not hold up all the others."""
    found = []
    for row in rows:
        with suppress(ValidationError):
            found.append(codec.escalation.validate_python(row))
    return found


async def _keep(connection: AsyncConnection, hashed: Hasher, changed: Escalation) -> None:
    ended = changed.closed_at or changed.answered_at
    row = {
        "learner": changed.learner,
        "status": changed.status.value,
        "private": changed.private,
        "version": len(changed.events),
        "opened_at": changed.opened_at,
        "ended_at": ended,
        "escalation": codec.dump(codec.escalation, changed),
    }
    known = (await connection.execute(select(escalations.c.erase).where(escalations.c.id == changed.id))).scalar()
    if known is None:
        await connection.execute(insert(escalations).values(id=changed.id, erase=False, **row))
        return
    # every change adds one event: two changes of the same state cannot both be written
    mine = (escalations.c.id == changed.id) & (escalations.c.version < len(changed.events))
    done = await connection.execute(update(escalations).where(mine).values(**row))
    if done.rowcount != 1:
        raise StaleLease(f"escalation {changed.reference} was changed meanwhile")
    if known and changed.status in ENDED:
        await erase(connection, hashed, changed)


async def forget(connection: AsyncConnection, hashed: Hasher, person: str) -> None:
    """Erase what is kept of a person; what is on its way is erased once sent, an open escalation once it has ended."""
    await connection.execute(delete(dialogues).where(dialogues.c.person == person))
    owner = outbox_table.c.outgoing["thread"]["owner"].as_string()  # a reply in a group belongs to whom it answered
    mine = or_(outbox_table.c.to_hash == hashed(person), owner == person)
    await connection.execute(update(outbox_table).where(mine).values(erase=True))
    await connection.execute(
        update(outbox_table).where(mine, outbox_table.c.state.in_(("sent", "failed", "dropped"))).values(outgoing=None, to=None)
    )
    await connection.execute(update(escalations).where(escalations.c.learner == person).values(erase=True))
    await _left_out(connection, person)
    for known in await listed(connection, person, open_only=False, limit=10_000):
        if known.status in ENDED:
            await erase(connection, hashed, known)


async def _left_out(connection: AsyncConnection, person: str) -> None:
    """Nothing of a person stays in what several share; its notices lose their words, which name them all."""
    for known in await listed(connection, CROWD, open_only=False, limit=10_000):
        if all(event.actor != person for event in known.events):
            continue
        events = tuple(replace(e, actor="", text="") if e.actor == person else e for e in known.events)
        mine = known.chat == person
        changed = replace(known, events=events, chat="" if mine else known.chat, questions=() if mine else known.questions)
        row = {"escalation": codec.dump(codec.escalation, changed)}
        await connection.execute(update(escalations).where(escalations.c.id == known.id).values(**row))
        gone = (outbox_table.c.about == known.id) & (outbox_table.c.state == "sent")
        await connection.execute(update(outbox_table).where(gone).values(outgoing=None))


async def erase(connection: AsyncConnection, hashed: Hasher, known: Escalation) -> None:
    """Nothing is left of an escalation but its number, its times and a hash; its texts on their way go when sent."""
    empty = Escalation(
        id=known.id,
        learner=hashed(known.learner),
        chat="",
        name="",
        questions=(),
        conversation=(),
        reason=known.reason,
        near=(),
        private=known.private,
        status=Status.CLOSED,
        recipients=known.recipients,
        opened_at=known.opened_at,
        closed_at=known.closed_at or known.answered_at,
    )
    row = {"learner": empty.learner, "status": "closed", "escalation": codec.dump(codec.escalation, empty)}
    await connection.execute(update(escalations).where(escalations.c.id == known.id).values(**row))
    about = outbox_table.c.about == known.id
    gone = outbox_table.c.state.in_(("sent", "failed", "dropped"))
    await connection.execute(update(outbox_table).where(about, gone).values(outgoing=None))
    await connection.execute(update(outbox_table).where(about).values(erase=True))


async def counts(connection: AsyncConnection) -> dict[str, int]:
    rows = await connection.execute(select(escalations.c.status, func.count()).group_by(escalations.c.status))
    return {f"escalations.{status}": count for status, count in rows}
