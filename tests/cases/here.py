"""The whole service within the test, so that its time can be moved; store, channels and peers are the real ones."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

from bot.app import _channels, _serve
from bot.flow.clock import SteadyClock
from bot.library.shelf import Shelf
from bot.settings import read
from bot.store.database import Database
from tests.ledger import address_of


class Time:
    """Real time, and what a test adds: time that passes, and a wall clock that somebody sets."""

    def __init__(self) -> None:
        self.passed = timedelta(0)
        self.set_by = timedelta(0)

    def wall(self) -> datetime:
        return datetime.now(UTC) + self.passed + self.set_by

    def elapsed(self) -> float:
        return time.monotonic() + self.passed.total_seconds()

    async def passes(self, span: timedelta, steps: int = 1) -> None:
        """So much time, in steps between which the service may work for a moment."""
        for _ in range(steps):
            self.passed += span / steps
            await asyncio.sleep(1.3)  # the loops look at the store every second


@asynccontextmanager
async def running(environment: Mapping[str, str], shelf: Shelf, at: Time) -> AsyncIterator[Database]:
    """Serve until the end of the block; its store."""
    settings = read({**environment, "ACCUEIL_KNOWLEDGE_DIR": ""}, serving=True)
    clock = SteadyClock(at.wall, at.elapsed)
    store = await Database.open(address_of(environment))
    await store.release()
    channels = _channels(settings, store, clock, "Technecampus", chat=False)
    serving = asyncio.create_task(_serve(store, channels, shelf, settings.desk(), clock))
    try:
        if settings.mail is not None:  # mails from before the first look are left alone
            async with asyncio.timeout(30):
                while await store.cursor("email:INBOX") is None:  # noqa: ASYNC110 - the store has no event of it
                    await asyncio.sleep(0.1)
        yield store
    finally:
        serving.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await serving
        for channel in channels:
            await channel.close()
        await store.close()
