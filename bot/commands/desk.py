"""The terminal's side of the desk: escalations listed, shown, answered; a person forgotten or exported."""

from __future__ import annotations

import asyncio
import re
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any, Literal, TypeVar

from bot.app import now, opened
from bot.core.escalation import Command, listing, review
from bot.core.model import Escalation, Outcome
from bot.errors import AccueilError, SettingsError
from bot.library.load import load
from bot.settings import Settings
from bot.store.database import Database

ACTOR = "console:terminal"
T = TypeVar("T")


def _with_store(settings: Settings, work: Callable[[Database], Awaitable[T]]) -> T:
    async def all_of_it() -> T:
        async with opened(settings) as store:
            return await work(store)

    return asyncio.run(all_of_it())


def listed(settings: Settings, *, open_only: bool) -> list[dict[str, Any]]:
    """One line's worth of each escalation."""
    found = _with_store(settings, lambda store: store.escalations(open_only=open_only))
    return [_summary(e) for e in found]


def _summary(known: Escalation) -> dict[str, Any]:
    return {
        "reference": known.reference,
        "status": known.status.value,
        "opened_at": known.opened_at.isoformat(timespec="minutes"),
        "from": "" if known.private else f"{known.name} ({known.learner.partition(':')[0]})",
        "reason": known.reason,
        "private": known.private,
        "words": listing(known),
    }


def shown(settings: Settings, reference: str) -> dict[str, Any]:
    """One escalation; of a private one no more than that it is there."""
    known = _with_store(settings, lambda store: _found(store, reference))
    summary = _summary(known)
    if not known.private:
        summary["conversation"] = "".join(f"\n  {t.speaker}: {t.text}" for t in known.conversation)
        summary["near"] = ", ".join(known.near)
        summary["events"] = "".join(f"\n  {e.at:%Y-%m-%d %H:%M} {e.kind} {e.text}" for e in known.events)
    return summary


def commanded(settings: Settings, reference: str, verb: Literal["answer", "close"], text: str = "") -> str:
    """Give one command; what a trainer would be told of it."""
    knowledge = load(settings.knowledge_dir)

    async def work(store: Database) -> Outcome:
        known = await _found(store, reference)
        outcome = review(knowledge, known, Command(verb, ACTOR, f"terminal:{uuid.uuid4()}", text, "le terminal"), now())
        others = tuple(o for o in outcome.outgoing if o.to != ACTOR)
        await store.apply(replace(outcome, outgoing=others), now())
        return outcome

    outcome = _with_store(settings, work)
    if not outcome.escalations:
        raise AccueilError(" ".join(o.body for o in outcome.outgoing if o.to == ACTOR))
    return "\n".join(o.body for o in outcome.outgoing if o.to == ACTOR)


async def _found(store: Database, reference: str) -> Escalation:
    number = re.fullmatch(r"#?A?(\d{1,12})", reference.strip(), re.I)
    known = await store.escalation(int(number[1])) if number else None
    if known is None:
        raise SettingsError([f"there is no escalation {reference!r}; accueil escalations list --all shows them"])
    return known


def forgotten(settings: Settings, person: str) -> str:
    """Erase a person; says what stays until it is closed."""

    async def work(store: Database) -> list[Escalation]:
        still_open = await store.escalations(learner=_person(person))
        await store.apply(Outcome("answered", forget=(person,)), now())
        return still_open

    waiting = ", ".join(e.reference for e in _with_store(settings, work))
    return f"{person} is forgotten." + (f" Erased when they are closed: {waiting}" if waiting else "")


def exported(settings: Settings, person: str) -> dict[str, Any]:
    return _with_store(settings, lambda store: store.export(_person(person)))


def _person(person: str) -> str:
    if not re.fullmatch(r"[a-z]+:\S+", person):
        raise SettingsError([f"{person!r} is no person; write channel and address, like telegram:4242"])
    return person
