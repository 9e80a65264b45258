"""Says every few seconds, in the store, that the service is there: so an outage of either is noticed, and a clock that jumps."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import datetime, timedelta

import structlog

from bot.core.compose import say
from bot.core.desk import Desk
from bot.core.model import Outcome, Outgoing
from bot.core.ports import Channel, Delivery, Library, Store
from bot.errors import StoreError
from bot.flow.clock import SteadyClock
from bot.flow.notice import alert
from bot.flow.signal import Signal

BEAT = 5.0  # seconds
SLIP = timedelta(seconds=2)  # a difference so small is followed at once
TROUBLE = timedelta(seconds=45)  # without the store before the operator is told
AWAY = timedelta(hours=20)  # Telegram keeps updates for 24
DIRECT = 60.0  # seconds for a text that goes past the store
ALIVE = "alive"
log = structlog.get_logger("heartbeat")


class Heartbeat:
    """One for each process. ``work`` runs until cancelled."""

    def __init__(
        self, store: Store, channels: Mapping[str, Channel], library: Library, desk: Desk, clock: SteadyClock, due: Signal
    ) -> None:
        self._store = store
        self._channels = channels
        self._library = library
        self._desk = desk
        self._clock = clock
        self._due = due
        self._silent_since: datetime | None = None
        self._told = False
        self._owed = timedelta(0)  # what the store's times have yet to be moved by

    async def work(self) -> None:
        await self._return()
        while True:
            await self._beat()
            await asyncio.sleep(BEAT)

    async def _return(self) -> None:
        """What the last beat of an earlier run tells: a long absence, or a clock that was set back meanwhile."""
        try:
            known = await self._store.cursor(ALIVE)
            last = datetime.fromisoformat(known) if known else self._clock()
            if last - self._clock() > SLIP:
                await self._store.shift(self._clock() - last)
                log.warning("the clock was set back while the service was down", seconds=(last - self._clock()).total_seconds())
            if self._clock() - last > AWAY and "telegram" in self._channels:
                await self._queue(f"away:{last.timestamp()}", "alert_away", since=_told_time(last))
        except (StoreError, ValueError) as error:  # the first beat tells of it
            log.error("cannot tell how long the service was away", error=type(error).__name__)

    async def _beat(self) -> None:
        try:
            await self._follow_clock()
            if self._owed:
                await self._store.shift(self._owed)
                self._owed = timedelta(0)
            await self._store.receive((), (ALIVE, self._clock().isoformat()))
        except StoreError as error:
            await self._silent(error)
        else:
            await self._sound()

    async def _follow_clock(self) -> None:
        """A jump moves all that is due, and all leases, with it: nothing comes early, late or twice."""
        jump = self._clock.jump()
        if abs(jump) <= SLIP:
            self._clock.follow(jump)
            return
        log.warning("the clock was set", seconds=jump.total_seconds())
        if jump > SLIP:  # in this order, either way, no lease ever looks as if it had run out
            await self._store.shift(jump)
            self._clock.follow(jump)
        else:
            self._clock.follow(jump)
            self._owed += jump
        self._due.set()

    async def _silent(self, error: StoreError) -> None:
        now = self._clock()
        self._silent_since = self._silent_since or now
        if not self._told and now - self._silent_since > TROUBLE:
            self._told = await self._tell_past_the_store(str(error))

    async def _sound(self) -> None:
        since, told = self._silent_since, self._told
        self._silent_since, self._told = None, False
        if since is not None:
            log.info("the store answers again")
        if since is not None and told:
            await self._queue(f"store-ok:{since.timestamp()}", "alert_store_ok", since=_told_time(since))

    async def _queue(self, key: str, line: str, **values: object) -> None:
        rows = alert(self._library.mind.knowledge, self._desk, key, line, **values)  # type: ignore[arg-type]
        await self._store.apply(Outcome("answered", outgoing=rows), self._clock())
        self._due.set()

    async def _tell_past_the_store(self, why: str) -> bool:
        """The one text that no row stands for: that rows cannot be written. Whether anybody was told."""
        body, told = say(self._library.mind.knowledge, "alert_store", why=why), False
        for to in self._desk.operators or self._desk.trainers:
            channel = self._channels.get(to.partition(":")[0])
            if channel is None:
                continue
            text = Outgoing(f"alert:store:{self._silent_since}:{to}", to, body, kind="alert")
            try:
                async with asyncio.timeout(DIRECT):
                    await channel.send(Delivery(0, text, 1, 0, self._clock()), _nothing)
                told = True
            except Exception as error:  # tried again at the next beat, and the log has it in any case
                log.error("the operator cannot be told", error=type(error).__name__)
        return told


async def _nothing() -> None:
    return None


def _told_time(at: datetime) -> str:
    return f"{at:%d/%m %H:%M}"
