"""Whether our own mail server vouches for a mail's From: its Authentication-Results, and nobody else's. Pure.

Sources: RFC 8601 (the header; section 5: only a trusted authserv-id counts), RFC 7489 (DMARC; its pass implies alignment).
"""

from __future__ import annotations

import re
from collections.abc import Iterable

MAX_VALUE = 8_000  # characters of one header that are read
_METHOD = re.compile(r"dmarc\s*(?:/\s*\d+)?\s*=\s*([a-z]+)", re.I)
_FROM = re.compile(r"(?<![\w.])header\s*\.\s*from\s*=\s*([^\s;]+)", re.I)
_PIECE = re.compile(r'\\.|[()"]|[^\\()"]+', re.S)


def vouched(results: Iterable[str], authserv_id: str, domain: str) -> bool:
    """Whether the topmost Authentication-Results of this server holds a DMARC pass for the domain of From.

    A server puts its own above all that the mail brought along, so what stands below is the sender's and counts for nothing;
    so does what another server, or anybody who calls themselves one, has found.
    """
    for value in results:
        if server_of(value).lower() == authserv_id.lower():
            return _passed(_statements(value[:MAX_VALUE])[1:], domain)
    return False


def server_of(value: str) -> str:
    """The name that the writer of one Authentication-Results gives themselves, "" where there is none."""
    first = _statements(value[:MAX_VALUE])[0].split()
    return first[0] if first and "=" not in first[0] else ""


def _passed(statements: list[str], domain: str) -> bool:
    found = [(said, _FROM.search(s)) for s in statements if (said := _METHOD.match(s))]
    return (
        bool(found)
        and bool(domain)
        and all(
            said[1].lower() == "pass" and named is not None and named[1].lower().rstrip(".") == domain.lower()
            for said, named in found
        )
    )


def _statements(value: str) -> list[str]:
    """What stands between the semicolons, comments left out; what is quoted is a value and never a statement."""
    depth, quoted, out = 0, False, [""]
    for piece in _PIECE.findall(value):
        if quoted:
            quoted = piece != '"'
        elif piece == "(" or (depth and piece == ")"):
            depth += 1 if piece == "(" else -1
            out[-1] += " "
        elif not depth and piece == '"':
            quoted = True
            out[-1] += '""'  # what a sender may choose: it cannot be taken for a word of the server's
        elif not depth:
            first, *more = piece.split(";")
            out[-1] += first
            out += more
    return [" ".join(s.split()) for s in out]
