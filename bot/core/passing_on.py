"""What goes to a person: an escalation opened, or one joined that the conversation is already about. Pure."""

from __future__ import annotations

from dataclasses import replace

from bot.core import escalation, flags
from bot.core.compose import quoted, say
from bot.core.mailing import begins_thread
from bot.core.marks import key, words_of
from bot.core.model import Escalation, Message, Reading, Status
from bot.core.situation import Draft, Situation, dialogue_of


def pass_on(message: Message, s: Situation, reading: Reading, reason: str, draft: Draft) -> None:
    """Open an escalation, or add to the one that this conversation is already about."""
    joined = _joined(message, s, reading)
    if joined is not None and reason != "not-it":
        thread = flags.joined(joined.thread, message.thread)
        joined = replace(joined, thread=thread, language=s.language)
        outcome = escalation.added(s.knowledge, joined, words_of(message), s.now, key(message), s.desk.mailbox)
        draft.escalations, draft.notices = outcome.escalations, (*outcome.outgoing, *escalation.copies(message, joined))
        draft.paragraphs.append(say(s.spoken, "added", reference=joined.reference))
        return
    opened = open_escalation(message, s, reading, reason or _reason(reading))
    draft.escalations = (opened,)
    told = escalation.opened(s.knowledge, opened, s.desk, comforts=not any(e.chat == opened.chat for e in s.open_escalations))
    draft.notices = (*told, *escalation.copies(message, opened))
    draft.paragraphs.append(_passed(message, s, reading, opened))


def _joined(message: Message, s: Situation, reading: Reading) -> Escalation | None:
    """The open escalation that further words belong to: of this conversation, and of the same privacy.

    Words that follow a private matter up stay private, whatever they hold.
    """
    if not {"request", "handoff", "unknown"} & set(dialogue_of(s).labels):
        return None
    # neither an answer that waits among the drafts nor a flood is a request that more words could join
    open_ = [e for e in s.open_escalations if e.status in (Status.OPEN, Status.CLAIMED) and e.reason not in ("draft", "flood")]
    same = [e for e in open_ if e.private == reading.private and (not begins_thread(message) or e.chat != message.chat)]
    return same[-1] if same else None


def open_escalation(message: Message, s: Situation, reading: Reading, reason: str) -> Escalation:
    format = reading.aside or reading.format or dialogue_of(s).format
    refused = set(dialogue_of(s).topics) if reason == "not-it" else set()
    refused |= {t.id for t in s.knowledge.topics.values() if format in t.silent}  # nothing to send there
    near = [*reading.topics, *(m.id for q in reading.questions for m in q.matches if m.id in s.knowledge.topics)]
    turns = tuple(t for t in dialogue_of(s).turns if reading.private or not t.private)
    return Escalation(
        id=s.next_id,
        learner=message.sender,
        chat=message.sender if message.group else message.chat,
        name=message.name,
        questions=(words_of(message),),
        conversation=turns[-6:],
        reason=reason,
        near=tuple(t for t in dict.fromkeys(near) if t not in refused)[:3],
        private=reading.private,
        status=Status.OPEN,
        recipients=s.desk.recipients(reading.private),
        opened_at=s.now,
        thread=message.thread,
        format=format,
        language=s.language,
    )


def _reason(reading: Reading) -> str:
    return next((r for r in ("request", "handoff", "unknown") if r in reading.labels), "unknown")


def _passed(message: Message, s: Situation, reading: Reading, opened: Escalation) -> str:
    if message.group:
        return say(s.spoken, "group_personal")
    reference = opened.reference
    if opened.reason == "media":
        return say(s.spoken, "passed_media", media=message.media, reference=reference)
    if reading.private:
        return say(s.spoken, "passed_private", reference=reference)
    if reading.topics and reading.unanswered and opened.reason in ("unknown", "request"):
        parts = "\n".join(quoted(s.spoken, p.strip()) for p in reading.unanswered)
        return say(s.spoken, "passed_part", parts=parts, reference=reference)
    line = {"request": "passed_request", "handoff": "passed_handoff", "not-it": "passed_not_it"}
    return say(s.spoken, line.get(opened.reason, "passed_unknown"), reference=reference)
