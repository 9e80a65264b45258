"""The sums: what the store says became of every input, and of every text. Read from outside, on either database."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import create_engine, select
from sqlalchemy.engine import make_url
from sqlalchemy.exc import OperationalError

from bot.store.schema import escalations, inbox, outbox

ENDS = ("answered", "escalated", "ignored")
IN_STATES, OUT_STATES = ("waiting", "taken", "done", "aside"), ("waiting", "claimed", "sending", "sent", "failed", "dropped")
PATIENCE = 60.0  # seconds


@dataclass(frozen=True)
class Books:
    """One reading of the store."""

    inputs: list[dict[str, Any]]
    texts: list[dict[str, Any]]
    escalations: int

    @property
    def ends(self) -> Counter[str]:
        return Counter(row["end"] for row in self.inputs if row["end"])

    @property
    def waiting(self) -> int:
        return sum(row["state"] in ("waiting", "taken") for row in self.inputs)

    @property
    def unsent(self) -> int:
        """Texts that are on their way, but for reminders that are due at a later time."""
        on_their_way = [row for row in self.texts if row["state"] in ("waiting", "claimed", "sending")]
        return sum(row["attempts"] > 0 or not (row["outgoing"] or {}).get("not_before") for row in on_their_way)

    def reasons(self) -> Counter[str]:
        return Counter(row["reason"] for row in self.inputs if row["reason"])

    def texts_of(self, state: str) -> list[dict[str, Any]]:
        return [row for row in self.texts if row["state"] == state]


def address_of(environment: Mapping[str, str]) -> str:
    """The database of a service with this environment."""
    named = environment.get("DATABASE_URL", "").replace("postgres://", "postgresql://")
    return named or f"sqlite:///{Path(environment['ACCUEIL_DATA_DIR']) / 'accueil.db'}"


def read(address: str) -> Books:
    """Open, read, close; a database that is still being made is an empty one."""
    url = make_url(address)
    if url.get_backend_name() == "sqlite":
        if not Path(url.database or "").exists():
            return Books([], [], 0)
        engine = create_engine(url.set(drivername="sqlite"), connect_args={"timeout": 10})
    else:
        engine = create_engine(url.set(drivername="postgresql+psycopg"))
    try:
        with engine.connect() as connection:
            came = [dict(row) for row in connection.execute(select(inbox)).mappings()]
            texts = [dict(row) for row in connection.execute(select(outbox)).mappings()]
            asked = len(connection.execute(select(escalations.c.id)).all())
    except OperationalError as error:
        if "no such table" in str(error):
            return Books([], [], 0)
        raise
    finally:
        engine.dispose()
    return Books(came, texts, asked)


def audited(address: str, inputs: int | None = None) -> Books:
    """Every input ended in exactly one of the three ends or still waits, and the sums agree. Fails where they do not."""
    books = read(address)
    for row in books.inputs:
        assert row["state"] in IN_STATES, row["state"]
        ended = row["state"] in ("done", "aside")
        assert (row["end"] in ENDS) is ended, f"input {row['id']} is {row['state']} with end {row['end']}"
        assert (row["done_at"] is not None) is ended
        assert row["end"] != "ignored" or row["reason"], f"input {row['id']} was ignored without a reason"
    assert sum(books.ends.values()) + books.waiting == len(books.inputs)
    assert not books.ends["escalated"] or books.escalations
    for row in books.texts:
        assert row["state"] in OUT_STATES, row["state"]
        assert row["state"] != "sent" or row["sent_at"] is not None
        assert row["state"] != "failed" or row["error"], f"text {row['id']} failed without a word"
    if inputs is not None:
        assert len(books.inputs) == inputs, f"{len(books.inputs)} inputs where {inputs} came in"
    return books


async def closed(address: str, inputs: int | None = None, seconds: float = PATIENCE) -> Books:
    """Wait until every input has its end and every text that is due is out; then the books, audited."""

    def done(books: Books) -> bool:
        return not books.waiting and not books.unsent and (inputs is None or len(books.inputs) >= inputs)

    books = await seen(address, done, seconds)
    assert done(books), f"{books.waiting} inputs and {books.unsent} texts wait after {seconds} s; {len(books.inputs)} came in"
    return audited(address, inputs)


async def seen(address: str, holds: Callable[[Books], bool], seconds: float = PATIENCE, every: float = 0.05) -> Books:
    """Look until it holds, or the time is over; the last look."""
    deadline = time.monotonic() + seconds
    while True:
        books = await asyncio.to_thread(read, address)
        if holds(books) or time.monotonic() > deadline:
            return books
        await asyncio.sleep(every)
