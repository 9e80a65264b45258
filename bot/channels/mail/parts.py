"""The headers and parts of a parsed mail, read so that nothing hostile in them raises or costs. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from email.message import Message as Part
from email.parser import BytesParser
from email.policy import compat32
from email.utils import getaddresses

from bot.channels.mail.decode import as_text, decoded, limited, part_text
from bot.core.text import clean

MAX_PARTS = 60
MAX_NAME = 60
_ENCODED = re.compile(r"=\?[^?\s]{1,40}\?[bqBQ]\?[^?\s]*\?=")
_WORTHLESS_FILES = re.compile(r"(?:smime\.p7s|signature\.asc|.*\.vcf|image\d{3}\.\w{3,4}|outlook-\w+\.\w{3,4})$", re.I)


def values(mail: Part, name: str) -> list[str]:
    """A header's values as they stand there, each time that it does; bytes outside ASCII as lone surrogates."""
    return [str(value) for key, value in mail.raw_items() if key.lower() == name.lower()]


def header(mail: Part, name: str) -> str:
    """A header's words on one line; "" where it has none."""
    return clean(decoded(next(iter(values(mail, name)), "")[:4000]))


def addresses(mail: Part, name: str) -> tuple[tuple[str, str], ...]:
    """(address, name) of each different person that a header names; what has no form of an address is left out."""
    raw = [_readable(value[:2000]) for value in values(mail, name)]
    # the parser of Python 3.11.2 gives up at an encoded name with a colon or an "@" in it: then without the name
    nameless = [_ENCODED.sub("x", value) for value in raw]
    return _well_formed(getaddresses(raw)) or _well_formed(("", address) for _, address in getaddresses(nameless))


def _well_formed(pairs: Iterable[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    found: dict[str, str] = {}
    for shown, address in pairs:
        address = clean(address).strip("<>").lower()
        if re.fullmatch(r"[^@\s<>()\[\],;:\"\\]{1,64}@[\w.-]{1,190}\w", address) and "=?" not in address:
            found.setdefault(address, clean(decoded(shown))[:MAX_NAME])
    return tuple(found.items())


def sender_of(raw: bytes) -> str:
    """The one address of a raw mail's From, "" where it names nobody or several. Never raises."""
    try:
        found = addresses(BytesParser(policy=compat32).parsebytes(limited(raw)[0], headersonly=True), "From")
    except Exception:  # the parser raises whatever a hostile header leads to
        return ""
    return found[0][0] if len(found) == 1 else ""


def topmost(raw: bytes) -> str:
    """The value of the first header of a few that a server gave."""
    return next(
        (str(value) for _, value in BytesParser(policy=compat32).parsebytes(raw[:64_000], headersonly=True).raw_items()), ""
    )


def _readable(raw: str) -> str:
    """Bytes that no charset announces are UTF-8 (RFC 6532) or, in older mails, Latin 1."""
    return raw if raw.isascii() else as_text(raw.encode("utf-8", "surrogateescape"), "")


def walked(mail: Part) -> Iterator[Part]:
    """The parts of this very mail, not of those attached to it; without recursion."""
    waiting, count = [mail], 0
    while waiting and count < MAX_PARTS:
        part = waiting.pop(0)
        count += 1
        yield part
        payload = part.get_payload()
        if part.get_content_maintype() == "multipart" and isinstance(payload, list):
            waiting[:0] = [inner for inner in payload if isinstance(inner, Part)]


def contents(mail: Part) -> tuple[str, str, list[str]]:
    """(plain text, HTML, names of the files), each text in the order of its parts."""
    plain: list[str] = []
    html: list[str] = []
    files: list[str] = []
    for part in walked(mail):
        kind = part.get_content_type()
        name = _file(part)
        if part.get_content_maintype() == "multipart":
            if isinstance(part.get_payload(), str):  # its boundary stands nowhere: all that it holds is its words
                plain.append(part_text(part))
            continue
        if kind in ("text/plain", "text/html") and not name and part.get_content_disposition() != "attachment":
            (plain if kind == "text/plain" else html).append(part_text(part))
        elif _counts(part, kind, name):
            files.append(name or _called(kind))
    return "\n".join(plain), "\n".join(html), list(dict.fromkeys(files))


def _called(kind: str) -> str:
    """What a file without a name is called: by its type, which its sender may have made up."""
    return "mail" if kind == "message/rfc822" else re.sub(r"[^a-z0-9.+-]", "", kind.partition("/")[2])[:40] or "fichier"


def _counts(part: Part, kind: str, name: str) -> bool:
    """Whether a part is something that a person would call an attachment: no logo, signature, card or invitation."""
    if kind in ("text/calendar", "application/ics") or "pkcs7" in kind or "pgp" in kind or _WORTHLESS_FILES.fullmatch(name):
        return False
    shown_within = part.get_content_maintype() == "image" and part.get("Content-ID") is not None
    return part.get_content_disposition() == "attachment" or not shown_within


def _file(part: Part) -> str:
    """The name that a file calls itself, without path, controls or direction marks; "" where it has none."""
    try:
        name = part.get_filename() or ""
    except Exception:  # RFC 2231 parameters that do not hold together
        name = "?"
    if "\ufffd" in name:  # bytes that no charset announces
        name = _typed_name(part) or name
    return clean(decoded(str(name)))[:200].replace("\\", "/").rpartition("/")[2][:80]


def _typed_name(part: Part) -> str:
    """A file's name as its bytes stand in the header."""
    named = (
        re.search(r'name\s*=\s*"?([^";]{1,200})', v) for h in ("Content-Disposition", "Content-Type") for v in values(part, h)
    )
    return next((_readable(found[1]) for found in named if found), "")
