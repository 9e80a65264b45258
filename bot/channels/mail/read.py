"""A raw mail to what it says and whether an answer may go out by itself. Pure, never raises, in bounded time and memory.

Sources: RFC 3834 (automatic responses), RFC 3464 (delivery reports), RFC 8098 (receipts), RFC 2919 and 2369 (lists),
MS-OXCMAIL 2.1.3.2.20 (X-Auto-Response-Suppress).
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from email.message import Message as Part
from email.parser import BytesParser
from email.policy import compat32
from email.utils import parsedate_to_datetime

from bot.channels.mail.authres import MAX_VALUE
from bot.channels.mail.automatic import FORWARDED, by_a_program, by_headers, by_words, of_tickets, robotic
from bot.channels.mail.decode import TOO_LARGE, limited
from bot.channels.mail.html import text_of
from bot.channels.mail.parts import addresses, contents, header, values, walked
from bot.channels.mail.verdicts import forged, spam
from bot.channels.mail.words import own_words

MAX_SUBJECT, MAX_FILES, MAX_TO, MAX_RESULTS = 300, 20, 50, 20
ENVELOPE, SUPPRESSED = "its envelope names another sender than its From", "the sender wants no automatic reply"
REPLY_TO = "its Reply-To names another address than its From"
FORM = (ENVELOPE, SUPPRESSED, REPLY_TO)  # reasons that lie in a mail's form: a token outweighs them

TNEF = {"application/ms-tnef", "application/vnd.ms-tnef"}
DATA = {"text/csv", "text/xml", "application/xml", "application/json", "application/gzip", "application/x-gzip", "text/x-log"}
UNREAD = {"utf-7", "unicode-1-1-utf-7", "utf7"}  # written by attacks and by nobody else

# a program's word about the HTML beside it, instead of what was written
_STUB = re.compile(r"\A(?=.{0,300}\Z).*(?:format HTML|\bHTML\b.{0,40}(?:mail|message)|multi-?part message|\[cid:)", re.I | re.S)
_SIGNATURE_ALONE = re.compile(r"--[ \t]*\n")
_ENCRYPTED = re.compile(r"-----BEGIN PGP MESSAGE-----")


@dataclass(frozen=True, slots=True)
class Mail:
    """What a mail says. ``sender`` is "" where it names nobody or several; ``why_not`` is "" where an answer may go out.

    kind: "person", "autoreply", "bounce", "receipt", "list", "invitation", "automatic". ``text``: the sender's own words.
    ``attachments``: names alone, cleaned.
    """

    kind: str
    why_not: str
    sender: str
    name: str
    subject: str
    text: str
    attachments: tuple[str, ...]
    message_id: str
    in_reply_to: str
    references: tuple[str, ...]
    to: tuple[str, ...]  # the addresses in To and Cc
    sent: str  # the Date header's day and time for a quote, "" where it has none
    results: tuple[str, ...]  # its Authentication-Results as they stand there, topmost first; see authres.py
    list_id: str  # of the list that passed it on, "" where none did
    automatic: bool  # for certain: nobody waits for an answer. Else what may not be answered is a person's to read

    @property
    def may_answer(self) -> bool:
        return not self.why_not


def read_mail(raw: bytes) -> Mail:
    """Never raises; what cannot be read is told in ``why_not``."""
    mail, fault = limited(raw.lstrip(b"\r\n"))
    try:
        parsed = BytesParser(policy=compat32).parsebytes(mail)
        return _read(parsed, fault)
    except Exception as error:  # the parser raises whatever a hostile header leads to
        bare = BytesParser(policy=compat32).parsebytes(mail, headersonly=True)
        try:
            return _read(bare, f"cannot be parsed ({type(error).__name__})")
        except Exception:
            return Mail("person", "cannot be parsed", "", "", "", "", (), "", "", (), (), "", (), "", False)


def read_text(text: str) -> Mail:
    """A body alone, as if a person had sent it."""
    said = own_words(text)
    kind, why = by_words("", said, text)
    why = why or ("" if said else "it says nothing")
    return Mail(kind, why, "", "", "", said, (), "", "", (), (), "", (), "", False)


def _read(mail: Part, fault: str) -> Mail:
    senders = addresses(mail, "From")
    subject = header(mail, "Subject")[:MAX_SUBJECT]
    whole, html, files = contents(mail)
    if fault == TOO_LARGE and not files:
        files = ["une pièce jointe volumineuse"]
    if html.strip() and not any(part.get_content_type() == "multipart/alternative" for part in walked(mail)):
        whole = f"{text_of(html)}\n{whole}".strip()  # both were meant to be seen: not one in two forms
    said = own_words(whole)
    if html.strip() and (not said or _STUB.search(said)):
        said = own_words(text_of(html)) or said
    if len(said) < 300 and "?" not in said and _SIGNATURE_ALONE.match(said):
        said = ""
    kind, why = by_headers(mail, senders, subject)
    automatic = bool(why)
    if not why:
        kind, why = by_words(subject, said, whole)
    if not why:
        kind, why = _needs_person(mail, senders, subject, said, whole, files, fault)
    sender, name = senders[0] if len(senders) == 1 else ("", "")
    if not automatic and robotic(sender):  # a form's: an answer to it would reach nobody
        sender = ""
    return Mail(
        kind=kind,
        why_not=why,
        sender=sender,
        name=name,
        subject=subject,
        text=said,
        attachments=tuple(files[:MAX_FILES]),
        message_id=next(iter(_ids(mail, "Message-ID")), ""),
        in_reply_to=next(iter(_ids(mail, "In-Reply-To")), ""),
        references=_ids(mail, "References"),
        to=tuple(address for name in ("To", "Cc") for address, _ in addresses(mail, name))[:MAX_TO],
        sent=_sent(mail),
        results=tuple(value[:MAX_VALUE] for value in values(mail, "Authentication-Results")[:MAX_RESULTS]),
        list_id=header(mail, "List-Id").rpartition("<")[2].strip("> ").lower()[:250],
        automatic=automatic,
    )


# ---------------------------------------------------------------- who, when, which


def _ids(mail: Part, name: str) -> tuple[str, ...]:
    """The Message-IDs that a header holds, without their angle brackets, in order."""
    found = re.findall(r"<([!-;=?-~]{1,250})>", " ".join(v[:20_000] for v in values(mail, name)))
    return tuple(id for id in dict.fromkeys(found) if "=?" not in id)[-50:]


def _sent(mail: Part) -> str:
    try:
        return parsedate_to_datetime(header(mail, "Date")[:100]).strftime("%d/%m/%Y %H:%M")
    except (ValueError, TypeError, IndexError, OverflowError):
        return ""


# ---------------------------------------------------------------- may it be answered


def _needs_person(
    mail: Part, senders: tuple[tuple[str, str], ...], subject: str, said: str, whole: str, files: list[str], fault: str
) -> tuple[str, str]:
    """(kind, why) of a mail that a person should read, and that gets no automatic answer."""
    if fault and not (fault == TOO_LARGE and said):
        return "person", fault
    if len(senders) != 1:
        return "person", "several senders" if senders else "no sender that can be read"
    if _sent_by_another(mail, senders[0][0]):
        return "person", ENVELOPE
    if any(address != senders[0][0] for address, _ in addresses(mail, "Reply-To")):
        return "person", REPLY_TO
    suppress = header(mail, "X-Auto-Response-Suppress").lower()
    if re.search(r"\b(?:all|autoreply)\b", suppress):
        return "person", SUPPRESSED
    kinds = {part.get_content_type() for part in walked(mail)}
    if by_a_program(mail):
        return "person", "handed in by a program, as by a website's form"
    if spam(mail):
        return "person", "a filter takes it for spam"
    if forged(mail):
        return "person", "a mail server does not believe its sender"
    if of_tickets(mail):
        return "person", "sent through a ticket system"
    if any(address != senders[0][0] for address, _ in addresses(mail, "X-Original-Sender")):
        return "person", "a group passed it on under its own address"
    if kinds & {"multipart/encrypted", "application/pgp-encrypted"} or _ENCRYPTED.search(whole) or _enveloped(mail, said):
        return "person", "encrypted"
    if kinds & TNEF and not said:
        return "person", "in a form that only Outlook reads (winmail.dat)"
    if "text/calendar" in kinds and not said:
        return "invitation", "a calendar invitation"
    if not said and "message/rfc822" in kinds:
        return "person", "it sends a mail on and says nothing itself"
    if not said and files and kinds & DATA:
        return "person", "data and no words"
    if not (said or subject or files):
        return "person", "it says nothing"
    marks = whole.count("\ufffd")
    if marks > 5 + len(whole) // 20 or 3 * marks > len(whole) or any(map(_unread, walked(mail))):
        return "person", "its characters cannot be read"
    if _foreign(said):
        return "person", "in a script that is not read here"
    return "person", ""


def _sent_by_another(mail: Part, sender: str) -> bool:
    """Another mailbox of the same domain handed it in: which of the two asks, only a person can tell.

    Senders of another domain are left alone: forwarders and mailing services put theirs there as a matter of course.
    """
    person, _, domain = sender.partition("@")
    envelope = [a.partition("@") for a, _ in addresses(mail, "Return-Path")]
    return any(
        not FORWARDED.search(who) and d == domain and re.split(r"[+=]", who)[0] != re.split(r"[+=]", person)[0]
        for who, _, d in envelope
    )


def _enveloped(mail: Part, said: str) -> bool:
    """Whether it lies within S/MIME: encrypted, or signed in one piece, which is not opened either."""
    for part in walked(mail):
        if part.get_content_type() in ("application/pkcs7-mime", "application/x-pkcs7-mime"):
            return not said or str(part.get_param("smime-type", "enveloped-data")).lower() != "signed-data"
    return False


def _foreign(said: str) -> bool:
    """Whether most letters are no Latin ones."""
    letters = [c for c in said[:2000] if c.isalpha()]
    return 2 * sum(c > "\u024f" and not unicodedata.name(c, "").startswith("LATIN") for c in letters) > len(letters)


def _unread(part: Part) -> bool:
    """Whether it is in a charset that is not read, and uses it."""
    return _charset(part) in UNREAD and "+" in str(part.get_payload())


def _charset(part: Part) -> str:
    return str(part.get_param("charset", "") or "").strip("\"' ").lower()
