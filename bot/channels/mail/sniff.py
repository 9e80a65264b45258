"""A file that may be a whole mail, a page of HTML or a body alone. Pure."""

from __future__ import annotations

import re

from bot.channels.mail.decode import as_text
from bot.channels.mail.html import text_of
from bot.channels.mail.read import Mail, read_mail, read_text

_HEADER = re.compile(rb"From [^:\n]|[!-9;-~]{1,60}[ \t]*:")
_KNOWN = re.compile(
    rb"^(?:From [^:\s]|(?:From|Received|Return-Path|Delivered-To|Message-ID|MIME-Version|Content-Type|Date|Subject"
    rb"|To|Sender|X-[\w-]+)[ \t]*:)",
    re.I | re.M,
)


def read_any(raw: bytes, name: str = "") -> Mail:
    """Read a file as what it looks like; a name that ends in .eml settles it."""
    head = re.split(rb"\r?\n\r?\n", raw.lstrip(b"\r\n"), maxsplit=1)[0]
    headers = {found.lower() for found in _KNOWN.findall(head)}
    if name.endswith(".eml") or (len(headers) >= 2 and _HEADER.match(raw.lstrip(b"\r\n")) is not None):
        return read_mail(raw)
    text = as_text(raw, "utf-8")
    if re.match(r"\s*<(?:!doctype|html|\?xml|body|div|p|head|meta)\b", text, re.I):
        return read_text(text_of(text))
    return read_text(text)
