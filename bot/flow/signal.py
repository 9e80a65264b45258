"""How the loops wait: for work, and for work that has begun."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

import structlog

from bot.errors import StaleLease, StoreError


class Signal:
    """Wakes loops when there is work, and once in a while in any case: another process may have written to the store."""

    def __init__(self, every: float = 1.0) -> None:
        self._event = asyncio.Event()
        self._every = every  # seconds

    def set(self) -> None:
        self._event.set()

    async def wait(self) -> None:
        try:
            # not wait_for: on Python 3.11 it swallows a cancellation that meets the event, and the loop never ends
            async with asyncio.timeout(self._every):
                await self._event.wait()
        except TimeoutError:
            return
        self._event.clear()


async def finishing(work: Coroutine[Any, Any, None]) -> None:
    """Wait for a piece of work even when cancelled: a clean stop leaves nothing half done."""
    task = asyncio.create_task(work)
    try:
        await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait([task], timeout=10)
        raise


async def endless(step: Callable[[], Awaitable[bool]], idle: Signal, log: structlog.typing.FilteringBoundLogger) -> None:
    """Take one step after another until cancelled; ``step`` says whether there was anything to do."""
    while True:
        try:
            if not await step():
                await idle.wait()
        except StaleLease:
            log.info("row was taken back meanwhile")
        except StoreError as error:
            log.error("store does not answer", error=str(error))
            await asyncio.sleep(2)
        except Exception as error:  # one row must never end the loop; its lease runs out and it is tried again
            log.error("stumbled", error=type(error).__name__)
            log.debug("traceback", exc_info=error)
            await asyncio.sleep(1)
