"""Where a mail server is reached and how: the addresses ``imaps://user:password@host:993/INBOX`` and the like. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from ipaddress import ip_address
from typing import Literal
from urllib.parse import unquote, urlsplit

Security = Literal["tls", "starttls", "plain"]
_PORTS: dict[str, tuple[Security, int]] = {
    "imaps": ("tls", 993),
    "imap+starttls": ("starttls", 143),
    "imap": ("plain", 143),
    "smtps": ("tls", 465),
    "smtp+starttls": ("starttls", 587),
    "smtp": ("plain", 25),
}


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A server and an account on it. The password is kept out of ``repr``."""

    security: Security
    host: str
    port: int
    user: str = ""
    password: str = field(default="", repr=False)
    folder: str = ""


@dataclass(frozen=True, slots=True)
class Postbox:
    """The contact mailbox: how it is reached and used.

    drafts: answers are filed for the trainer to send. Folders: "" to find them. poll: seconds between two looks, whatever
    the server announces. since: mails from this day on are taken although they are older than the first start. authserv_id:
    the name under which the mailbox's own server vouches for a sender, "" where it does not. token_command: prints an access
    token where an account has no password.
    """

    imap: Endpoint
    smtp: Endpoint
    address: str
    name: str = ""
    drafts: bool = False
    sent_folder: str = ""
    drafts_folder: str = ""
    poll: float = 120.0
    since: date | None = None
    authserv_id: str = ""
    token_command: str = field(default="", repr=False)


def parse(raw: str, protocol: Literal["imap", "smtp"], *, tokens: bool = False) -> Endpoint:
    """Read an address, percent-encoded where it must be. tokens: a password may be missing, a command prints what stands for it.

    Raises ValueError, without the address: it holds a password.
    """
    schemes = [name for name in _PORTS if name.startswith(protocol)]
    try:
        parts = urlsplit(raw)
        port = parts.port
    except ValueError:
        raise ValueError(
            "not an address; percent-encode what is special in the user and the password (@ is %40, / is %2F)"
        ) from None
    if parts.scheme not in schemes or not parts.hostname:
        raise ValueError(f"not an address of the form {schemes[0]}://user:password@host")
    security, usual = _PORTS[parts.scheme]
    if security == "plain" and not _is_loopback(parts.hostname):
        raise ValueError(f"{parts.scheme}:// would send the password in clear; use {schemes[0]}:// or {schemes[1]}://")
    if protocol == "imap" and not (parts.username and (parts.password or tokens)):
        raise ValueError(f"lacks the user or the password: {parts.scheme}://user:password@host")
    if parts.username and not (parts.password or tokens):
        raise ValueError("names a user without a password")
    return Endpoint(
        security=security,
        host=parts.hostname,
        port=port or usual,
        user=unquote(parts.username or ""),
        password=unquote(parts.password or ""),
        folder=unquote(parts.path.strip("/")),
    )


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
