"""Outbox to channel: every text once; what cannot be known is sent once more and told, what cannot be sent is reported."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial

import structlog

from bot.core.desk import Desk
from bot.core.model import Knowledge, Outcome, Outgoing
from bot.core.ports import Channel, Clock, Delivery, Library, Store
from bot.errors import DeliveryError, StaleLease, StoreError
from bot.flow.notice import alert
from bot.flow.signal import Signal, endless, finishing

LEASE = timedelta(seconds=45)  # longer than any send may take; taken anew when it goes on the wire
GIVEN_UP = timedelta(days=2)  # by age: a peer that says "in two seconds" for an hour must not use up the tries
LEAST_TRIES = 30  # before that: a service that was off for days has not tried yet
PERSONAL = ("reply", "relay", "comfort")  # what a learner waits for, on whichever channel
OWN_TRIES = 5  # of a text on which our own code fails
LONGEST_WAIT = 600.0  # seconds
DELAYED = timedelta(hours=3)  # after which the operator hears of a text that still waits
TROUBLE = timedelta(minutes=5)  # without a way out before the operator is told
log = structlog.get_logger("delivery")


class Deliveries:
    """Sends what is due. Several ``work`` loops may run; the store keeps the order for each address."""

    def __init__(
        self, store: Store, channels: Mapping[str, Channel], library: Library, desk: Desk, clock: Clock, due: Signal
    ) -> None:
        self._store = store
        self._channels = channels
        self._library = library
        self._desk = desk
        self._clock = clock
        self._due = due
        self._down: dict[str, datetime] = {}  # since when nothing goes out by a channel

    async def work(self, channel: str) -> None:
        """Run until cancelled; a send that has begun is finished first. One channel that hangs holds up no other."""
        await endless(partial(self._step, channel), self._due, log)

    async def _step(self, channel: str) -> bool:
        delivery = await self._store.claim(self._clock(), LEASE, (channel,))
        if delivery is not None:
            await finishing(self._deliver(delivery))
        return delivery is not None

    async def _deliver(self, delivery: Delivery) -> None:
        if not delivery.readable:
            await self._fail(delivery, "cannot be read")
            return
        if delivery.unsure and await self._looked_up(delivery):
            return
        if delivery.unsure == 1:
            await self._tell_unsure(delivery)
        elif delivery.unsure:
            await self._fail(delivery, "twice on the wire without an answer")
            return
        channel = self._channels.get(delivery.outgoing.to.partition(":")[0])
        try:
            if channel is None:
                raise DeliveryError("no such channel is served", permanent=True)
            native = await channel.send(delivery, lambda: self._store.wired(delivery, self._clock() + LEASE))
        except StoreError:  # it did not get on the wire: its lease runs out, and it is due again
            raise
        except DeliveryError as error:
            await self._refused(delivery, error)
        except Exception as error:  # a fault of ours: tried again like a fault of the peer's
            log.error("send failed", row=delivery.id, error=type(error).__name__)
            log.debug("traceback", exc_info=error)
            await self._refused(delivery, DeliveryError(type(error).__name__, permanent=delivery.attempts >= OWN_TRIES))
        else:
            self._down.pop(channel.name, None)
            await self._delivered(delivery, native)
            log.info("sent", row=delivery.id, kind=delivery.outgoing.kind)
            self._due.set()  # the next text to the same address may go

    async def _looked_up(self, delivery: Delivery) -> bool:
        """Whether nothing is to be sent now: it was found where the peer keeps what it took, or that cannot be looked up yet."""
        channel = self._channels.get(delivery.outgoing.to.partition(":")[0])
        try:
            native = await channel.found(delivery) if channel is not None else None
        except DeliveryError as error:
            await self._refused(delivery, error)
            return True
        if native is None:
            return False
        await self._tell_unsure(delivery, "alert_found")
        await self._delivered(delivery, native)
        log.info("found as sent", row=delivery.id, kind=delivery.outgoing.kind)
        self._due.set()
        return True

    async def _delivered(self, delivery: Delivery, native: str) -> None:
        """It is out: while the database blinks, say so again, or it would be sent twice."""
        for wait in (1, 2, 4, 8, 0):
            try:
                await self._store.delivered(delivery, native, self._clock())
                return
            except StaleLease:
                raise
            except StoreError:
                if not wait:
                    raise
                await asyncio.sleep(wait)

    async def _refused(self, delivery: Delivery, error: DeliveryError) -> None:
        if error.moved_to:
            await self._store.moved(delivery, error.moved_to, self._clock())
        elif error.permanent or (delivery.attempts >= LEAST_TRIES and self._age(delivery) > GIVEN_UP):
            await self._fail(delivery, error.reason)
        else:
            await self._again(delivery, error)

    async def _again(self, delivery: Delivery, error: DeliveryError) -> None:
        wait = error.retry_after or _back_off(delivery.attempts)
        await self._tell_of_waiting(delivery, error)
        await self._store.retry(delivery, self._clock() + wait, error.reason, unsure=error.uncertain)
        log.info("sent again later", row=delivery.id, unsure=error.uncertain, wait=wait.total_seconds())

    async def _fail(self, delivery: Delivery, why: str) -> None:
        out = delivery.outgoing
        log.warning("cannot be delivered", row=delivery.id, kind=out.kind, why=why)
        instead: tuple[Outgoing, ...] = ()
        elsewhere = out.fallback or await self._elsewhere(out)
        if elsewhere:
            to, *rest = elsewhere
            instead = (replace(out, key=f"{out.key}>{to}", to=to, fallback=tuple(rest)),)
        if out.kind != "alert":
            instead += await self._alerts(delivery, "alert_undelivered", f"undelivered:{delivery.id}", why=why)
        await self._store.failed(delivery, why, instead, self._clock())
        self._due.set()

    async def _elsewhere(self, out: Outgoing) -> tuple[str, ...]:
        """Where else the same person can be reached, on a channel that is served."""
        known = await self._store.addresses_of(out.to) if out.kind in PERSONAL else []
        return tuple(address for address in known if address.partition(":")[0] in self._channels)

    async def _tell_of_waiting(self, delivery: Delivery, error: DeliveryError) -> None:
        """A way out that is closed is told once; a single text that waits for hours is told too."""
        out, now = delivery.outgoing, self._clock()
        name = out.to.partition(":")[0]
        rows: tuple[Outgoing, ...] = ()
        if error.unreachable:
            since = self._down.setdefault(name, now)
            if now - since > TROUBLE:
                values = {"channel": name, "since": f"{since:%d/%m %H:%M}", "why": error.reason}
                rows = alert(self._library.mind.knowledge, self._desk, f"down:{name}:{since}", "alert_outbox", **values)  # type: ignore[arg-type]
        elif self._age(delivery) > DELAYED and out.kind != "alert":  # the key of the alert says it once
            rows = await self._alerts(delivery, "alert_delayed", f"delayed:{delivery.id}", why=error.reason)
        if rows:
            await self._store.apply(Outcome("answered", outgoing=rows), now)
            self._due.set()

    def _age(self, delivery: Delivery) -> timedelta:
        """For how long it has been due."""
        return self._clock() - max(delivery.created_at, delivery.outgoing.not_before or delivery.created_at)

    async def _tell_unsure(self, delivery: Delivery, line: str = "alert_uncertain") -> None:
        if delivery.outgoing.kind in ("alert", "mark"):  # an alert about an alert helps nobody; a flag set twice is one
            return
        # to the address itself too: it can be reached, and its owner may wonder at two copies
        rows = await self._alerts(delivery, line, f"uncertain:{delivery.id}", unless="")
        await self._store.apply(Outcome("answered", outgoing=rows), self._clock())

    async def _alerts(
        self, delivery: Delivery, line: str, key: str, *, unless: str | None = None, **values: object
    ) -> tuple[Outgoing, ...]:
        """To the operator; and who answered must know that the learner did not get it."""
        out = delivery.outgoing
        escalation = await self._store.escalation(out.about) if out.about is not None else None
        also = escalation.recipients if escalation is not None and out.kind == "relay" else ()
        knowledge: Knowledge = self._library.mind.knowledge
        reference = escalation.reference if escalation else ""
        spared = out.to if unless is None else unless
        return alert(knowledge, self._desk, key, line, unless=spared, also=also, kind=out.kind, reference=reference, **values)


def _back_off(attempts: int) -> timedelta:
    longest = min(LONGEST_WAIT, 2.0 ** min(attempts, 12))
    return timedelta(seconds=longest * random.uniform(0.6, 1.0))  # noqa: S311 - spreads retries, guards nothing
