"""What an answer by mail has beside its words: greeting and footer, flags on the question, a recall of its draft. Pure."""

from __future__ import annotations

from dataclasses import replace

from bot.core import escalation, flags
from bot.core.compose import say
from bot.core.desk import Desk
from bot.core.marks import key, words_of
from bot.core.model import Escalation, Knowledge, Message, Outcome, Outgoing, Status


def by_mail(message: Message) -> bool:
    return message.channel == "email"


def begins_thread(message: Message) -> bool:
    """Whether a mail answers no other: it is no follow-up of what was said before."""
    return "message_id" in message.thread and not message.thread.get("answers")


def framed(knowledge: Knowledge, desk: Desk, body: str) -> str:
    """A reply's words as a mail: greeting, words, who wrote it and how to reach a person instead."""
    greeting = say(knowledge, "mail_greeting")
    above = "" if body.startswith(greeting.rstrip(" ,\u00a0!")) else greeting + "\n\n"
    return f"{above}{body}\n\n{say(knowledge, 'mail_footer', days=desk.keep.days)}"


def completed(message: Message, knowledge: Knowledge, desk: Desk, outcome: Outcome, next_id: int, *, told: bool) -> Outcome:
    """The outcome of a mail with what its end means for the mail itself. told: whether a sheet was quoted."""
    if not by_mail(message):
        return outcome
    mark = key(message)
    if outcome.end == "escalated":
        rows = outcome.outgoing
        if desk.drafts and not told:  # nobody would send a draft that only says that somebody will write
            rows = tuple(row for row in rows if row.kind != "reply")
        return replace(outcome, outgoing=(*rows, *flags.passed_on(message.thread, mark)))
    if desk.drafts:
        return _drafted(message, knowledge, desk, outcome, next_id)
    done = flags.answered(message.thread, mark)
    last = max((n for n, row in enumerate(outcome.outgoing) if row.kind == "reply"), default=None)
    rows = tuple(replace(row, then=done) if n == last else row for n, row in enumerate(outcome.outgoing))
    return replace(outcome, outgoing=rows)


def _drafted(message: Message, knowledge: Knowledge, desk: Desk, outcome: Outcome, next_id: int) -> Outcome:
    """The answer waits for the trainer's hand: that is an escalation, recalled like any other if nobody sends it."""
    private = outcome.dialogue is not None and bool(outcome.dialogue.turns) and outcome.dialogue.turns[-1].private
    waiting = Escalation(
        id=next_id,
        learner=message.sender,
        chat=message.chat,
        name=message.name,
        questions=(words_of(message),),
        conversation=(),
        reason="draft",
        near=(),
        private=private,
        status=Status.OPEN,
        recipients=desk.recipients(private),
        opened_at=message.received_at,
        thread=message.thread,
    )
    rows: tuple[Outgoing, ...] = escalation.draft_recalled(knowledge, waiting, desk)
    return replace(
        outcome,
        end="escalated",
        outgoing=(*outcome.outgoing, *rows, *flags.passed_on(message.thread, key(message))),
        escalations=(*outcome.escalations, waiting),
    )
