"""The Message-IDs that we give: the same on a retry, known again as ours, and the token of an escalation's notice. Pure.

``accueil.<kind>.<escalation>.<digest of the key>.<signature>@domain``: whoever answers a notice sends its Message-ID back in
References, and only we could have made it. Without References, the subject holds ``[A12-<token>]``.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from collections.abc import Iterable

NOTICE, DRAFT, OTHER = "n", "d", "r"  # what a trainer answers; what waits in Drafts; all else
_OURS = re.compile(r"(accueil\.([a-z])\.(\d{1,12})\.[a-z2-7]{16})\.([a-z2-7]{16})@")
_SUBJECT = re.compile(r"\[A(\d{1,12})-([a-z2-7]{16})\]", re.I)


def message_id(secret: bytes, kind: str, about: int | None, key: str, domain: str) -> str:
    """Without angle brackets."""
    stem = f"accueil.{kind}.{about or 0}.{_mac(secret, 'mail', key)}"
    return f"{stem}.{_mac(secret, 'message-id', stem)}@{domain}"


def kind_of(secret: bytes, id: str) -> str:
    """The kind of a Message-ID of ours, "" for any other."""
    found = _OURS.match(id)
    return found[2] if found and hmac.compare_digest(found[4], _mac(secret, "message-id", found[1])) else ""


def found_in(secret: bytes, raw: bytes) -> str:
    """The first Message-ID of ours in a raw mail, "" where there is none: for reports about what we sent."""
    text = raw.decode("ascii", "replace")
    return next((found[0] for found in _OURS.finditer(text) if kind_of(secret, found[0])), "")


def about(id: str) -> int | None:
    """The escalation that a Message-ID of ours belongs to."""
    found = _OURS.match(id)
    return int(found[3]) or None if found else None


def noticed(secret: bytes, references: Iterable[str], subject: str) -> int | None:
    """The escalation whose notice is answered: by a Message-ID of ours, else by the token in the subject."""
    for id in references:
        found = _OURS.match(id)
        if found and found[2] == NOTICE and kind_of(secret, id) and int(found[3]):
            return int(found[3])
    named = _SUBJECT.search(subject)
    if named and hmac.compare_digest(named[2].lower(), _mac(secret, "subject", named[1])):
        return int(named[1])
    return None


def subject_token(secret: bytes, about: int) -> str:
    return f"[A{about}-{_mac(secret, 'subject', str(about))}]"


def _mac(secret: bytes, purpose: str, text: str) -> str:
    """80 bits, in letters and digits that any mail program leaves as they are."""
    made = hmac.new(secret, f"{purpose}\0{text}".encode("utf-8", "replace"), hashlib.sha256).digest()
    return base64.b32encode(made[:10]).decode().lower()
