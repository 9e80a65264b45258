"""Inbox to decision to commit: each input ends answered, escalated, ignored with a reason, or set aside for a person."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import structlog

from bot.core import loops
from bot.core.desk import Desk
from bot.core.dialogue import FORGED, respond, stumbled
from bot.core.flood import BEYOND, CAPS, MAILED, flooded, uncounted
from bot.core.model import Dialogue, Ignored, Intent, Message, Outcome
from bot.core.ports import Arrival, Channel, Clock, Library, Store, Taken
from bot.core.situation import Situation
from bot.errors import StoreError
from bot.flow.notice import alert
from bot.flow.review import bounced, found_in_sent, reviewed
from bot.flow.signal import Signal, endless, finishing

LEASE = timedelta(seconds=20)  # a decision takes a tenth of a second
EVER = datetime(1970, 1, 1, tzinfo=UTC)
TRIES = 4  # a message that fails so often is set aside
DEATHS = 10  # so is one whose worker died so often; one that was only near when others killed the service is not
log = structlog.get_logger("intake")


class Intake:
    """Takes rows from the inbox and commits what is decided on them. Also the inlet of all channels."""

    def __init__(
        self, store: Store, channels: Mapping[str, Channel], library: Library, desk: Desk, clock: Clock, came: Signal, due: Signal
    ) -> None:
        self._store = store
        self._channels = channels
        self._library = library
        self._desk = desk
        self._clock = clock
        self._came = came
        self._due = due
        self._gathering = asyncio.Lock()  # two mails over the caps at once must not open two digests

    async def keep(self, arrivals: Sequence[Arrival], cursor: tuple[str, str] | None = None) -> int:
        new = await self._store.receive(arrivals, cursor)
        if new:
            self._came.set()
        return new

    async def cursor(self, name: str) -> str | None:
        return await self._store.cursor(name)

    async def trouble(self, key: str, line: str, **values: object) -> None:
        rows = alert(self._library.mind.knowledge, self._desk, key, line, **values)  # type: ignore[arg-type]
        await self._store.apply(Outcome("answered", outgoing=rows), self._clock())
        self._due.set()

    async def work(self) -> None:
        """Run until cancelled."""
        await endless(self._step, self._came, log)

    async def _step(self) -> bool:
        ready = [name for name, channel in self._channels.items() if channel.ready]
        taken = await self._store.take(self._clock(), LEASE, ready)
        if taken is not None:
            await finishing(self._settle(taken))
        return taken is not None

    async def _settle(self, taken: Taken) -> None:
        message: Message | Ignored | None = None
        try:
            # in a thread: a hostile mail may take a while, and the loops must go on
            message = await asyncio.to_thread(self._channels[taken.arrival.channel].read, taken.arrival)
            if taken.attempts > DEATHS:
                raise RuntimeError("its worker died each time")
            if isinstance(message, Message) and message.channel == "email":
                message = await self._known_by_mail(message)
            async with self._gathering if isinstance(message, Message) and message.loop else nullcontext():
                outcome = await self._decide(message)
                await self._store.commit(taken, outcome, self._clock())
            log.info("settled", row=taken.id, end=outcome.end, reason=outcome.reason)
            if outcome.outgoing:
                self._due.set()
        except StoreError:
            raise
        except Exception as error:  # a fault of ours must not lose a person's message
            await self._failed(taken, message, error)

    async def _decide(self, message: Message | Ignored) -> Outcome:
        if isinstance(message, Ignored):
            return Outcome("ignored", message.reason)
        command = await self._reviewed(message)
        outcome = command or await self._answered(message)
        if message.channel != "email":
            return outcome
        return replace(outcome, traces=loops.left(message, outcome, self._clock(), command=command is not None))

    async def _reviewed(self, message: Message) -> Outcome | None:
        """What a message does to an escalation; None where it is a learner's, or is to be taken for one."""
        desk, knowledge = self._desk, self._library.mind.knowledge
        if message.intent is Intent.SENT:
            return await found_in_sent(message, self._store, knowledge, desk, self._clock())
        if message.intent is Intent.BOUNCE:
            return await bounced(message, self._store, knowledge, desk)
        if message.sender in desk.reviewers() or message.sender == desk.mailbox:
            if message.unproven or message.no_reply == loops.REUSED:
                return None
            outcome = await reviewed(message, self._store, knowledge, desk, self._clock())
            # over the caps a command is still carried out, but there is no more word about what was not
            silent = outcome is None or not any(row.to == message.chat for row in outcome.outgoing)
            return outcome if silent or not message.loop else None
        if message.press.startswith("e:"):
            return Outcome("ignored", "a trainer's button pressed by somebody else")
        return None

    async def _answered(self, message: Message) -> Outcome:
        flood = await self._flood(message)
        if flood is not None:
            return flood
        message = await self._attributed(message) if message.channel == "email" else message
        if message.bulk and await self._store.dialogue(message.sender) is None:
            return Outcome("ignored", f"list: {message.no_reply}")
        await self._channels[message.channel].acknowledge(message)
        situation = await self._situation(message)
        # a tenth of a second of pure computation: in a thread, so that the loops go on
        return (await asyncio.to_thread(respond, message, situation)).outcome

    async def _attributed(self, message: Message) -> Message:
        """Whose mail it is, and whether it may be answered as theirs."""
        if message.about is not None and not message.loop:  # a token is of no use to anybody but those it was sent to
            message = replace(message, no_reply=message.no_reply or "the answer to somebody else's notice")
        if not message.unproven:
            return replace(message, sender=await self._store.person_at(message.sender) or message.sender)
        if message.sender in self._desk.reviewers() or message.sender == self._desk.mailbox:
            return replace(message, no_reply=FORGED)
        return message

    async def _flood(self, message: Message) -> Outcome | None:
        now = self._clock()
        if message.channel == "email":
            if not message.loop:  # below the caps no mail is one of very many
                return None
            span, most = MAILED
            handled = await self._store.count_inputs(message.sender, now - span, BEYOND, handled=True)
            return uncounted(message, self._library.mind.knowledge) if handled >= most else None
        for span, most in CAPS:
            if await self._store.count_inputs(message.sender, now - span, BEYOND) > most:
                return flooded(message, await self._situation(message))
        return None

    async def _known_by_mail(self, message: Message) -> Message:
        """Whether a mail is its sender's for certain, whether its Message-ID is its own, and whether it is one too many."""
        if message.intent in (Intent.SENT, Intent.BOUNCE):
            return message
        now, identity, refused = self._clock(), loops.identity(message), message.no_reply
        ours = bool(message.reply_to) and await self._store.addressee(message.reply_to) == message.chat
        if identity and await self._store.traced((identity,), EVER):
            refused = refused or loops.REUSED
        loop = loops.over(message, await self._store.traced(loops.names(message), now - loops.DAY), now)
        return replace(message, confirmed=ours, no_reply=refused, loop=loop)

    async def _situation(self, message: Message) -> Situation:
        mind = self._library.mind
        edited = message.intent is Intent.EDIT
        return Situation(
            knowledge=mind.knowledge,
            reader=mind.reader,
            desk=self._desk,
            now=self._clock(),
            next_id=await self._store.reserve_escalation(),
            dialogue=await self._store.dialogue(message.sender) or await self._thread_of(message),
            open_escalations=await self._store.escalations(learner=message.sender),
            digests=await self._store.escalations(learner=loops.CROWD) if message.loop else (),
            earlier_decision=await self._store.last_decision(message.id) if edited else None,
            code=f"{secrets.randbelow(1_000_000):06}",
        )

    async def _thread_of(self, message: Message) -> Dialogue | None:
        """Somebody new answers a text of ours that was sent to another: the format of the course is known by that."""
        first = await self._store.addressee(message.reply_to) if message.channel == "email" and message.reply_to else None
        known = await self._store.dialogue(first) if first else None
        return Dialogue(message.sender, format=known.format) if known is not None and known.format else None

    async def _stumbled(self, message: Message, otherwise: Outcome) -> Outcome:
        """A word to the learner and an escalation; where not even that can be made, the alert alone."""
        try:
            outcome = stumbled(message, await self._situation(message))
        except StoreError:
            raise
        except Exception as error:
            log.error("cannot be escalated either", error=type(error).__name__)
            return otherwise
        return replace(outcome, outgoing=(*outcome.outgoing, *otherwise.outgoing))

    async def _failed(self, taken: Taken, message: Message | Ignored | None, error: Exception) -> None:
        now = self._clock()
        unreadable = message is None and isinstance(error, ValueError)
        # the traceback's text may hold a learner's words: only at debug level
        log.error("could not be handled", row=taken.id, attempt=taken.attempts, error=type(error).__name__)
        log.debug("traceback", exc_info=error)
        if taken.attempts < TRIES and not unreadable:
            await self._store.put_back(taken, now + timedelta(seconds=2**taken.attempts), type(error).__name__)
            return
        told = alert(self._library.mind.knowledge, self._desk, f"aside:{taken.id}", "alert_aside", row=taken.id)
        outcome = Outcome("ignored", "could not be read", outgoing=told)
        if isinstance(message, Message):
            outcome = await self._stumbled(message, outcome)
        await self._store.set_aside(taken, type(error).__name__, outcome, now)
        self._due.set()
