"""Who is told what, and after how long: the settings that decisions depend on, as a value."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, slots=True)
class Desk:
    """Persons are addresses ("telegram:1"). ``accessibility`` alone sees health matters; its first entry is the contact.

    context_for: how long a conversation is read in its context, by mail ``mail_context_for``. answers_in_variants: channels
    where asking back would cost a day. mailbox: the contact mailbox as an address ("email:contact@example.org"), "" where
    none is served; drafts: its answers wait there for the trainer to send them.
    """

    trainers: tuple[str, ...]
    accessibility: tuple[str, ...]
    operators: tuple[str, ...] = ()
    nudge_after: timedelta = timedelta(hours=24)
    context_for: timedelta = timedelta(minutes=30)
    mail_context_for: timedelta = timedelta(days=14)
    keep: timedelta = timedelta(days=180)
    keep_health: timedelta = timedelta(days=30)
    answers_in_variants: frozenset[str] = frozenset({"email"})
    mailbox: str = ""
    drafts: bool = False

    def recipients(self, private: bool) -> tuple[str, ...]:
        """Who may see and answer an escalation."""
        return self.accessibility if private else self.trainers

    def keeps_context(self, channel: str) -> timedelta:
        return self.mail_context_for if channel == "email" else self.context_for

    def drafted(self, channel: str) -> bool:
        """Whether what the bot answers on a channel waits for the trainer to send it."""
        return self.drafts and channel == "email"

    def reviewers(self) -> frozenset[str]:
        return frozenset(self.trainers) | frozenset(self.accessibility)
