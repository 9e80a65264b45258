"""Bytes of a mail to text, whatever their charset says, and within limits set before anything is parsed. Pure."""

from __future__ import annotations

import codecs
import re
from email.errors import HeaderParseError
from email.header import decode_header
from email.message import Message as Part

MAX_BYTES = 600_000  # of one mail that are looked at
TOO_LARGE = "too large to be read whole"
MAX_HEADERS = 64_000  # bytes of its header, and of one line anywhere that may be a header
MAX_LINE = 8_000
MAX_BOUNDARIES = 100
MAX_MARKS = 2_000  # lines that may be a boundary

_NOT_TEXT = frozenset("idna punycode unicode_escape raw_unicode_escape undefined utf_7 mbcs oem".split())


def limited(raw: bytes) -> tuple[bytes, str]:
    """The mail as far as it is parsed, and why the rest is not ("" where all of it is)."""
    fault = "" if len(raw) <= MAX_BYTES else TOO_LARGE
    raw = raw[:MAX_BYTES]
    end = re.search(rb"\r?\n\r?\n", raw)
    head = raw[: end.start()] if end else raw
    if len(head) > MAX_HEADERS or any(len(line) > MAX_LINE for line in head.splitlines()):
        lines = (line[:MAX_LINE] for line in head[:MAX_HEADERS].splitlines())
        raw = b"\r\n".join(lines) + (raw[end.start() :] if end else b"")
    many = raw.lower().count(b"boundary=") > MAX_BOUNDARIES or len(re.findall(rb"^--", raw, re.M)) > MAX_MARKS
    if many:  # the parser's cost grows with them, and its stack with their depth
        return raw[: end.start() if end else len(raw)] + b"\r\n\r\n", "too many parts"
    return raw, fault


def decoded(words: str) -> str:
    """RFC 2047 words as text; what cannot be decoded stays as it is."""
    words = " ".join(words.split())
    if "=?" not in words:
        return as_text(words.encode("utf-8", "surrogateescape"), "") if not words.isascii() else words
    try:
        pieces = decode_header(words)
    except (HeaderParseError, ValueError, IndexError):
        return words
    text = "".join(p if isinstance(p, str) else as_text(p, charset or "") for p, charset in pieces)
    return " ".join(text.split())  # an encoded line feed would end the header wherever it is written again


def part_text(part: Part) -> str:
    """A text part's words."""
    payload = part.get_payload(decode=True)
    if not isinstance(payload, bytes):
        return ""
    try:
        charset = part.get_content_charset() or ""
    except (LookupError, ValueError, UnicodeError):
        charset = ""
    return as_text(payload, charset)


def as_text(data: bytes, charset: str) -> str:
    """By the charset named if it fits, else UTF-8 if that fits, else as Windows does in western Europe."""
    for name in (_known(charset), "utf-8", "cp1252"):
        if name:
            try:
                return data.decode(name)
            except (UnicodeError, ValueError):
                continue
    return data.decode(_known(charset) or "cp1252", "replace")


def _known(charset: str) -> str:
    """The codec's own name, "" for what is no charset or too costly to be tried."""
    try:
        found = codecs.lookup(charset.strip("\"' ")[:40])
    except (LookupError, ValueError):
        return ""
    text = getattr(found, "_is_text_encoding", True)
    return found.name if text and found.name.replace("-", "_") not in _NOT_TEXT else ""
