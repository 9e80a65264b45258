"""Very many messages of one person at once: one word to them, one notice to the trainer, the rest kept to be read. Pure.

By mail the caps of ``loops`` come first, and what is over them goes into the digest: a word that says "too many mails" might
be answered by a program. Of mails over the caps, those that not even a person could read stay in the mailbox, unread and
flagged.
"""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta

from bot.core import escalation, flags
from bot.core.compose import say, typeset
from bot.core.language import conversation_language
from bot.core.marks import key, words_of
from bot.core.model import Dialogue, Escalation, Intent, Knowledge, Message, Outcome, Outgoing, Reading
from bot.core.passing_on import open_escalation
from bot.core.situation import Situation
from bot.core.text import plain

# inputs of one person; people who write in haste send six short ones in a minute
CAPS = ((timedelta(minutes=1), 12), (timedelta(hours=1), 120))
KEPT = 30  # messages of a flood that a person is shown; a call for help is kept beyond them
MAILED = (timedelta(hours=1), 60)  # mails of one sender that are answered or gathered in the digest
BEYOND = "one of very many messages at once"  # the reason of those that are counted, no more


def flooded(message: Message, situation: Situation) -> Outcome:
    """What becomes of a message above the caps: never answered, and read by a person as long as a person could."""
    s = replace(situation, language=conversation_language(message, situation.dialogue))
    s = replace(s, dialogue=s.dialogue or Dialogue(message.sender))
    if message.intent is Intent.PRESS:
        return Outcome("ignored", BEYOND)
    floods = [e for e in s.open_escalations if e.reason == "flood"]
    if sum(1 + len(e.events) for e in floods) >= KEPT and not _names_health(s.knowledge, words_of(message)):
        return Outcome("ignored", BEYOND, message=message.id)
    read = s.reader.read(words_of(message), None, Dialogue(message.sender))
    reading = Reading(labels=("unknown",), escalate=True, private=read.private or read.health, health=read.health)
    mine = next((e for e in floods if e.private == reading.private), None)
    if mine is not None:  # told once: no notice of its own
        more = escalation.added(s.knowledge, mine, words_of(message), s.now, key(message))
        return replace(more, message=message.id, outgoing=())
    opened = open_escalation(message, s, reading, "flood")
    told = escalation.opened(s.knowledge, opened, s.desk, comforts=False)
    word = () if floods else _word(message, s, opened)
    return Outcome("escalated", message=message.id, outgoing=(*word, *told), escalations=(opened,))


def uncounted(message: Message, knowledge: Knowledge) -> Outcome | None:
    """What becomes of a mail over the caps when so many of its sender were looked into; None for a call for help."""
    if _names_health(knowledge, words_of(message)):
        return None
    return Outcome("ignored", BEYOND, message=message.id, outgoing=flags.passed_on(message.thread, key(message)))


def _word(message: Message, s: Situation, opened: Escalation) -> tuple[Outgoing, ...]:
    """Once for a flood, and not in a group."""
    if message.group:
        return ()
    body = typeset(s.spoken, say(s.spoken, "flood", reference=opened.reference))
    return (Outgoing(f"esc:{opened.id}:flood", message.chat, body, language=s.spoken.language),)


def _names_health(knowledge: Knowledge, words: str) -> bool:
    """Cheaply: a flood is not understood message by message. The words are stems, as in ``words.yaml``."""
    said = plain(words)
    return any(re.search(rf"\b{re.escape(plain(stem))}", said) for stem in knowledge.words.health)
