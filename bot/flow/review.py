"""A message of a person who may review: is it a command on an escalation, and on which."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import datetime
from typing import Literal

from bot.core.compose import in_parts, say
from bot.core.desk import Desk
from bot.core.escalation import Command, by_hand, outworn, review
from bot.core.flags import answers, passed_on
from bot.core.model import Escalation, Intent, Knowledge, Message, Outcome, Outgoing
from bot.core.ports import Store
from bot.flow.notice import alert

_REFERENCE = re.compile(r"^\s*#A(\d{1,12})\b[\s:—-]*", re.I)
_QUOTED = re.compile(r"#A(\d{1,12})\b")
_CLOSE = re.compile(r"\s*(?:clore|clos|clôturer|fermer)\s*[.!]?\s*(?:\n|$)", re.I)
_PRESS = re.compile(r"e:(claim|close|near):(\d{1,12})")


async def reviewed(message: Message, store: Store, knowledge: Knowledge, desk: Desk, now: datetime) -> Outcome | None:
    """What the reviewer's message does; None where it is no review: then they are a learner like any other."""
    if message.channel == "email":
        return await _mailed(message, store, knowledge, desk, now)
    if message.group or message.intent is Intent.COMMAND:
        return None
    if message.intent is Intent.PRESS:
        return await _pressed(message, store, knowledge, now)
    escalation, text = await _meant(message, store)
    if escalation is not None and message.sender in escalation.recipients:
        if message.intent is Intent.MEDIA:
            return _word(message, say(knowledge, "refused_media", reference=escalation.reference))
        key = f"{message.id}:{hash_of(text)}" if message.intent is Intent.EDIT else message.id
        return review(knowledge, escalation, Command("answer", message.sender, key, text, message.name), now)
    named = _REFERENCE.match(message.text)
    if named:  # what was meant for a learner must not be read as the trainer's own question
        return _word(message, say(knowledge, "refused_unknown", reference=f"#A{named[1]}"))
    waiting = [e.reference for e in await store.escalations() if message.sender in e.recipients]
    if waiting and message.intent is Intent.TEXT:
        # a trainer who forgot to press "reply" must not believe that the learner has the answer
        return _word(message, say(knowledge, "how_to_reply", references=", ".join(waiting[-8:])))
    return None


async def _mailed(message: Message, store: Store, knowledge: Knowledge, desk: Desk, now: datetime) -> Outcome | None:
    """By mail anybody can write under any name: only the token of a notice makes a command of it."""
    escalation = await store.escalation(message.about) if message.about is not None else None
    if message.about is not None and message.no_reply:  # an absence notice is no answer
        return Outcome("ignored", f"no answer to pass on: {message.no_reply}")
    if escalation is not None and message.sender in escalation.recipients:
        return _commanded(message, escalation, knowledge, now)
    if message.about is not None:
        return _refused(message, _word(message, say(knowledge, "refused_unknown", reference=f"#A{message.about}")))
    if message.no_reply:
        return None
    if message.sender == desk.mailbox:
        return Outcome("ignored", "written by the trainer themselves")
    waiting = [e.reference for e in await store.escalations() if message.sender in e.recipients]
    if waiting and message.reply_to:
        return _word(message, say(knowledge, "how_to_reply", references=", ".join(waiting[-8:])))
    return None


def _commanded(message: Message, escalation: Escalation, knowledge: Knowledge, now: datetime) -> Outcome:
    text = message.whole or message.text
    verb: Literal["close", "answer"] = "close" if _CLOSE.match(text) else "answer"
    command = Command(verb, message.sender, message.id, text, message.name)
    outcome = None if message.vouched else outworn(knowledge, escalation, command, message.use, now)
    outcome = outcome or review(knowledge, escalation, command, now)
    if message.media:
        word = _word(message, say(knowledge, "refused_media", reference=escalation.reference))
        outcome = replace(outcome, outgoing=(*outcome.outgoing, *word.outgoing))
    return outcome if outcome.escalations or outcome.end == "ignored" else _refused(message, outcome)


def _refused(message: Message, word: Outcome) -> Outcome:
    """What was not carried out stays for a person to see, in the mailbox too."""
    return replace(word, end="escalated", outgoing=(*word.outgoing, *passed_on(message.thread, message.id)))


async def found_in_sent(message: Message, store: Store, knowledge: Knowledge, desk: Desk, now: datetime) -> Outcome:
    """A mail that the trainer wrote in the contact mailbox itself: it answers a notice, or a learner's mail.

    One that was sent on to somebody else answers nobody, whatever it refers to.
    """
    to = frozenset(f"email:{address}" for address in message.thread.get("to", ()))
    if message.about is not None:
        told = await store.escalation(message.about)
        if told is not None and desk.mailbox in to and message.sender in told.recipients:
            return _commanded(message, told, knowledge, now)
        return Outcome("ignored", "a notice sent on to somebody else")
    waiting = [e for e in await store.escalations(limit=2000) if e.chat in to]
    for id in message.thread.get("answers", ()):  # what it answers first, then what stands above that in the thread
        known = next((e for e in reversed(waiting) if answers(e.thread, frozenset({str(id)}))), None)
        if known is not None:
            return by_hand(knowledge, known, message.sender, message.whole or message.text, now)
    return Outcome("ignored", "answers nothing that waits")


async def bounced(message: Message, store: Store, knowledge: Knowledge, desk: Desk) -> Outcome:
    """A mail of ours came back: whoever waits for its effect must know."""
    told = await store.escalation(message.about) if message.about else None
    values = {"kind": "mail", "reference": told.reference if told else "", "why": "courriel revenu"}
    also = tuple(to for to in (told.recipients if told else ()) if not to.startswith("email:"))
    # by the mail that came back: a second report of it is no news
    rows = alert(knowledge, desk, f"bounce:{message.reply_to}", "alert_undelivered", also=also, **values)
    back = (message.reply_to,)
    return Outcome("escalated", outgoing=(*rows, *passed_on(message.thread, message.id)), returned=back)


async def _pressed(message: Message, store: Store, knowledge: Knowledge, now: datetime) -> Outcome | None:
    pressed = _PRESS.fullmatch(message.press)
    if pressed is None:
        return None
    escalation = await store.escalation(int(pressed[2]))
    if escalation is None or message.sender not in escalation.recipients:
        return Outcome("ignored", "a button of an escalation that is not theirs")
    verb = pressed[1]
    assert verb in ("claim", "close", "near")
    return review(knowledge, escalation, Command(verb, message.sender, message.id, "", message.name), now)  # type: ignore[arg-type]


async def _meant(message: Message, store: Store) -> tuple[Escalation | None, str]:
    """The escalation that a reply, or a reference at its beginning, names; and the text without the reference."""
    named = _REFERENCE.match(message.text)
    if named:
        return await store.escalation(int(named[1])), message.text[named.end() :]
    sent = await store.find_sent(message.chat, message.reply_to) if message.reply_to else None
    if sent is not None and sent.about is not None:
        return await store.escalation(sent.about), message.text
    # answered faster than we noted what we sent: the notice itself still says which it is
    quoted = _QUOTED.search(message.quoted)
    return (await store.escalation(int(quoted[1])) if quoted else None), message.text


def hash_of(text: str) -> str:
    """Tells one edit of a message from the next."""
    from hashlib import sha256

    return sha256(text.encode("utf-8", "replace")).hexdigest()[:8]


def _word(message: Message, body: str) -> Outcome:
    row = Outgoing(f"{message.id}:word", message.chat, body, kind="notice", thread=message.thread)
    return Outcome("answered", outgoing=in_parts(row))
