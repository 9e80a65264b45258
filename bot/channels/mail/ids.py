"""The Message-IDs that we give: the same on a retry, known again as ours, and the token of an escalation's notice. Pure.

``accueil.<kind>.<escalation>.<digest of the key>.<signature>@domain``: whoever answers a notice sends its Message-ID back in
References, and only we could have made it. Without References, the subject holds ``[A12-<token>]``. A token is good for one
answer: after the first, ``<escalation>`` is ``<escalation>.1``, and so on (see ``bot.core.escalation``).
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from collections.abc import Iterable
from dataclasses import dataclass

NOTICE, DRAFT, OTHER = "n", "d", "r"  # what a trainer answers; what waits in Drafts; all else
_OURS = re.compile(r"(accueil\.([a-z])\.(\d{1,12})(?:\.(\d{1,4}))?\.[a-z2-7]{16})\.([a-z2-7]{16})@")
_WHOLE = re.compile(_OURS.pattern + r"[\w.-]{1,190}")
_SUBJECT = re.compile(r"\[A((\d{1,12})(?:\.(\d{1,4}))?)-([a-z2-7]{16})\]", re.I)
_CLAIM = re.compile(r"accueil\.n\.\d", re.I)


@dataclass(frozen=True, slots=True)
class Token:
    """What the bearer of a notice's token may do: give the answer number ``use`` (from 0) to an escalation."""

    about: int
    use: int = 0


def message_id(secret: bytes, kind: str, about: int | None, key: str, domain: str, use: int = 0) -> str:
    """Without angle brackets."""
    stem = f"accueil.{kind}.{_numbered(about or 0, use)}.{_mac(secret, 'mail', key)}"
    return f"{stem}.{_mac(secret, 'message-id', stem)}@{domain}"


def kind_of(secret: bytes, id: str) -> str:
    """The kind of a Message-ID of ours, "" for any other."""
    found = _OURS.match(id)
    return found[2] if found and hmac.compare_digest(found[5], _mac(secret, "message-id", found[1])) else ""


def found_in(secret: bytes, raw: bytes) -> str:
    """The first Message-ID of ours in a raw mail, "" where there is none: for reports about what we sent."""
    text = raw.decode("ascii", "replace")
    return next((found[0].rstrip(".") for found in _WHOLE.finditer(text) if kind_of(secret, found[0])), "")


def about(id: str) -> int | None:
    """The escalation that a Message-ID of ours belongs to."""
    found = _OURS.match(id)
    return int(found[3]) or None if found else None


def noticed(secret: bytes, references: Iterable[str], subject: str) -> Token | None:
    """The token of the notice that is answered: a Message-ID of ours, the nearest first, else what the subject holds."""
    for id in references:
        found = _OURS.match(id)
        if found and found[2] == NOTICE and kind_of(secret, id) and int(found[3]):
            return Token(int(found[3]), int(found[4] or 0))
    named = _SUBJECT.search(subject)
    if named and hmac.compare_digest(named[4].lower(), _mac(secret, "subject", named[1])):
        return Token(int(named[2]), int(named[3] or 0))
    return None


def claimed(references: Iterable[str], subject: str) -> bool:
    """Whether something has the look of a token, ours or not."""
    return _SUBJECT.search(subject) is not None or any(_CLAIM.match(id) for id in references)


def subject_token(secret: bytes, about: int, use: int = 0) -> str:
    numbered = _numbered(about, use)
    return f"[A{numbered}-{_mac(secret, 'subject', numbered)}]"


def _numbered(about: int, use: int) -> str:
    return f"{about}.{use}" if use else str(about)


def _mac(secret: bytes, purpose: str, text: str) -> str:
    """80 bits, in letters and digits that any mail program leaves as they are."""
    made = hmac.new(secret, f"{purpose}\0{text}".encode("utf-8", "replace"), hashlib.sha256).digest()
    return base64.b32encode(made[:10]).decode().lower()
