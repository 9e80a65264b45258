"""One person at several addresses: what came in at one of them is theirs, what cannot be sent to one goes to another."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import delete, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.store.schema import alias, dialogues
from bot.store.sql import insert_or_replace


async def link(connection: AsyncConnection, links: Iterable[tuple[str, str]], now: datetime) -> None:
    for address, person in links:
        await insert_or_replace(connection, alias, "address", {"address": address, "person": person, "linked_at": now})


async def person_at(connection: AsyncConnection, address: str) -> str | None:
    return (await connection.execute(select(alias.c.person).where(alias.c.address == address))).scalar()


async def addresses_of(connection: AsyncConnection, person: str) -> list[str]:
    found = select(alias.c.address).where(alias.c.person == person).order_by(alias.c.linked_at)
    return list((await connection.execute(found)).scalars())


async def forget(connection: AsyncConnection, person: str) -> None:
    await connection.execute(delete(alias).where(or_(alias.c.person == person, alias.c.address == person)))


async def purge(connection: AsyncConnection, before: datetime) -> int:
    """Delete the links of persons of whom nothing else is known any more."""
    known = select(dialogues.c.person).where(dialogues.c.person == alias.c.person).exists()
    return (await connection.execute(delete(alias).where(alias.c.linked_at < before, ~known))).rowcount
