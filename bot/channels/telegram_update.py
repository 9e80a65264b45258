"""A raw Telegram update to a Message, or the reason why it asks for no answer. Pure."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from telegram import CallbackQuery, Update, User
from telegram import Message as Sent

from bot.channels.signed import opened
from bot.core.model import Ignored, Intent, Message
from bot.core.text import clean, plain

MAX_TEXT = 8000  # characters kept of one message; Telegram itself sends at most 4096
_COMMAND = re.compile(r"/([A-Za-zÀ-ÿ_0-9]{1,32})(?:@(\w+))?(?:\s+|$)")
_MEDIA = {
    "photo": "photo",
    "document": "document",
    "voice": "message vocal",
    "audio": "audio",
    "video": "vidéo",
    "video_note": "message vidéo",
    "location": "position",
    "contact": "fiche de contact",
}


@dataclass(frozen=True, slots=True)
class Me:
    """The bot itself, and the key that signs its buttons."""

    id: int
    username: str
    secret: bytes


def person_of(raw: Mapping[str, Any]) -> str:
    """Whose update it is, as far as its raw form says; "" where it does not. Never raises."""
    for kind in ("message", "edited_message", "callback_query"):
        part = raw.get(kind)
        sender = part.get("from") if isinstance(part, dict) else None
        if isinstance(sender, dict) and isinstance(sender.get("id"), int):
            return f"telegram:{sender['id']}"
    return ""


def key_of(raw: Mapping[str, Any]) -> str:
    """What makes an update the same as one seen before: a webhook and a poll, or a retry, give equal keys."""
    kind = next((k for k in ("message", "edited_message", "callback_query") if isinstance(raw.get(k), dict)), "")
    part = raw.get(kind) or {}
    chat = part.get("chat")
    if kind == "callback_query" and part.get("id"):
        return f"telegram:press:{part['id']}"
    if kind and isinstance(chat, dict) and part.get("message_id"):
        told = hashlib.sha256(str(part.get("text", "")).encode("utf-8", "replace")).hexdigest()[:8]
        edit = f":{part['edit_date']}:{told}" if "edit_date" in part else ""  # two edits may fall into one second
        return f"telegram:{kind}:{chat.get('id')}:{part['message_id']}{edit}"
    return f"telegram:update:{raw.get('update_id')}"


def read(raw: Mapping[str, Any], me: Me, received_at: datetime) -> Message | Ignored:
    """Raises ValueError for an update that cannot be read at all."""
    try:
        update = Update.de_json(dict(raw), None)
    except Exception as error:  # the library raises whatever a malformed field leads to
        raise ValueError(f"an update that does not parse: {type(error).__name__}") from error
    if update.callback_query is not None:
        return _press(update.callback_query, me, received_at)
    sent = update.message or update.edited_message
    if sent is None:
        return Ignored("an update that is no message")
    message = _message(sent, me, received_at)
    if isinstance(message, Message) and update.edited_message is not None:
        if message.intent is not Intent.TEXT:
            return Ignored("an edited command or caption")
        return replace(message, intent=Intent.EDIT)
    return message


def _press(query: CallbackQuery, me: Me, received_at: datetime) -> Message | Ignored:
    if query.message is None or not query.data:
        return Ignored("a button without its message")
    owner = f"telegram:{query.from_user.id}"
    code = opened(me.secret, owner, query.data)
    if code is None:
        return Ignored("a button that is not theirs")
    chat = query.message.chat
    return Message(
        id=f"telegram:press:{query.id}",
        channel="telegram",
        sender=owner,
        chat=f"telegram:{chat.id}",
        text="",
        received_at=received_at,
        intent=Intent.PRESS,
        press=code,
        reply_to=str(query.message.message_id),
        quoted=(getattr(query.message, "text", None) or "")[:MAX_TEXT],
        name=_name(query.from_user),
        group=chat.type != "private",
    )


def _message(sent: Sent, me: Me, received_at: datetime) -> Message | Ignored:
    if sent.from_user is None or sent.sender_chat is not None:
        return Ignored("nobody's message")
    if sent.from_user.is_bot:
        return Ignored("another bot's message")
    group = sent.chat.type != "private"
    text = clean((sent.text or sent.caption or "")[:MAX_TEXT])
    said = _addressed(sent, text, me) if group else text
    if said is None:
        return Ignored("not addressed to us")
    message = Message(
        id=f"telegram:{sent.chat.id}:{sent.message_id}",
        channel="telegram",
        sender=f"telegram:{sent.from_user.id}",
        chat=f"telegram:{sent.chat.id}",
        text=said,
        received_at=received_at,
        name=_name(sent.from_user),
        native_id=str(sent.message_id),
        reply_to=str(sent.reply_to_message.message_id) if sent.reply_to_message else "",
        quoted=_quoted(sent, me),
        group=group,
    )
    media = _media(sent)
    if media:
        return replace(message, intent=Intent.MEDIA, media=media)
    command = _COMMAND.match(said)
    if command and (not command[2] or command[2].lower() == me.username.lower()):
        return replace(message, intent=Intent.COMMAND, command=plain(command[1]), text=said[command.end() :] or said)
    if command:
        return Ignored("another bot's command")
    return message if said else Ignored("no text that we read")


def _addressed(sent: Sent, text: str, me: Me) -> str | None:
    """The words that a group's message says to us, without our name; None where it is not for us."""
    mention = re.compile(rf"@{re.escape(me.username)}\b", re.I)
    to_us = sent.reply_to_message is not None and sent.reply_to_message.from_user is not None
    if mention.search(text) or text.startswith("/"):
        return text if text.startswith("/") else clean(mention.sub(" ", text))
    if to_us and sent.reply_to_message.from_user.id == me.id:  # type: ignore[union-attr]
        return text
    return None


def _quoted(sent: Sent, me: Me) -> str:
    answered = sent.reply_to_message
    ours = answered is not None and answered.from_user is not None and answered.from_user.id == me.id
    return (answered.text or "")[:MAX_TEXT] if ours and answered is not None else ""


def _media(sent: Sent) -> str:
    for field, name in _MEDIA.items():
        content = getattr(sent, field, None)
        if content:
            file = clean(getattr(content, "file_name", None) or "")[:80]
            return f"{name} {file}".strip()
    return ""


def _name(user: User) -> str:
    return clean(user.full_name or "")[:60]
