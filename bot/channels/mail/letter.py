"""A mail of the mailbox to a Message, or the reason why it asks for no answer. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Any

from bot.channels.mail import ids
from bot.channels.mail.authres import vouched
from bot.channels.mail.automatic import BULK_MARK, SIGNED
from bot.channels.mail.read import FORM, Mail, read_mail
from bot.channels.mail.words import question_text
from bot.channels.mail.write import MAX_QUOTE, MAX_REFERENCES, bare
from bot.core.model import Ignored, Intent, Message
from bot.core.ports import Arrival
from bot.core.text import plain

MAX_TEXT = 8000  # characters of one mail that are read and shown
_COMMAND = re.compile(r"/([a-zé]{3,20})\b")


@dataclass(frozen=True, slots=True)
class Mailbox:
    """Whose mailbox it is, the key by which our own mails are known, and the name under which its server vouches for a From.

    authserv_id: "" where no server is known to: then nobody is asked.
    """

    address: str
    secret: bytes
    authserv_id: str = ""


def letter(raw: bytes, arrival: Arrival, mailbox: Mailbox) -> Message | Ignored:
    mail = read_mail(raw)
    ours = ids.kind_of(mailbox.secret, mail.message_id)
    answers = tuple(dict.fromkeys((mail.in_reply_to, *reversed(mail.references)))) if mail.in_reply_to else mail.references
    if arrival.raw.get("folder") == "sent":
        if ours and ours != ids.DRAFT:
            return Ignored("our own mail")
        if mail.automatic or (mail.kind != "person" and mail.why_not not in ("", SIGNED)):
            return Ignored(f"{mail.kind}: {mail.why_not}")
        if not answers:
            return Ignored("a mail of the trainer's own that answers none")
        ours_alone = replace(_message(mail, arrival, mailbox, answers), unproven="", vouched=True)  # nobody else files there
        return replace(ours_alone, intent=Intent.SENT, sender=f"email:{mailbox.address}")
    came_back = ids.found_in(mailbox.secret, raw) if mail.kind == "bounce" and mail.automatic else ""
    if came_back and not ours:
        about = ids.about(came_back)
        bounce = replace(_message(mail, arrival, mailbox, answers), intent=Intent.BOUNCE, about=about, no_reply="")
        return replace(bounce, reply_to=came_back)
    refused = _refused(mail, ours, arrival.raw, mailbox)
    return Ignored(refused) if refused else _message(mail, arrival, mailbox, answers)


def _refused(mail: Mail, ours: str, raw: Any, mailbox: Mailbox) -> str:
    """Why nobody waits for an answer to a mail of the inbox; "" where somebody may."""
    flags = {str(flag).lower() for flag in raw.get("flags", ())}
    if ours:
        return "our own mail"
    own_group = mail.kind == "list" and mail.list_id == mailbox.address.replace("@", ".").lower()  # the mailbox is a group itself
    if mail.automatic and mail.why_not != BULK_MARK and not own_group:
        return f"{mail.kind}: {mail.why_not}"
    if "\\answered" in flags:
        return "answered by hand"
    return "a draft or a deleted mail" if flags & {"\\draft", "\\deleted"} else ""


def _message(mail: Mail, arrival: Arrival, mailbox: Mailbox, answers: tuple[str, ...]) -> Message:
    text, whole, subject = question_text(mail.text)[:MAX_TEXT], mail.text[:MAX_TEXT], bare(mail.subject)
    replies = bool(answers) or subject != mail.subject
    token = ids.noticed(mailbox.secret, answers, mail.subject)
    refused = mail.why_not if token is None or mail.kind != "person" or mail.why_not not in FORM else ""
    if not whole and not mail.attachments and not refused:
        if replies:
            refused = "it says nothing of its own"
        else:
            text = whole = subject
            subject = ""
    if token is None and not refused and ids.claimed(answers, mail.subject):
        refused = "a token that is not ours"
    files = ", ".join(mail.attachments)
    command = _COMMAND.fullmatch(text)
    sender = f"email:{mail.sender}" if mail.sender else "email:unknown"
    asked = mailbox.authserv_id
    proven = not asked or vouched(mail.results, asked, mail.sender.rpartition("@")[2])
    return Message(
        id=arrival.key,
        channel="email",
        sender=sender,
        chat=sender,
        text=text,
        whole=whole,
        received_at=arrival.received_at,
        intent=Intent.COMMAND if command else Intent.MEDIA if files and not text else Intent.TEXT,
        command=plain(command[1]) if command else "",
        name=mail.name or mail.sender.partition("@")[0],
        native_id=mail.message_id,
        reply_to=next((a for a in answers if ids.kind_of(mailbox.secret, a)), ""),
        about=token.about if token else None,
        use=token.use if token else 0,
        subject=subject if subject and not replies else None,
        media=f"pièce jointe {files}" if files else "",
        no_reply=refused,
        bulk=mail.why_not == BULK_MARK,
        unproven="" if proven else "our mail server does not vouch for its sender",
        vouched=bool(asked) and proven,
        thread=_thread(mail, arrival, answers),
    )


def _thread(mail: Mail, arrival: Arrival, answers: tuple[str, ...]) -> dict[str, Any]:
    """What is needed to answer in the thread, to find the mail on the server again, and to know a hand-written answer."""
    return {
        "message_id": mail.message_id,
        "references": list(mail.references[-MAX_REFERENCES:]),
        "answers": list(answers[:MAX_REFERENCES]),
        "subject": mail.subject,
        "quote": mail.text[:MAX_QUOTE],
        "sent": mail.sent,
        "name": mail.name,
        "to": list(mail.to),
        "marks": [arrival.raw["mark"]],
    }
