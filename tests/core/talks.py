"""What the tests of conversations share."""

from __future__ import annotations

from datetime import timedelta

from bot.core.desk import Desk
from bot.core.model import Escalation
from bot.core.situation import Response

LEARNER = "telegram:rehearsal"
DESK = Desk(
    trainers=("telegram:1", "telegram:2"),
    accessibility=("telegram:3", "email:contact@example.org"),
    context_for=timedelta(minutes=30),
)


def told(response: Response, to: str = LEARNER) -> str:
    return "\n".join(o.body for o in response.outcome.outgoing if o.to == to)


def escalation_of(response: Response) -> Escalation:
    (found,) = response.outcome.escalations
    return found
