"""What goes to the trainer, and what the trainer does with it. Pure: a command in, an Outcome out.

open ──claim──▶ claimed ──answer──▶ answered ──(retention)──▶ closed
  └────answer──────────────────────▶ answered
  └────close──────────────────────────────────────────────────▶ closed
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal

from bot.core import flags
from bot.core.compose import answer_text, in_parts, say, typeset, variants_text
from bot.core.desk import Desk
from bot.core.language import escalation_language
from bot.core.model import (
    Choice,
    Escalation,
    Event,
    Format,
    Intent,
    Knowledge,
    Message,
    Outcome,
    Outgoing,
    Status,
    Turn,
)

OPEN = (Status.OPEN, Status.CLAIMED)
REASONS = (
    *("request", "handoff", "unknown", "silent", "not-it", "media", "fault", "unanswerable", "forged", "digest"),
    *("draft", "flood"),
)

TOKEN_VALID = timedelta(days=90)  # from the notice to the answer by mail, and from the answer to its correction
UNHEARD = ("unanswerable", "forged", "digest")  # whose senders hear nothing that no person wrote


@dataclass(frozen=True, slots=True)
class Command:
    """What a trainer wants done. ``key`` identifies the command: a double tap is one command."""

    verb: Literal["claim", "close", "near", "answer"]
    actor: str
    key: str
    text: str = ""
    name: str = ""


def opened(knowledge: Knowledge, escalation: Escalation, desk: Desk, *, comforts: bool = True) -> tuple[Outgoing, ...]:
    """The notices to all who may answer, and the reminders that are due if nobody does.

    comforts: whether the learner then hears that they are not forgotten; once is enough for all that they wait for.
    """
    rows: list[Outgoing] = []
    for n, to in enumerate(_told(escalation)):
        if to == desk.mailbox and escalation.thread.get("marks"):
            continue  # the mail itself lies there, flagged
        rows += in_parts(_notice(knowledge, escalation, to, n))
    rows += recalled(knowledge, escalation, desk, "nudge")
    if comforts and escalation.reason not in UNHEARD and not desk.drafted(escalation.chat.partition(":")[0]):
        spoken = _spoken(knowledge, escalation)
        comfort = say(spoken, "not_forgotten", reference=escalation.reference)
        due = escalation.opened_at + desk.nudge_after
        row = _about(escalation, f"esc:{escalation.id}:comfort", escalation.chat, comfort, kind="comfort", not_before=due)
        rows.append(replace(row, thread=escalation.thread, language=spoken.language))
    return tuple(rows)


def draft_recalled(knowledge: Knowledge, escalation: Escalation, desk: Desk) -> tuple[Outgoing, ...]:
    """The reminder of an answer that waits among the drafts, due if nobody sends it."""
    return tuple(recalled(knowledge, escalation, desk, "nudge_draft"))


def announced(knowledge: Knowledge, escalation: Escalation, key: str, body: str, subject: str) -> list[Outgoing]:
    """A notice in words of its own to all who are told, and how to close it. key: of the input that caused it."""
    rows = []
    for n, to in enumerate(_told(escalation)):
        mailed = to.startswith("email:")
        said = f"{body}\n\n{say(knowledge, 'digest_how_mail')}" if mailed else body
        row = _about(escalation, f"esc:{escalation.id}:notice:{n}:{key}", to, said, cancel=False)
        close = Choice(say(knowledge, "close_button"), f"e:close:{escalation.id}")
        rows.append(replace(row, subject=subject, choices=() if mailed else ((close,),)))
    return rows


def recalled(knowledge: Knowledge, escalation: Escalation, desk: Desk, line: str) -> list[Outgoing]:
    """The reminders that are due if nobody does anything. line: of the voice."""
    due = escalation.opened_at + desk.nudge_after
    hours = max(1, round(desk.nudge_after.total_seconds() / 3600))
    body = say(knowledge, line, reference=escalation.reference, name=_name(escalation), hours=hours)
    subject = say(knowledge, "nudge_subject", reference=escalation.reference)
    rows = []
    for n, to in enumerate(_told(escalation)):
        row = _about(escalation, f"esc:{escalation.id}:nudge:{n}", to, body, kind="nudge", not_before=due)
        rows.append(replace(row, subject=subject, thread={"under": f"esc:{escalation.id}:notice:{n}"}))
    return rows


def added(knowledge: Knowledge, escalation: Escalation, words: str, now: datetime, key: str, mailbox: str = "") -> Outcome:
    """The learner's further words join an escalation that is still open."""
    event = Event("added", escalation.learner, words, now)
    changed = replace(escalation, events=(*escalation.events, event))
    body = say(knowledge, "notice_added", reference=escalation.reference, name=_name(escalation), words=words)
    rows = [
        part
        for n, to in enumerate(_told(escalation))
        if not (to == mailbox and escalation.thread.get("marks"))
        for part in in_parts(
            replace(
                _about(escalation, f"{key}:added:{n}", to, body, cancel=False),
                thread={"under": f"esc:{escalation.id}:notice:{n}"},
            )
        )
    ]
    return Outcome("escalated", escalations=(changed,), outgoing=tuple(rows))


def copies(message: Message, escalation: Escalation) -> tuple[Outgoing, ...]:
    """A photo, a document, a voice note follows the notice as it is; it is never opened."""
    if message.intent is not Intent.MEDIA or not message.native_id or message.channel == "email":
        return ()
    thread = {"copy": {"chat": message.chat, "message": message.native_id}}
    return tuple(
        Outgoing(f"{message.id}:media:{n}", to, message.media, "notice", about=escalation.id, private=True, thread=thread)
        for n, to in enumerate(_told(escalation))
        if to.startswith(message.channel + ":")
    )


def review(knowledge: Knowledge, escalation: Escalation, command: Command, now: datetime) -> Outcome:
    """One command of a person who may give it; a refusal is a word to that person, never a silence."""
    if escalation.status is Status.CLOSED:
        return _word(knowledge, escalation, command, "refused_closed")
    if command.verb == "answer":
        return _answer(knowledge, escalation, command, now)
    if escalation.status is Status.ANSWERED:
        line = "refused_done" if escalation.answered_by == command.actor else "refused_answered"
        return _word(knowledge, escalation, command, line)
    if command.verb == "claim":
        return _claim(knowledge, escalation, command, now)
    if command.verb == "near":
        return _answer(knowledge, escalation, replace(command, text=_nearest(knowledge, escalation)), now)
    changed = _after(escalation, "closed", command, now, status=Status.CLOSED, closed_at=now)
    done = _word(knowledge, changed, command, "closed", changed=True)
    return replace(done, outgoing=(*done.outgoing, *flags.closed(escalation.thread, f"esc:{escalation.id}")))


def uses(escalation: Escalation) -> int:
    """How many answers it had: the token for the next bears this number."""
    return sum(e.kind in ("answered", "corrected") for e in escalation.events)


def outworn(knowledge: Knowledge, escalation: Escalation, command: Command, use: int, now: datetime) -> Outcome | None:
    """The refusal of a mail whose token was used before, or is too old; None where it is good.

    A token that was seen once may be in anybody's hands. The word about it goes to the trainer, with the token for a
    correction: whoever wrote in their name does not get it.
    """
    if escalation.status is Status.CLOSED or (escalation.answered_by and escalation.answered_by != command.actor):
        return None  # refused with words of their own
    if now - (escalation.answered_at or escalation.opened_at) > TOKEN_VALID:
        return _word(knowledge, escalation, command, "refused_expired")
    if use == uses(escalation) or _said_before(escalation, command):
        return None
    refused = _word(knowledge, escalation, command, "refused_used")
    fresh = {"use": uses(escalation)}
    subject = say(knowledge, "correction_subject", reference=escalation.reference)
    return replace(refused, outgoing=tuple(replace(row, thread=fresh, subject=subject) for row in refused.outgoing))


def _said_before(escalation: Escalation, command: Command) -> bool:
    said = [e.text for e in escalation.events if e.kind in ("answered", "corrected")]
    return bool(said) and said[-1].strip() == command.text.strip()


def by_hand(knowledge: Knowledge, escalation: Escalation, actor: str, text: str, now: datetime) -> Outcome:
    """The trainer wrote to the learner from the contact mailbox itself: nothing is left to send."""
    command = Command("answer", actor, f"hand:{escalation.id}", text)
    changed = _after(escalation, "answered", command, now, status=Status.ANSWERED, answered_by=actor, answered_at=now)
    told = () if escalation.reason == "draft" else _others(knowledge, changed, command, "answered_by_hand")
    return Outcome(
        "answered", escalations=(changed,), outgoing=(*told, *flags.answered(escalation.thread, f"esc:{escalation.id}"))
    )


def listing(escalation: Escalation) -> str:
    """The learner's words for a list that anybody at the terminal may read: none, where the matter is private."""
    return "(réservé au référent handicap)" if escalation.private else " / ".join(escalation.questions)


def _claim(knowledge: Knowledge, escalation: Escalation, command: Command, now: datetime) -> Outcome:
    if escalation.claimed_by and escalation.claimed_by != command.actor:
        return _word(knowledge, escalation, command, "claimed_by_other", other="quelqu'un d'autre")
    if escalation.claimed_by == command.actor:
        return _word(knowledge, escalation, command, "claimed")
    changed = _after(escalation, "claimed", command, now, status=Status.CLAIMED, claimed_by=command.actor)
    told = _others(knowledge, changed, command, "claimed_by_other")
    mine = _word(knowledge, changed, command, "claimed", changed=True)
    return replace(mine, outgoing=(*mine.outgoing, *told))


def _answer(knowledge: Knowledge, escalation: Escalation, command: Command, now: datetime) -> Outcome:
    if not command.text.strip():
        return _word(knowledge, escalation, command, "refused_empty")
    if not escalation.chat:
        return _word(knowledge, escalation, command, "refused_digest")
    correction = escalation.status is Status.ANSWERED
    if correction and escalation.answered_by != command.actor:
        return _word(knowledge, escalation, command, "refused_answered")
    if correction and _said_before(escalation, command):
        return Outcome("ignored", "the same answer again")
    kind = "corrected" if correction else "answered"
    changed = _after(escalation, kind, command, now, status=Status.ANSWERED, answered_by=command.actor, answered_at=now)
    relay = _relay(knowledge, changed, command, correction)
    told = () if correction else _others(knowledge, changed, command, "answered_by_other")
    mine = _word(knowledge, changed, command, kind, changed=True)
    return replace(mine, outgoing=(*relay, *mine.outgoing, *told))


def _relay(knowledge: Knowledge, escalation: Escalation, command: Command, correction: bool) -> tuple[Outgoing, ...]:
    values = {"answer": command.text.strip(), "reference": escalation.reference}
    spoken = _spoken(knowledge, escalation)
    if correction:
        body = say(spoken, "correction", **values)
    else:
        body = say(spoken, "relay", question=_short(" / ".join(escalation.questions)), **values)
    row = Outgoing(
        key=f"esc:{escalation.id}:relay:{command.key}",
        to=escalation.chat,
        body=body,
        kind="relay",
        about=escalation.id,
        private=escalation.private,
        thread=escalation.thread,
        then=flags.answered(escalation.thread, f"esc:{escalation.id}"),
        language=spoken.language,
    )
    return in_parts(row)


def _nearest(knowledge: Knowledge, escalation: Escalation) -> str:
    """The nearest topic's answer in the learner's language, for their format, or for each where that is not known."""
    spoken = _spoken(knowledge, escalation)
    topic = spoken.topics.get(escalation.near[0]) if escalation.near else None
    if topic is None:
        return ""
    if escalation.format is None and topic.differs:
        return typeset(spoken, variants_text(spoken, topic))
    return typeset(spoken, answer_text(spoken, topic, escalation.format or Format.INTER))


def _spoken(knowledge: Knowledge, escalation: Escalation) -> Knowledge:
    """What the learner reads; the rest of an escalation is for those who work here, in the language of the house."""
    return knowledge.in_language(escalation_language(escalation))


def _after(escalation: Escalation, kind: str, command: Command, now: datetime, **changes: object) -> Escalation:
    event = Event(kind, command.actor, command.text, now)
    return replace(escalation, events=(*escalation.events, event), **changes)  # type: ignore[arg-type]


def _word(
    knowledge: Knowledge,
    escalation: Escalation,
    command: Command,
    line: str,
    *,
    changed: bool = False,
    **values: object,
) -> Outcome:
    """What the trainer hears of their command; by mail only where it was not carried out: no news is good news there."""
    body = say(knowledge, line, reference=escalation.reference, **values)
    row = Outgoing(f"esc:{escalation.id}:word:{command.key}", command.actor, body, kind="notice", about=escalation.id)
    quiet = changed and command.actor.startswith("email:")
    return Outcome("answered", outgoing=() if quiet else in_parts(row), escalations=(escalation,) if changed else ())


def _others(knowledge: Knowledge, escalation: Escalation, command: Command, line: str) -> tuple[Outgoing, ...]:
    body = say(knowledge, line, reference=escalation.reference, other=command.name or "une autre personne")
    return tuple(
        part
        for n, to in enumerate(escalation.recipients)
        if to != command.actor
        for part in in_parts(Outgoing(f"esc:{escalation.id}:{line}:{command.key}:{n}", to, body, kind="notice"))
    )


def _notice(knowledge: Knowledge, escalation: Escalation, to: str, n: int) -> Outgoing:
    near = [knowledge.topics[t] for t in escalation.near if t in knowledge.topics]
    body = say(
        knowledge,
        "notice_private" if escalation.private else "notice",
        reference=escalation.reference,
        name=_name(escalation),
        channel=escalation.learner.partition(":")[0],
        reason=say(knowledge, "reason_" + escalation.reason.replace("-", "_")),
        words="\n".join(f"« {q} »" for q in escalation.questions),
        conversation=_conversation(escalation.conversation),
        near="Sujets proches : " + ", ".join(t.title for t in near) if near else "",
    )
    buttons = [[("claim_button", "claim"), ("close_button", "close")]]
    choices = [tuple(Choice(say(knowledge, line), f"e:{verb}:{escalation.id}") for line, verb in buttons[0])]
    if near:
        label = say(knowledge, "near_button", topic=near[0].button)
        choices.append((Choice(label, f"e:near:{escalation.id}"),))
    mailed = to.startswith("email:")
    body = f"{body.strip()}\n\n{say(knowledge, 'notice_how_mail' if mailed else 'notice_how')}"
    row = _about(escalation, f"esc:{escalation.id}:notice:{n}", to, body, cancel=False)
    reason = say(knowledge, "reason_" + escalation.reason.replace("-", "_"))
    return replace(
        row,
        choices=() if mailed else tuple(choices),
        subject=say(knowledge, "notice_subject", reason=reason, name=_name(escalation)),
    )


def _conversation(turns: Sequence[Turn]) -> str:
    if not turns:
        return ""
    who = {"learner": "–", "bot": "  bot :", "trainer": "  formateur :"}
    return "Avant :\n" + "\n".join(f"{who[t.speaker]} {_short(t.text)}" for t in turns)


def _about(
    escalation: Escalation,
    key: str,
    to: str,
    body: str,
    *,
    kind: str = "notice",
    not_before: datetime | None = None,
    cancel: bool = True,
) -> Outgoing:
    return Outgoing(
        key=key,
        to=to,
        body=body,
        kind=kind,
        not_before=not_before,
        about=escalation.id,
        cancels_with=escalation.id if cancel else None,
        private=escalation.private,
        fallback=escalation.recipients[1:] if escalation.private and to in escalation.recipients else (),
    )


def _told(escalation: Escalation) -> tuple[str, ...]:
    """Every trainer is told. The disability contact is one person with several addresses: the first that can be reached."""
    return escalation.recipients[:1] if escalation.private else escalation.recipients


def _name(escalation: Escalation) -> str:
    return escalation.name or "un stagiaire"


def _short(text: str, limit: int = 200) -> str:
    text = " ".join(text.split())
    return text if len(text) <= limit else text[: limit - 1].rstrip() + "…"
