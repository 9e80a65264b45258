"""What a decision may depend on, and what becomes of it: the values that travel through ``respond``. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from bot.core.desk import Desk
from bot.core.language import Language
from bot.core.model import Choice, Dialogue, Escalation, Knowledge, Outcome, Outgoing, Reading, Sheet
from bot.core.ports import Understanding


@dataclass(frozen=True, slots=True)
class Response:
    """The outcome to commit, and the reading behind it (for evaluation and explanation)."""

    outcome: Outcome
    reading: Reading


@dataclass(frozen=True, slots=True)
class Situation:
    """All that a decision may depend on beside the message. next_id: a number reserved for a new escalation.

    knowledge: what is decided by, and what trainers read. language: of the message; ``spoken`` is what its writer reads.
    """

    knowledge: Knowledge
    reader: Understanding
    desk: Desk
    now: datetime
    next_id: int
    dialogue: Dialogue | None = None
    open_escalations: Sequence[Escalation] = ()
    digests: Sequence[Escalation] = ()  # open ones, of mails over the caps
    earlier_decision: str | None = None  # what this very message was answered with, before it was edited
    code: str = ""  # six random digits, for an address that is to be confirmed
    language: Language = "fr"

    @property
    def spoken(self) -> Knowledge:
        return self.knowledge.in_language(self.language)


@dataclass(slots=True)
class Draft:
    """A reply under construction."""

    paragraphs: list[str] = field(default_factory=list)
    sheets: dict[str, Sheet] = field(default_factory=dict)
    choices: list[tuple[Choice, ...]] = field(default_factory=list)
    escalations: tuple[Escalation, ...] = ()
    notices: tuple[Outgoing, ...] = ()


def dialogue_of(s: Situation) -> Dialogue:
    assert s.dialogue is not None  # set by respond()
    return s.dialogue
