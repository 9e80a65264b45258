"""What the operator is told. Never a learner's words."""

from __future__ import annotations

from bot.core.compose import in_parts, say
from bot.core.desk import Desk
from bot.core.model import Knowledge, Outgoing


def alert(
    knowledge: Knowledge, desk: Desk, key: str, line: str, *, unless: str = "", also: tuple[str, ...] = (), **values: object
) -> tuple[Outgoing, ...]:
    """One text to each operator (and to ``also``), but not to the address that is itself at fault."""
    to = dict.fromkeys((*(desk.operators or desk.trainers), *also))
    body = say(knowledge, line, **values)
    return tuple(
        part
        for n, person in enumerate(to)
        if person != unless
        for part in in_parts(Outgoing(f"alert:{key}:{n}", person, body, kind="alert"))
    )
