"""Who is told what, and after how long: the settings that decisions depend on, as a value."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, slots=True)
class Desk:
    """Persons are addresses ("telegram:1"). ``accessibility`` alone sees health matters; its first entry is the contact.

    context_for: how long a conversation is read in its context. answers_in_variants: channels where asking back would
    cost a day.
    """

    trainers: tuple[str, ...]
    accessibility: tuple[str, ...]
    operators: tuple[str, ...] = ()
    nudge_after: timedelta = timedelta(hours=24)
    context_for: timedelta = timedelta(minutes=30)
    keep: timedelta = timedelta(days=180)
    keep_health: timedelta = timedelta(days=30)
    answers_in_variants: frozenset[str] = frozenset({"email"})

    def recipients(self, private: bool) -> tuple[str, ...]:
        """Who may see and answer an escalation."""
        return self.accessibility if private else self.trainers

    def reviewers(self) -> frozenset[str]:
        return frozenset(self.trainers) | frozenset(self.accessibility)
