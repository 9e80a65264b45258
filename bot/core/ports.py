"""The protocols through which the flow reaches the rest of the house: store, channel, library, clock.

They are the contract: what each promises about order, repetition and failure is written here once.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol

from bot.core.model import Dialogue, Escalation, Ignored, Knowledge, Message, Outcome, Outgoing, Reading
from bot.errors import AccueilError

OnWire = Callable[[], Awaitable[None]]


class Clock(Protocol):
    def __call__(self) -> datetime:
        """The time now, aware, UTC."""
        ...


@dataclass(frozen=True, slots=True)
class Arrival:
    """A raw input as it came in, before anybody tried to understand it.

    key: unique for ever, made of channel and native id ("telegram:update:871"). person: "" while not yet known.
    """

    key: str
    channel: str
    person: str
    raw: Mapping[str, Any]
    received_at: datetime


@dataclass(frozen=True, slots=True)
class Taken:
    """An inbox row leased to one worker. attempts counts this one."""

    id: int
    arrival: Arrival
    attempts: int


@dataclass(frozen=True, slots=True)
class Delivery:
    """An outbox row leased to one sender. unsure: how many earlier attempts may have reached the peer.

    readable: False where another version wrote it; then ``outgoing`` has no words.
    """

    id: int
    outgoing: Outgoing
    attempts: int
    unsure: int
    created_at: datetime
    readable: bool = True


@dataclass(frozen=True, slots=True)
class Sent:
    """What is remembered of a sent text, found again by the native id that a reply names."""

    about: int | None
    kind: str


class Store(Protocol):
    """One database behind it all. Every method is one transaction; when it returns, it is durable."""

    # -- inbox
    async def receive(self, arrivals: Sequence[Arrival], cursor: tuple[str, str] | None = None) -> int:
        """Keep the arrivals, ignoring keys seen before, and the channel's cursor (name, value); how many were new."""
        ...

    async def cursor(self, name: str) -> str | None: ...

    async def take(self, now: datetime, lease: timedelta, channels: Collection[str]) -> Taken | None:
        """Lease the oldest waiting row of these channels, of a person none of whose earlier rows is unfinished, if any.

        A row whose lease has run out (its worker died) is waiting again. Two workers never get the same row.
        """
        ...

    async def commit(self, taken: Taken, outcome: Outcome, now: datetime) -> None:
        """The row done, dialogue, escalations and outbox rows, in one transaction. A key in the outbox stays once.

        Raises StaleLease when the lease was lost meanwhile; then nothing is written.
        """
        ...

    async def put_back(self, taken: Taken, at: datetime, error: str) -> None:
        """Give the row back, to be taken again from ``at`` on."""
        ...

    async def set_aside(self, taken: Taken, error: str, outcome: Outcome, now: datetime) -> None:
        """The row cannot be handled: kept with its error for a person, with what the outcome tells (alert, word)."""
        ...

    async def apply(self, outcome: Outcome, now: datetime) -> None:
        """Commit an outcome that no inbox row caused (a terminal command, a reminder, an alert)."""
        ...

    # -- conversation
    async def dialogue(self, person: str) -> Dialogue | None: ...

    # -- escalations
    async def reserve_escalation(self) -> int:
        """A number that no escalation has or will have but the caller's. Gaps are harmless."""
        ...

    async def last_decision(self, message_id: str) -> str | None:
        """The digest of what was last decided on a message (for edited ones), see ``Outcome``."""
        ...

    async def escalation(self, id: int) -> Escalation | None: ...

    async def escalations(self, *, learner: str | None = None, open_only: bool = True, limit: int = 200) -> list[Escalation]: ...

    # -- outbox
    async def claim(self, now: datetime, lease: timedelta, channels: Collection[str]) -> Delivery | None:
        """Lease the oldest due row to an address of these channels.

        One at a time for each ``to``, and in order.

        A row that was on the wire (``wired``) when its lease ran out comes back with ``unsure`` raised, any other as it was.
        A row whose ``cancels_with`` escalation is no longer open is dropped unsent.
        """
        ...

    async def wired(self, delivery: Delivery, lease_until: datetime) -> None:
        """From here on the peer may have it. Raises StaleLease where the row was taken back: then it must not be sent."""
        ...

    async def delivered(self, delivery: Delivery, native_id: str, now: datetime) -> None: ...

    async def retry(self, delivery: Delivery, at: datetime, error: str, *, unsure: bool = False) -> None:
        """Send it again from ``at`` on. unsure: the peer may have taken it already."""
        ...

    async def failed(self, delivery: Delivery, error: str, instead: Sequence[Outgoing], now: datetime) -> None:
        """For good: kept with its error, and what is sent instead (fallback address, alert) queued in the same go."""
        ...

    async def moved(self, delivery: Delivery, to: str, now: datetime) -> None:
        """The chat has a new address: this text and all that wait for the old one go there."""
        ...

    async def find_sent(self, to: str, native_id: str) -> Sent | None: ...

    async def addressee(self, native_id: str) -> str | None:
        """To whom the text with this native id was sent."""
        ...

    async def traced(self, names: Collection[str], since: datetime) -> Mapping[str, Sequence[datetime]]:
        """When traces of these names were left since then (see ``bot.core.loops``)."""
        ...

    async def count_inputs(self, person: str, since: datetime, counted: str, *, handled: bool = False) -> int:
        """How many inputs a person sent since then; of the ignored, those of that reason alone.

        handled: leaves out those that wait.
        """
        ...

    async def person_at(self, address: str) -> str | None:
        """The person who has shown that an address is theirs."""
        ...

    async def addresses_of(self, person: str) -> list[str]:
        """The addresses that a person has shown to be theirs."""
        ...

    # -- care
    @property
    def secret(self) -> bytes:
        """32 random bytes made with the database, for keyed hashes and signed buttons; the same for all workers."""
        ...

    async def export(self, person: str) -> dict[str, Any]:
        """All that is kept of a person, as JSON values."""
        ...

    async def purge(self, now: datetime, keep: timedelta, keep_health: timedelta) -> int:
        """Delete what is older than it may be; how many rows that were."""
        ...

    async def release(self) -> None:
        """Give back all leases at once: only for a worker that knows that it is the only one."""
        ...

    async def shift(self, by: timedelta) -> None:
        """The clock was set: all that is due later, and all leases, move with it. Where others write too, nothing is moved."""
        ...

    async def idle(self, now: datetime, channels: Collection[str]) -> bool:
        """Whether nothing waits to be handled or to be sent now on these channels."""
        ...

    async def counts(self) -> dict[str, int]:
        """Rows by state ("inbox.waiting", "outbox.failed", "escalations.open" ...), for doctor and sums."""
        ...

    async def close(self) -> None: ...


class Inlet(Protocol):
    """The way into the inbox, as a channel sees it."""

    async def keep(self, arrivals: Sequence[Arrival], cursor: tuple[str, str] | None = None) -> int:
        """Durable when it returns; only then may the channel confirm to its peer. How many were new."""
        ...

    async def cursor(self, name: str) -> str | None: ...

    async def trouble(self, key: str, line: str, **values: object) -> None:
        """Tell the operator, in a line of the bot's voice, once for each key."""
        ...


class Channel(Protocol):
    """A way in and out. ``name`` is the part of an address before the colon."""

    @property
    def name(self) -> str: ...

    @property
    def ready(self) -> bool:
        """Whether ``read`` may be asked already; until then, what was kept waits."""
        ...

    async def receive(self, inlet: Inlet) -> None:
        """Run until cancelled or the input ends: all that comes in goes into the inbox, and only then is confirmed.

        Raises ChannelError, fatal where no retry will mend it.
        """
        ...

    def read(self, arrival: Arrival) -> Message | Ignored:
        """Raw input to message; pure. Raises ValueError for what cannot be read at all: it is set aside for a person."""
        ...

    async def acknowledge(self, message: Message) -> None:
        """A sign of life (typing ...), best effort: never raises, never delays the decision."""
        ...

    async def send(self, delivery: Delivery, on_wire: OnWire) -> str:
        """Hand one text to the peer; the peer's id of it. Raises DeliveryError.

        ``on_wire`` is awaited right before the step after which the peer may have the text, and never where doing it twice
        does no harm: after a crash, only what was on the wire is unsure.
        """
        ...

    async def found(self, delivery: Delivery) -> str | None:
        """The peer's id of a text that an earlier attempt did hand over, None where the peer offers no way to tell.

        Raises DeliveryError where it cannot be looked up now.
        """
        ...

    async def close(self) -> None: ...


class Understanding(Protocol):
    """Reads what people write, with one knowledge."""

    def read(self, text: str, subject: str | None, dialogue: Dialogue) -> Reading:
        """What a message asks for, in the context of its conversation."""
        ...

    def tells_of_health(self, text: str) -> bool:
        """Whether any word is one of health, whatever is asked: far cheaper than reading."""
        ...


@dataclass(frozen=True, slots=True)
class Mind:
    """What is known and how it is understood: replaced as a whole when the files change."""

    knowledge: Knowledge
    reader: Understanding


class Library(Protocol):
    """Holds the mind in force."""

    @property
    def mind(self) -> Mind: ...

    def refresh(self) -> AccueilError | bool:
        """Look at the files again: True where a new mind is in force, the error where they are faulty (once), else False."""
        ...
