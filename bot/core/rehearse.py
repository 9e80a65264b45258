"""Messages put to the bot without a store or a channel: what ``ask`` and ``evaluate`` show. Pure, the same code path."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from bot.core.desk import Desk
from bot.core.dialogue import respond
from bot.core.model import Dialogue, Escalation, Format, Intent, Knowledge, Message, Reading
from bot.core.ports import Understanding
from bot.core.situation import Response, Situation

START = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)  # any fixed time: nothing here depends on today
DESK = Desk(trainers=("console:trainer",), accessibility=("console:accessibility",))


@dataclass(slots=True)
class Rehearsal:
    """One invented learner's conversation, turn after turn, half a minute apart."""

    knowledge: Knowledge
    reader: Understanding
    channel: str = "telegram"
    format: Format | None = None
    desk: Desk = DESK
    turn: int = 0
    open: list[Escalation] = field(default_factory=list)
    dialogue: Dialogue | None = None

    def say(self, text: str, subject: str | None = None, **form: Any) -> Response:
        """One message of the learner; what the bot makes of it."""
        now = START + timedelta(seconds=30 * self.turn)
        self.turn += 1
        person = f"{self.channel}:rehearsal"
        known = self.dialogue or Dialogue(person, format=self.format, introduced=True)
        message = Message(f"{self.channel}:{self.turn}", self.channel, person, person, text, now, subject=subject, **form)
        response = respond(
            message,
            Situation(self.knowledge, self.reader, self.desk, now, self.turn, known, tuple(self.open)),
        )
        self.dialogue = response.outcome.dialogue or known
        ids = {e.id for e in response.outcome.escalations}
        self.open = [e for e in self.open if e.id not in ids] + list(response.outcome.escalations)
        return response

    def ask_topic(self, topic: str) -> Response:
        """A topic asked for by its id, as a button would."""
        return self.say("", intent=Intent.PRESS, press=f"t:{topic}")


def decision(response: Response, rehearsal: Rehearsal) -> dict[str, Any]:
    """What was decided on a message, in the words of the evaluation: topics, options, format, escalate, private."""
    reading, known = response.reading, rehearsal.dialogue
    return {
        "topics": [*reading.topics, *reading.labels],
        "options": list(reading.options),
        "format": reading.aside or (known.format if known else None),
        "escalate": response.outcome.end == "escalated",
        "private": reading.private,
    }


def explained(response: Response, rehearsal: Rehearsal) -> dict[str, Any]:
    """A decision with the reply's words and sources: what ``ask --json`` prints."""
    mine = [o for o in response.outcome.outgoing if o.kind == "reply" and o.to == f"{rehearsal.channel}:rehearsal"]
    knowledge = rehearsal.knowledge
    sheets = {
        a.sheet.id: {"id": a.sheet.id, "title": a.sheet.title, "updated": a.sheet.updated}
        for t in _told(response, rehearsal)
        for f in Format
        for a in knowledge.topics[t].answers.get(f, ())
    }
    return {"reply": "\n".join(o.body for o in mine), **decision(response, rehearsal), "sources": list(sheets.values())}


def _told(response: Response, rehearsal: Rehearsal) -> Sequence[str]:
    waiting = any(c.code.startswith("f:") for o in response.outcome.outgoing for row in o.choices for c in row)
    topics = response.reading.topics
    return [t for t in topics if not (waiting and rehearsal.knowledge.topics[t].differs)]


def judged(item: dict[str, Any], knowledge: Knowledge, reader: Understanding) -> list[dict[str, Any]]:
    """The decisions on one labelled message or dialogue, each with its id."""
    return [decided for decided, _ in judged_readings(item, knowledge, reader)]


def judged_readings(item: dict[str, Any], knowledge: Knowledge, reader: Understanding) -> list[tuple[dict[str, Any], Reading]]:
    """The same, each with the reading behind it."""
    rehearsal = Rehearsal(knowledge, reader, item.get("channel") or "telegram")
    found = []
    for n, turn in enumerate(item.get("turns") or [item]):
        response = rehearsal.say(turn["text"], turn.get("subject"))
        id = f"{item['id']}/{n}" if "turns" in item else item["id"]
        found.append(({"id": id, **decision(response, rehearsal)}, response.reading))
    return found


def cleaned(item: dict[str, Any], words: Callable[[str], str]) -> dict[str, Any]:
    """An e-mail item with its text read as a real mail's is."""
    return {**item, "text": words(item["text"])} if item.get("channel") == "email" else item
