"""The central types, all frozen. They hold no behaviour beyond what their own fields say.

Times are aware UTC and end in ``_at``; durations are ``timedelta``. A *person* is known by the address at
which they write, ``"telegram:4242"``, ``"email:ana@example.org"``, ``"console:local"``: channel and native
address in one text, which is also where a reply goes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Literal

# what is known is found here too, beside what is said and done with it
from bot.core.knowledge import Answer as Answer
from bot.core.knowledge import Format as Format
from bot.core.knowledge import FormatNames as FormatNames
from bot.core.knowledge import Kind as Kind
from bot.core.knowledge import Knowledge as Knowledge
from bot.core.knowledge import Sheet as Sheet
from bot.core.knowledge import Topic as Topic
from bot.core.knowledge import Utterances as Utterances
from bot.core.knowledge import Words as Words

# ---------------------------------------------------------------- messages


class Intent(StrEnum):
    """What a message is by its form alone, before its words are understood."""

    TEXT = "text"
    PRESS = "press"  # a button: ``Message.press`` holds its code
    COMMAND = "command"  # /horaires: ``Message.command`` holds "horaires"
    MEDIA = "media"  # a photo, a document, a voice note: passed on, never opened
    EDIT = "edit"  # an earlier message, changed
    SENT = "sent"  # a mail that the trainer wrote by hand, found in the Sent folder
    BOUNCE = "bounce"  # a mail of ours that could not be delivered: ``about`` is the escalation that it belonged to


@dataclass(frozen=True, slots=True)
class Message:
    """Something that a person sent us. ``id`` is made of the channel and its native id: a redelivery is harmless.

    ``reply_to`` is the native id of the message that this one answers, where the channel tells; ``text`` is what
    the sender wrote this time (no quote, no signature); ``whole`` the same with greeting and signature, where the two differ.
    ``about``: the escalation whose token it carries, good for answer number ``use``. ``no_reply``: why no automatic answer may
    go to its sender; a person reads it. ``confirmed``: it answers a text that we sent to its sender, so it is theirs for
    certain. ``loop``: why it is over the caps of automatic mail: it joins the digest. ``unproven``: why a mail may be another's
    than its From says, where proof is asked for; ``vouched``: whether there is proof. ``bulk``: it bears a bulk sender's
    mark, and counts only from a person who is known.
    """

    id: str
    channel: str
    sender: str  # person, "telegram:4242"
    chat: str  # where to answer, "telegram:4242" or a group's "telegram:-100123"
    text: str
    received_at: datetime
    intent: Intent = Intent.TEXT
    name: str = ""  # how the sender calls themselves, for the trainer
    press: str = ""
    command: str = ""
    native_id: str = ""  # the channel's own id of this message
    reply_to: str = ""
    quoted: str = ""  # what it answers, where that is a text of ours and the channel shows it
    subject: str | None = None
    media: str = ""  # "photo", "document plan.pdf", "voice"
    group: bool = False
    thread: Mapping[str, Any] = field(default_factory=dict)  # what a channel needs to answer in the thread
    whole: str = ""
    about: int | None = None
    use: int = 0
    no_reply: str = ""
    confirmed: bool = False
    loop: str = ""
    unproven: str = ""
    vouched: bool = False
    bulk: bool = False


@dataclass(frozen=True, slots=True)
class Ignored:
    """An input that asks for no answer, with the reason why."""

    reason: str


# ---------------------------------------------------------------- understanding


@dataclass(frozen=True, slots=True)
class Match:
    """A class that a text may belong to, with the evidence kept."""

    id: str  # topic or utterance class
    score: float  # calibrated probability, 0 to 1
    lexical: float = 0.0
    semantic: float = 0.0
    phrase: str = ""  # the nearest phrase of that class


@dataclass(frozen=True, slots=True)
class Question:
    """One part of a message that stands for itself, and what it may be about, best first."""

    text: str
    normal: str
    matches: tuple[Match, ...] = ()


@dataclass(frozen=True, slots=True)
class Reading:
    """What was understood of a whole message.

    topics: knowledge topics asked about, in the order of asking. labels: the other classes recognised ("request",
    "unknown", "handoff", "offtopic", small talk). options: topics among which the bot asks which is meant (at most
    three; none of them in ``topics``). format: said by the message about the writer's own course; aside: a format
    that holds for this message alone ("et pour ma collègue à distance ?"). escalate, private: must reach the trainer,
    through the disability contact alone. unanswered: the parts that go to the trainer. follow_up: read in its context.
    """

    topics: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    options: tuple[str, ...] = ()
    format: Format | None = None
    aside: Format | None = None
    escalate: bool = False
    private: bool = False
    unanswered: tuple[str, ...] = ()
    follow_up: bool = False
    health: bool = False  # a word of health stands in it: private as soon as any of it is passed on
    questions: tuple[Question, ...] = ()


# ---------------------------------------------------------------- conversation


@dataclass(frozen=True, slots=True)
class Turn:
    """One utterance of a conversation, for the trainer and for follow-ups."""

    speaker: Literal["learner", "bot", "trainer"]
    text: str
    at: datetime
    private: bool = False  # a health matter: shown to the disability contact alone


@dataclass(frozen=True, slots=True)
class Linking:
    """A mail address that a person says is theirs, until they have shown it by the code that was sent there.

    sent: how many codes were asked for since ``since``; tries: how often a wrong one was given.
    """

    address: str
    code: str
    until: datetime
    since: datetime
    sent: int = 1
    tries: int = 0


@dataclass(frozen=True, slots=True)
class Dialogue:
    """What is remembered of a person's conversation. The context expires; the format stays.

    topics: what the last answer was about. labels: the labels of the last reading. asked: what the bot asked last
    ("format", "topic" or ""), options: the topics offered, escalations: references of those still open.
    """

    person: str
    format: Format | None = None
    topics: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    asked: str = ""
    options: tuple[str, ...] = ()
    turns: tuple[Turn, ...] = ()
    introduced: bool = False
    expires_at: datetime | None = None
    pressed: str = ""  # the last button, where nothing was said since: a double tap is one press
    linking: Linking | None = None


@dataclass(frozen=True, slots=True)
class Choice:
    """A button: what it shows and the code that comes back when it is pressed."""

    label: str
    code: str


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A text that a person will read. ``key`` is unique: the same key is never sent twice.

    body: plain text, one paragraph a line, typography set. not_before: when it is due (None: at once).
    about: the escalation that it belongs to. cancels_with: dropped unsent when the escalation is no longer open
    (a nudge). reply_to: the native id that it answers. kind: for reports ("reply", "notice", "relay", "nudge",
    "alert"; "mark" is no text but flags on a mail). private: its words are shown to nobody but its addressee.
    language: of the body, for the words that a channel puts around it.
    fallback: addresses that are tried when ``to`` cannot be reached for good. then: queued once this one was delivered.
    """

    key: str
    to: str
    body: str
    kind: str = "reply"
    choices: tuple[tuple[Choice, ...], ...] = ()
    not_before: datetime | None = None
    about: int | None = None
    cancels_with: int | None = None
    reply_to: str = ""
    private: bool = False
    fallback: tuple[str, ...] = ()
    subject: str | None = None
    thread: Mapping[str, Any] = field(default_factory=dict)
    then: tuple[Outgoing, ...] = ()
    language: str = "fr"


class Status(StrEnum):
    """open → claimed → answered → closed; claimed may be skipped, closed is final."""

    OPEN = "open"
    CLAIMED = "claimed"
    ANSWERED = "answered"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened to an escalation: asked, added, claimed, answered, corrected, closed, nudged, refused."""

    kind: str
    actor: str
    text: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Escalation:
    """What goes to the trainer. ``id`` is reserved from the store beforehand; the reference shown is ``#A<id>``.

    recipients: the persons who may see and answer it ("telegram:1", "email:trainer@example.org").
    reason: "request", "handoff", "unknown", "silent", "not-it", "media", "fault", "unanswerable" (a mail that no program
    may answer), "forged" (a mail in a trainer's name that nothing proves), "digest" (mails over the caps, of one sender or,
    where ``chat`` is "", of several), "flood" (very many messages at once), "draft" (an answer that waits for the trainer to
    send it). near: nearest topics.
    """

    id: int
    learner: str
    chat: str
    name: str
    questions: tuple[str, ...]
    conversation: tuple[Turn, ...]
    reason: str
    near: tuple[str, ...]
    private: bool
    status: Status
    recipients: tuple[str, ...]
    opened_at: datetime
    claimed_by: str = ""
    answered_by: str = ""
    answered_at: datetime | None = None
    closed_at: datetime | None = None
    thread: Mapping[str, Any] = field(default_factory=dict)
    events: tuple[Event, ...] = ()
    format: Format | None = None  # the learner's, where known when it was opened
    language: str = ""  # in which the learner wrote last; "": as its questions tell

    @property
    def reference(self) -> str:
        return f"#A{self.id}"


End = Literal["answered", "escalated", "ignored"]


@dataclass(frozen=True, slots=True)
class Outcome:
    """All that one input changes, as a value; the store commits it as one transaction with the inbox row.

    end: in which of the three ends the input ended, with ``reason`` where it was ignored.
    escalations: new ones and changed ones alike, whole; the store writes each by its id.
    message, decision: id of the message and digest of what was decided on it; an edited message is answered again only
    if its decision differs. forget: persons whose data is erased in the same transaction. links: (address, person) pairs:
    what comes from the address is that person's from now on. traces: (name, time) pairs, by which loops are told.
    returned: native ids of texts that were sent and came back.
    """

    end: End
    reason: str = ""
    decision: str = ""
    message: str = ""
    dialogue: Dialogue | None = None
    outgoing: tuple[Outgoing, ...] = ()
    escalations: tuple[Escalation, ...] = ()
    forget: tuple[str, ...] = ()
    links: tuple[tuple[str, str], ...] = ()
    traces: tuple[tuple[str, datetime], ...] = ()
    returned: tuple[str, ...] = ()
