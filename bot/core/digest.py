"""Mails over the caps: one escalation gathers them all, and the trainer is told of it once, then once a day. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from bot.core import escalation, flags
from bot.core.compose import in_parts, say
from bot.core.loops import CROWD
from bot.core.marks import key, words_of
from bot.core.model import Escalation, Event, Knowledge, Message, Outcome, Outgoing, Status
from bot.core.situation import Situation

TOLD = "told"  # the event of a notice
LINES = 15  # senders named in one notice
WORDS = 120  # characters of a mail that are shown; all of it lies in the mailbox
FULL = 1000  # mails in one digest; each change writes it anew


def gathered(message: Message, s: Situation, *, private: bool) -> Outcome:
    """A mail joins the open digest, or opens one."""
    known = next((d for d in reversed(s.digests) if d.private == private and len(d.events) < FULL), None)
    if known is None:
        return _opened(message, s, private)
    chat = known.chat if known.chat == message.chat else ""
    thread = flags.joined(known.thread, message.thread)
    events = (*known.events, _heard(message, s.now))
    changed = replace(known, chat=chat, thread=thread, events=events)
    rows: tuple[Outgoing, ...] = ()
    if s.now - _last_told(known) >= s.desk.nudge_after:
        changed, rows = _told(changed, message, s)
    return _outcome(message, changed, rows)


def _opened(message: Message, s: Situation, private: bool) -> Outcome:
    opened = Escalation(
        id=s.next_id,
        learner=CROWD,
        chat=message.chat,
        name="",
        questions=(_heard(message, s.now).text,),
        conversation=(),
        reason="digest",
        near=(),
        private=private,
        status=Status.OPEN,
        recipients=s.desk.recipients(private),
        opened_at=s.now,
        thread=message.thread,
        events=(_heard(message, s.now),),
        language=s.language,
    )
    changed, rows = _told(opened, message, s)
    return _outcome(message, changed, (*rows, *escalation.recalled(s.knowledge, opened, s.desk, "nudge_digest")))


def _outcome(message: Message, changed: Escalation, rows: Sequence[Outgoing]) -> Outcome:
    marked = flags.passed_on(message.thread, key(message))
    return Outcome("escalated", message=message.id, escalations=(changed,), outgoing=(*rows, *marked))


def _heard(message: Message, now: datetime) -> Event:
    words = " ".join(words_of(message).split())
    return Event("added", message.chat, words if len(words) <= WORDS else words[: WORDS - 1].rstrip() + "…", now)


def _last_told(digest: Escalation) -> datetime:
    return next((e.at for e in reversed(digest.events) if e.kind == TOLD), digest.opened_at)


def _told(digest: Escalation, message: Message, s: Situation) -> tuple[Escalation, tuple[Outgoing, ...]]:
    """A notice of what came since the last one."""
    since = max((n for n, e in enumerate(digest.events) if e.kind == TOLD), default=-1)
    body = say(
        s.knowledge,
        "notice_digest",
        reference=digest.reference,
        why=say(s.knowledge, "why_repeated" if message.loop.startswith("the same words") else "why_many"),
        mails=_listed(s.knowledge, digest.events[since + 1 :]),
    )
    subject = say(s.knowledge, "digest_subject", reference=digest.reference)
    rows = escalation.announced(s.knowledge, digest, key(message), body, subject)
    return replace(digest, events=(*digest.events, Event(TOLD, "", "", s.now))), tuple(p for row in rows for p in in_parts(row))


def _listed(knowledge: Knowledge, events: Sequence[Event]) -> str:
    """One line for each sender: how many mails, and how the first of them begins."""
    counts = Counter(e.actor for e in events)
    first = {e.actor: e.text for e in reversed(events)}
    lines = [
        f"- {who.partition(':')[2]}" + (f" ({counts[who]})" if counts[who] > 1 else "") + f" : « {first[who]} »"
        for who in list(dict.fromkeys(e.actor for e in events))[:LINES]
    ]
    more = len(counts) - LINES
    return "\n".join(lines + ([say(knowledge, "digest_more", count=more)] if more > 0 else []))
