"""The store: one database behind it all, SQLite or PostgreSQL. Each method is one transaction."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Any

from alembic.util import CommandError
from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from bot.core.model import Dialogue, Escalation, Outcome, Outgoing
from bot.core.ports import Arrival, Delivery, Sent, Taken
from bot.errors import StoreError
from bot.store import alias, care, conversation, inbox, outbox, trace
from bot.store.codec import Hasher
from bot.store.engine import create_engine, database_url, upgrade
from bot.store.schema import meta
from bot.store.sql import insert_once, insert_or_replace


class Database:
    """Implements ``bot.core.ports.Store``. Make one with ``Database.open``."""

    def __init__(self, engine: AsyncEngine, secret: bytes) -> None:
        self._engine = engine
        self._secret = secret
        self._hashed = Hasher(secret)

    @classmethod
    async def open(cls, address: str) -> Database:
        """Connect, bring the schema up to date. Raises StoreError, naming what is wrong, and ValueError for an address."""
        url = database_url(address)
        engine = create_engine(url)
        where = url.render_as_string(hide_password=True)
        try:
            async with engine.begin() as connection:
                await connection.run_sync(upgrade)
            async with engine.begin() as connection:
                secret = await _secret(connection)
        except (SQLAlchemyError, CommandError, OSError) as error:
            await engine.dispose()
            raise StoreError(f"the database {where} cannot be used: {_cause(error)}") from error
        return cls(engine, secret)

    @asynccontextmanager
    async def _transaction(self) -> AsyncIterator[AsyncConnection]:
        try:
            async with self._engine.begin() as connection:
                yield connection
        except (SQLAlchemyError, OSError) as error:
            raise StoreError(f"the database does not answer: {_cause(error)}") from error

    # ---------------------------------------------------------------- inbox

    async def receive(self, arrivals: Sequence[Arrival], cursor: tuple[str, str] | None = None) -> int:
        async with self._transaction() as connection:
            new = await inbox.keep(connection, self._hashed, arrivals)
            if cursor is not None:
                await insert_or_replace(connection, meta, "name", {"name": f"cursor:{cursor[0]}", "value": cursor[1]})
            return new

    async def cursor(self, name: str) -> str | None:
        async with self._transaction() as connection:
            return (await connection.execute(select(meta.c.value).where(meta.c.name == f"cursor:{name}"))).scalar()

    async def take(self, now: datetime, lease: timedelta, channels: Collection[str]) -> Taken | None:
        async with self._transaction() as connection:
            return await inbox.take(connection, now, lease, channels)

    async def commit(self, taken: Taken, outcome: Outcome, now: datetime) -> None:
        async with self._transaction() as connection:
            await inbox.finish(connection, self._hashed, taken, outcome, now)
            await self._write(connection, outcome, now)

    async def put_back(self, taken: Taken, at: datetime, error: str) -> None:
        async with self._transaction() as connection:
            await inbox.put_back(connection, taken, at, error)

    async def set_aside(self, taken: Taken, error: str, outcome: Outcome, now: datetime) -> None:
        async with self._transaction() as connection:
            await inbox.set_aside(connection, taken, outcome, error, now)
            await self._write(connection, outcome, now)

    async def apply(self, outcome: Outcome, now: datetime) -> None:
        async with self._transaction() as connection:
            await self._write(connection, outcome, now)

    async def _write(self, connection: AsyncConnection, outcome: Outcome, now: datetime) -> None:
        for person in outcome.forget:
            for address in (person, *await alias.addresses_of(connection, person)):
                await conversation.forget(connection, self._hashed, address)
                await care.forget_inbox(connection, self._hashed, address)
            await alias.forget(connection, person)
        await conversation.write(connection, self._hashed, outcome, now)
        await alias.link(connection, outcome.links, now)
        await outbox.came_back(connection, outcome.returned)
        await trace.keep(connection, self._hashed, outcome.traces)

    async def last_decision(self, message_id: str) -> str | None:
        async with self._transaction() as connection:
            return await inbox.last_decision(connection, self._hashed(message_id))

    # ---------------------------------------------------------------- conversation and escalations

    async def dialogue(self, person: str) -> Dialogue | None:
        async with self._transaction() as connection:
            return await conversation.dialogue(connection, person)

    async def reserve_escalation(self) -> int:
        async with self._transaction() as connection:
            return await conversation.reserve(connection)

    async def escalation(self, id: int) -> Escalation | None:
        async with self._transaction() as connection:
            return await conversation.escalation(connection, id)

    async def escalations(self, *, learner: str | None = None, open_only: bool = True, limit: int = 200) -> list[Escalation]:
        async with self._transaction() as connection:
            return await conversation.listed(connection, learner, open_only, limit)

    # ---------------------------------------------------------------- outbox

    async def claim(self, now: datetime, lease: timedelta, channels: Collection[str]) -> Delivery | None:
        async with self._transaction() as connection:
            return await outbox.claim(connection, now, lease, channels)

    async def wired(self, delivery: Delivery, lease_until: datetime) -> None:
        async with self._transaction() as connection:
            await outbox.wired(connection, delivery, lease_until)

    async def delivered(self, delivery: Delivery, native_id: str, now: datetime) -> None:
        async with self._transaction() as connection:
            await outbox.delivered(connection, delivery, native_id, now)
            await outbox.queue(connection, self._hashed, delivery.outgoing.then, now)

    async def retry(self, delivery: Delivery, at: datetime, error: str, *, unsure: bool = False) -> None:
        async with self._transaction() as connection:
            await outbox.retry(connection, delivery, at, error, unsure)

    async def failed(self, delivery: Delivery, error: str, instead: Sequence[Outgoing], now: datetime) -> None:
        async with self._transaction() as connection:
            erase = await outbox.failed(connection, delivery, error, now)
            await outbox.queue(connection, self._hashed, instead, now, erase=erase)

    async def moved(self, delivery: Delivery, to: str, now: datetime) -> None:
        async with self._transaction() as connection:
            await outbox.retry(connection, delivery, now, "the chat has a new address", False)
            await outbox.moved(connection, self._hashed, delivery.outgoing.to, to)

    async def find_sent(self, to: str, native_id: str) -> Sent | None:
        async with self._transaction() as connection:
            return await outbox.find_sent(connection, self._hashed(to), native_id)

    async def addressee(self, native_id: str) -> str | None:
        async with self._transaction() as connection:
            return await outbox.addressee(connection, native_id)

    async def traced(self, names: Collection[str], since: datetime) -> dict[str, list[datetime]]:
        async with self._transaction() as connection:
            return await trace.found(connection, self._hashed, names, since)

    async def count_inputs(self, person: str, since: datetime, counted: str, *, handled: bool = False) -> int:
        async with self._transaction() as connection:
            return await inbox.count(connection, self._hashed(person), since, counted, handled)

    async def person_at(self, address: str) -> str | None:
        async with self._transaction() as connection:
            return await alias.person_at(connection, address)

    async def addresses_of(self, person: str) -> list[str]:
        async with self._transaction() as connection:
            return await alias.addresses_of(connection, person)

    # ---------------------------------------------------------------- care

    @property
    def secret(self) -> bytes:
        return self._secret

    async def export(self, person: str) -> dict[str, Any]:
        async with self._transaction() as connection:
            found = await care.export(connection, self._hashed, person)
            linked = await alias.addresses_of(connection, person)
            return {**found, "linked": [await care.export(connection, self._hashed, address) for address in linked]}

    async def purge(self, now: datetime, keep: timedelta, keep_health: timedelta) -> int:
        async with self._transaction() as connection:
            deleted = await care.purge(connection, now - keep, now - keep_health)
            return deleted + await alias.purge(connection, now - keep) + await trace.purge(connection, now - keep)

    async def release(self) -> None:
        async with self._transaction() as connection:
            await inbox.release(connection)
            await outbox.release(connection)

    async def shift(self, by: timedelta) -> None:
        if self._engine.dialect.name != "sqlite":  # other machines have clocks of their own
            return
        async with self._transaction() as connection:
            await inbox.shift(connection, by)
            await outbox.shift(connection, by)
            await trace.shift(connection, by)

    async def idle(self, now: datetime, channels: Collection[str]) -> bool:
        async with self._transaction() as connection:
            unread = await inbox.unfinished(connection, channels)
            return not unread and not await outbox.unfinished(connection, now, channels)

    async def counts(self) -> dict[str, int]:
        async with self._transaction() as connection:
            found = await inbox.counts(connection)
            return found | await outbox.counts(connection) | await conversation.counts(connection)

    async def close(self) -> None:
        await self._engine.dispose()


async def _secret(connection: AsyncConnection) -> bytes:
    await insert_once(connection, meta, {"name": conversation.COUNTER, "value": "0"})
    await insert_once(connection, meta, {"name": "secret", "value": secrets.token_hex(32)})
    found = await connection.execute(select(meta.c.value).where(meta.c.name == "secret"))
    return bytes.fromhex(found.scalar_one())


def _cause(error: BaseException) -> str:
    """The driver's own words, on one line, without SQL or parameters: those may hold what a learner wrote."""
    found = getattr(error, "orig", None) or error
    return " ".join(str(found).split("\n")[0].split()) or type(found).__name__
