"""What happens by itself: edited knowledge files are taken over, what is too old is deleted."""

from __future__ import annotations

import asyncio

import structlog

from bot.core.desk import Desk
from bot.core.model import Outcome
from bot.core.ports import Clock, Library, Store
from bot.errors import AccueilError, KnowledgeError, StoreError
from bot.flow.notice import alert
from bot.flow.signal import Signal

LOOK_EVERY = 2.0  # seconds between two looks at the knowledge files
PURGE_EVERY = 3600.0
log = structlog.get_logger("upkeep")


async def watch(library: Library, store: Store, desk: Desk, clock: Clock, due: Signal) -> None:
    """Run until cancelled: sound files come into force; faulty ones do not, and the operator is told once."""
    faulty = False
    while True:
        await asyncio.sleep(LOOK_EVERY)
        found = await _refreshed(library)
        if found is False:
            continue
        if isinstance(found, AccueilError):
            faulty = True
            faults = found.faults if isinstance(found, KnowledgeError) else (found,)
            log.error("knowledge files are faulty, the old ones stay in force", faults=[str(f) for f in faults])
            listed = "\n".join(str(f) for f in faults[:5])
            values = {"line": "alert_knowledge", "count": len(faults), "faults": listed}
        else:
            log.info("knowledge files taken over")
            if not faulty:
                continue
            faulty = False
            values = {"line": "alert_knowledge_ok"}
        now = clock()
        rows = alert(library.mind.knowledge, desk, f"knowledge:{now.timestamp()}", **values)  # type: ignore[arg-type]
        try:
            await store.apply(Outcome("answered", outgoing=rows), now)
            due.set()
        except StoreError as error:
            log.error("store does not answer", error=str(error))


async def _refreshed(library: Library) -> AccueilError | bool:
    try:
        return await asyncio.to_thread(library.refresh)
    except Exception as error:  # whatever is wrong with a file must not end the service
        log.error("knowledge files cannot be looked at", error=type(error).__name__)
        return False


async def purge(store: Store, desk: Desk, clock: Clock) -> None:
    """Run until cancelled: delete what is older than it may be, at start and every hour."""
    while True:
        try:
            deleted = await store.purge(clock(), desk.keep, desk.keep_health)
            if deleted:
                log.info("deleted what was due", rows=deleted)
        except Exception as error:  # tried again in an hour; a row that cannot be read must not end the service
            log.error("could not delete what was due", error=type(error).__name__)
        await asyncio.sleep(PURGE_EVERY)
