"""The marks by which an input is known again: keys, fingerprints, stamps, and the words that a person reads of it."""

from __future__ import annotations

import hashlib
import re
from datetime import datetime

from bot.core.model import Intent, Message, Reading
from bot.core.text import plain


def key(message: Message) -> str:
    """What this input is known by; each edit of a message is an input of its own."""
    edit = hashlib.sha256(message.text.encode("utf-8", "replace")).hexdigest()[:8]
    return f"{message.id}:edit:{edit}" if message.intent is Intent.EDIT else message.id


def pressed_mark(message: Message) -> str:
    return f"{message.reply_to}:{message.press}" if message.intent is Intent.PRESS else ""


def stamp(at: datetime) -> str:
    return str(int(at.timestamp() * 1_000_000))


def digest(reading: Reading, text: str = "") -> str:
    """A short fingerprint of what was decided; what goes to a person differs with its words too."""
    words = plain(text) if reading.escalate or reading.health else ""
    told = (reading.topics, reading.labels, reading.options, reading.format, reading.aside, reading.escalate, words)
    return hashlib.sha256(repr(told).encode()).hexdigest()[:16]


def words_of(message: Message) -> str:
    """What a person reads of a message: all of it, and the names of what hangs on it."""
    text = message.whole or message.text
    if message.media:
        text = f"[{message.media}] {text}".strip()
    return f"{message.subject} — {text}" if message.subject else text


def file_words(message: Message) -> str:
    return re.sub(r"[\W_]+", " ", message.media)
