"""One person on two channels: an address given on Telegram, believed once the code that was sent there comes back. Pure."""

from __future__ import annotations

import hmac
import re
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from bot.core.compose import say
from bot.core.model import Knowledge, Linking, Outgoing

VALID = timedelta(minutes=30)
CODES_A_DAY = 3
TRIES = 5
_ADDRESS = re.compile(r"[^@\s<>()\[\],;:\"\\]{1,64}@[\w-]{1,60}(?:\.[\w-]{1,60}){1,4}")
_CODE = re.compile(r"\d{6}")


@dataclass(frozen=True, slots=True)
class Linked:
    """What a /email did: the word to the person, what is remembered, the mail with the code, the address once it is theirs."""

    word: str
    linking: Linking | None
    outgoing: tuple[Outgoing, ...] = ()
    address: str = ""


def link(knowledge: Knowledge, given: str, known: Linking | None, code: str, now: datetime, person: str) -> Linked:
    """Take an address or a code. ``code``: six random digits for a new mail."""
    given = given.strip().strip("<>")
    if _CODE.fullmatch(given):
        return _confirmed(knowledge, given, known, now)
    if not _ADDRESS.fullmatch(given):
        return Linked(say(knowledge, "link_how"), known)
    today = known if known is not None and now - known.since < timedelta(days=1) else None
    if today is not None and today.sent >= CODES_A_DAY:  # else anybody could have strangers mailed at will
        return Linked(say(knowledge, "link_often"), known)
    address = given.lower()
    fresh = Linking(address, code, now + VALID, today.since if today else now, today.sent + 1 if today else 1)
    mail = Outgoing(
        f"code:{person}:{now:%Y-%m-%d}:{fresh.sent}",  # no second row of this key: forgetting does not give new tries
        f"email:{address}",
        say(knowledge, "mail_link", code=code),
        kind="code",
        subject=say(knowledge, "mail_link_subject"),
        private=True,
        language=knowledge.language,
    )
    return Linked(say(knowledge, "link_sent", address=address), fresh, (mail,))


def _confirmed(knowledge: Knowledge, given: str, known: Linking | None, now: datetime) -> Linked:
    if known is None or not known.code or now > known.until or known.tries >= TRIES:
        return Linked(say(knowledge, "link_wrong"), known)
    if not hmac.compare_digest(given, known.code):
        return Linked(say(knowledge, "link_wrong"), replace(known, tries=known.tries + 1))
    return Linked(say(knowledge, "link_done", address=known.address), replace(known, code=""), (), known.address)
