"""An outgoing text to a mail: in its thread, marked as automatic, as plain text and HTML, the question quoted below. Pure.

Sources: RFC 3834 (Auto-Submitted, threading of automatic responses), RFC 5322 (3.6.4), MS-OXCMAIL 2.1.3.2.20.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from html import escape
from typing import Any

from bot.channels.mail import ids
from bot.core.model import Outgoing
from bot.core.text import clean

MAX_QUOTE = 2000  # characters of the learner's mail quoted below the answer
MAX_SUBJECT = 200
MAX_REFERENCES = 20
# the few words that stand around every answer: a subject where the mail had none, and what is above the quoted mail
AROUND = {
    "fr": {
        "subject": "votre message",
        "they": "{name} a écrit",
        "you": "vous avez écrit",
        "on": "Le {sent}, {who}",
        "colon": "\u00a0:",
    },
    "en": {"subject": "your message", "they": "{name} wrote", "you": "you wrote", "on": "On {sent}, {who}", "colon": ":"},
}
TO_PERSON = ("notice", "nudge")  # kinds that a trainer may answer

_RE = re.compile(r"\s*(?:re|ré|rép|rep|aw|sv|tr|fwd?|wg)\s?(?:\[\d+\])?\s?:\s*", re.I)


@dataclass(frozen=True, slots=True)
class Letterhead:
    """Who writes: the address, the name shown, and the key that signs Message-IDs."""

    address: str
    name: str
    secret: bytes

    @property
    def domain(self) -> str:
        return self.address.rpartition("@")[2]

    def id_of(self, outgoing: Outgoing, *, draft: bool = False) -> str:
        kind = ids.DRAFT if draft else ids.NOTICE if outgoing.kind in TO_PERSON and outgoing.about else ids.OTHER
        use = use_of(outgoing) if kind == ids.NOTICE else 0
        return ids.message_id(self.secret, kind, outgoing.about, outgoing.key, self.domain, use)


def use_of(outgoing: Outgoing) -> int:
    """Which answer of the trainer a notice's token is good for, from 0."""
    return int(outgoing.thread.get("use", 0))


def _line(words: str) -> str:
    """One line, in which nothing is an encoded word: the e-mail package decodes those again, line feeds and all."""
    return " ".join(clean(words).split()).replace("=?", "= ?")


def bare(subject: str) -> str:
    """A subject without its "Re:" and "Tr:"."""
    while found := _RE.match(subject):
        subject = subject[found.end() :]
    return _line(subject)


def written(outgoing: Outgoing, head: Letterhead, at: datetime, *, draft: bool = False) -> bytes:
    """The mail, ready to be sent. Nothing that a correspondent wrote can add a header: each is folded and encoded."""
    thread = outgoing.thread
    mail = EmailMessage(policy=SMTP)
    mail["From"] = Address(head.name, *head.address.rsplit("@", 1))
    mail["To"] = _address(outgoing.to)
    mail["Subject"] = _subject(outgoing, head)
    mail["Date"] = format_datetime(at)
    mail["Message-ID"] = f"<{head.id_of(outgoing, draft=draft)}>"
    answered = str(thread.get("message_id", ""))
    if answered:
        mail["In-Reply-To"] = f"<{answered}>"
        known = [str(r) for r in thread.get("references", ()) if r != answered][-MAX_REFERENCES:]
        mail["References"] = " ".join(f"<{r}>" for r in (*known, answered))
    elif thread.get("under"):  # what follows a notice stands in its thread
        above = ids.message_id(head.secret, ids.NOTICE, outgoing.about, str(thread["under"]), head.domain)
        mail["References"] = f"<{above}>"
    if not draft:  # a draft goes out by the trainer's own hand
        mail["Auto-Submitted"] = "auto-replied" if answered else "auto-generated"
        mail["X-Auto-Response-Suppress"] = "All"
    text, quote = _body(outgoing), _quote(thread, _around(outgoing))
    mail.set_content(text + (f"\n\n{quote[0]}\n" + "\n".join(f"> {line}".rstrip() for line in quote[1]) if quote else "") + "\n")
    mail.add_alternative(_html(text, quote, outgoing.language), subtype="html")
    return mail.as_bytes()


def _address(to: str) -> Address:
    user, _, domain = to.partition(":")[2].rpartition("@")
    return Address(username=user, domain=domain)


def _subject(outgoing: Outgoing, head: Letterhead) -> str:
    thread = outgoing.thread
    if thread.get("message_id"):
        return f"Re: {bare(str(thread.get('subject', ''))) or _around(outgoing)['subject']}"[:MAX_SUBJECT]
    subject = _line(outgoing.subject or outgoing.body.split("\n")[0])[:MAX_SUBJECT]
    if outgoing.kind in TO_PERSON and outgoing.about:
        return f"{subject} {ids.subject_token(head.secret, outgoing.about, use_of(outgoing))}"
    return subject


def _body(outgoing: Outgoing) -> str:
    """The text, and the choices as a list: a mail has no buttons."""
    if not outgoing.choices or outgoing.kind in TO_PERSON:
        return outgoing.body
    offered = "\n".join(f"- {choice.label}" for row in outgoing.choices for choice in row if not choice.code.startswith("n:"))
    return f"{outgoing.body}\n\n{offered}".rstrip()


def _around(outgoing: Outgoing) -> Mapping[str, str]:
    return AROUND.get(outgoing.language, AROUND["fr"])


def _quote(thread: Mapping[str, Any], around: Mapping[str, str]) -> tuple[str, list[str]] | None:
    """The line above the quoted mail, and its lines."""
    words = str(thread.get("quote", ""))[:MAX_QUOTE].strip()
    if not words:
        return None
    who = around["they"].format(name=thread["name"]) if thread.get("name") else around["you"]
    line = around["on"].format(sent=thread["sent"], who=who) if thread.get("sent") else f"{who[:1].upper()}{who[1:]}"
    return line + around["colon"], words.split("\n")


def _html(text: str, quote: tuple[str, list[str]] | None, language: str) -> str:
    paragraphs = "\n".join(f"<p>{_lines(p)}</p>" for p in re.split(r"\n{2,}", text.strip()))
    below = f'\n<p>{escape(quote[0])}</p>\n<blockquote type="cite">{_lines(chr(10).join(quote[1]))}</blockquote>' if quote else ""
    head = f'<!doctype html>\n<html lang="{language}"><head><meta charset="utf-8"></head>'
    return f"{head}<body>\n{paragraphs}{below}\n</body></html>\n"


def _lines(text: str) -> str:
    return escape(text).replace("\n", "<br>\n")
