"""When automatic mail stops: caps and repeated words, by which two programs that answer each other fall silent. Pure.

A *trace* is a name with a time: what was heard, what was answered, to whom, in which thread. The store keeps traces as keyed
hashes, and counts them. Sources: RFC 3834 (section 2), and the limits of Zammad, FreeScout and qmail-autoresponder.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from bot.core.model import Intent, Message, Outcome
from bot.core.text import plain

Traces = Mapping[str, Sequence[datetime]]

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
# how many mails of one kind are answered, or passed on one by one, in a time; more go into the digest
CAPS: Mapping[str, tuple[tuple[timedelta, int], ...]] = {
    "thread": ((timedelta(minutes=10), 2), (HOUR, 3), (DAY, 8)),
    "sender": ((HOUR, 3), (DAY, 10)),
    "domain": ((HOUR, 20), (DAY, 60)),  # a class that writes on one morning stays below it
    "all": ((HOUR, 60), (DAY, 300)),
}
REUSED = "its Message-ID was that of another mail"  # a reason to answer nothing
CROWD = "email:*"  # whose a digest is: nobody's address
SHORT = 12  # characters that anybody may say twice
TO_SENDER = ("thread", "sender")  # counted where the sender hears of us; the others also where the trainer does
# where everybody has their own mailbox: the domain says nothing of who they are
PUBLIC = frozenset(
    "gmail.com googlemail.com msn.com ymail.com rocketmail.com icloud.com me.com mac.com aol.com mail.com zoho.com hey.com"
    " orange.fr wanadoo.fr free.fr sfr.fr neuf.fr cegetel.net club-internet.fr numericable.fr noos.fr aliceadsl.fr bbox.fr"
    " laposte.net proton.me protonmail.com protonmail.ch pm.me tutanota.com tuta.io posteo.net posteo.de mailo.com"
    " netcourrier.com web.de t-online.de freenet.de bluewin.ch skynet.be telenet.be libero.it videotron.ca".split()
)
PUBLIC_NAMES = frozenset("hotmail outlook live yahoo gmx yandex".split())  # under any ending
_SECOND = frozenset("co com org net edu ac gov gouv asso".split())  # "example.co.uk", "example.asso.fr"


def sender_of(chat: str) -> str:
    """The mailbox behind an address: what stands after a plus is made up at will."""
    local, _, domain = chat.lower().rpartition("@")
    return f"{local.partition('+')[0]}@{domain}"


def domain_of(chat: str) -> str:
    """The registered domain of an address, "" for a public mail provider's and for what has none."""
    labels = chat.lower().rpartition("@")[2].split(".") if "@" in chat else []
    registered = labels[-3:] if len(labels) > 2 and labels[-2] in _SECOND else labels[-2:]
    domain = ".".join(registered)
    return "" if domain in PUBLIC or PUBLIC_NAMES & set(registered[:1]) else domain


def thread_of(message: Message) -> str:
    """The first mail of a thread, as its References name it, or In-Reply-To where it has none."""
    above = (*message.thread.get("references", ()), *reversed(message.thread.get("answers", ())))
    return str(next(iter(above), "") or message.thread.get("message_id", ""))


def names(message: Message) -> tuple[str, ...]:
    """What is to be counted before a mail is answered."""
    return (*_answers(message).values(), *_words(message))


def over(message: Message, traces: Traces, now: datetime) -> str:
    """Why a mail is not answered any more, "" where it may be."""
    if any(at > now - HOUR for name in _words(message) for at in traces.get(name, ())):
        return "the same words again within the hour"
    for scope, name in _answers(message).items():
        for span, most in CAPS[scope]:
            if sum(at > now - span for at in traces.get(name, ())) >= most:
                return f"too many automatic answers ({scope})"
    return ""


def left(message: Message, outcome: Outcome, now: datetime, *, command: bool) -> tuple[tuple[str, datetime], ...]:
    """The traces that a mail leaves, and those of what was made of it. command: a trainer's, of which only words count."""
    if message.intent in (Intent.SENT, Intent.BOUNCE):
        return ()
    kept = [identity(message), *_words(message)]
    heard = any(row.to == message.chat and row.kind != "mark" for row in outcome.outgoing)
    if outcome.end != "ignored" and not message.loop:
        kept += [name for scope, name in _answers(message).items() if heard or not (command or scope in TO_SENDER)]
    return tuple((name, now) for name in kept if name)


def identity(message: Message) -> str:
    """The trace of a Message-ID: a second mail that bears it is told by it."""
    return f"id:{message.native_id}" if message.native_id and message.intent not in (Intent.SENT, Intent.BOUNCE) else ""


def _answers(message: Message) -> dict[str, str]:
    whose = {
        "thread": thread_of(message),
        "sender": sender_of(message.chat) if "@" in message.chat else "",
        "domain": domain_of(message.chat),
        "all": "mail",
    }
    return {scope: f"{scope}:{value}" for scope, value in whose.items() if value}


def _words(message: Message) -> tuple[str, ...]:
    said = plain(message.whole or message.text)
    if len(said) < SHORT or message.intent is Intent.COMMAND:  # "merci" and a command that is confirmed are no loop
        return ()
    words = hashlib.sha256(said.encode()).hexdigest()[:32]
    return tuple(f"said:{name}:{words}" for scope, name in _answers(message).items() if scope in TO_SENDER)
