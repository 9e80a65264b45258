"""A mailbox and a way out of our own: a real IMAP server in a process of its own, a real SMTP server that can refuse or hang."""

from __future__ import annotations

import asyncio
import email
import socket
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.policy import default
from typing import Any, TypeVar

from aiosmtpd.smtp import SMTP, Envelope, Session
from imapclient import IMAPClient

T = TypeVar("T")
USER, PASSWORD = "contact", "p@ss/wort"
CONTACT_BOX = "contact@accueil.example"
PATIENCE = 40.0  # seconds


async def until(look: Callable[[], Awaitable[T]], wanted: Callable[[T], bool]) -> T:
    """Look again and again until what is seen is what is wanted. Raises TimeoutError."""
    async with asyncio.timeout(PATIENCE):
        while not wanted(found := await look()):  # noqa: ASYNC110 - what it looks at is another process
            await asyncio.sleep(0.1)
        return found


def free_port() -> int:
    """For what runs outside of pytest, whose plugin gives the tests theirs."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


class Imap:
    """pymap, with its mailbox in memory: gone when it ends."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.url = f"imap://{USER}:p%40ss%2Fwort@127.0.0.1:{port}/INBOX"
        self._process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        server = (
            sys.executable,
            "-c",
            "from pymap.main import main; main()",
            "--host",
            "127.0.0.1",
            "--port",
            str(self.port),
            "--no-tls",
            "dict",
        )
        account = ("--demo-user", USER, "--demo-password", PASSWORD)
        self._process = await asyncio.create_subprocess_exec(*server, *account, stderr=asyncio.subprocess.DEVNULL)
        await self._answers()
        for folder in ("Sent", "Brouillons"):
            await self.do(lambda client, name=folder: client.create_folder(name))

    async def _answers(self) -> None:
        """Wait until the server takes connections."""
        async with asyncio.timeout(PATIENCE):
            while True:
                try:
                    _, writer = await asyncio.open_connection("127.0.0.1", self.port)
                    writer.close()
                    return
                except OSError:
                    await asyncio.sleep(0.05)

    async def stop(self) -> None:
        if self._process is not None and self._process.returncode is None:
            self._process.kill()
            await self._process.wait()

    def login(self) -> IMAPClient:
        client = IMAPClient("127.0.0.1", self.port, ssl=False, timeout=20)
        client.login(USER, PASSWORD)
        return client

    async def do(self, work: Callable[[IMAPClient], T]) -> T:
        def connected() -> T:
            client = self.login()
            try:
                return work(client)
            finally:
                client.logout()

        return await asyncio.to_thread(connected)

    async def deliver(self, mail: bytes, folder: str = "INBOX", flags: tuple[str, ...] = ()) -> None:
        await self.do(lambda client: client.append(folder, mail, flags=flags))

    async def flags(self, message_id: str, folder: str = "INBOX") -> set[str]:
        """The flags of a mail, found by its Message-ID."""

        def found(client: IMAPClient) -> set[str]:
            client.select_folder(folder, readonly=True)
            for answer in client.fetch(client.search("ALL"), ["FLAGS", "BODY.PEEK[]"]).values():
                if message_id.encode() in answer.get(b"BODY[]", b""):
                    return {flag.decode() for flag in answer[b"FLAGS"]} - {"\\Recent"}
            raise LookupError(message_id)

        return await self.do(found)

    async def mails(self, folder: str) -> list[Any]:
        def found(client: IMAPClient) -> list[Any]:
            client.select_folder(folder, readonly=True)
            answers = client.fetch(client.search("ALL"), ["BODY.PEEK[]"]).values()
            return [email.message_from_bytes(a[b"BODY[]"], policy=default) for a in answers if b"BODY[]" in a]

        return await self.do(found)


@dataclass
class Smtp:
    """aiosmtpd. ``inboxes``: addresses whose mail is put into that IMAP server's INBOX, as a provider would.

    files: where it puts a copy of what it takes, as some providers do. cuts: how many of the next mails it takes and then
    breaks the connection instead of answering. held: it takes mails and answers once this is set.
    """

    inboxes: dict[str, Imap] = field(default_factory=dict)
    refuse: list[str] = field(default_factory=list)  # answers to the next mails, instead of taking them
    files: Imap | None = None
    cuts: int = 0
    held: asyncio.Event | None = None
    sent: list[Any] = field(default_factory=list)
    envelopes: list[Envelope] = field(default_factory=list)
    port: int = 0

    async def start(self) -> None:
        self._server = await asyncio.get_running_loop().create_server(self.server, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    def server(self) -> SMTP:
        """One connection's."""
        return SMTP(self, hostname="smtp.example", enable_SMTPUTF8=True)

    async def stop(self) -> None:
        self._server.close()

    @property
    def url(self) -> str:
        return f"smtp://127.0.0.1:{self.port}"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        if self.refuse:
            return self.refuse.pop(0)
        content = envelope.content if isinstance(envelope.content, bytes) else b""
        self.envelopes.append(envelope)
        self.sent.append(email.message_from_bytes(content, policy=default))
        for to in envelope.rcpt_tos:
            if to in self.inboxes:
                await self.inboxes[to].deliver(content)
        if self.files is not None:
            await self.files.deliver(content, "Sent", ("\\Seen",))
        if self.cuts and server.transport is not None:
            self.cuts -= 1
            server.transport.abort()
        if self.held is not None:
            await self.held.wait()
        return "250 OK"

    def to(self, address: str) -> list[Any]:
        return [mail for mail in self.sent if address in str(mail["To"])]

    async def mail_to(self, address: str, words: str) -> Any:
        """Wait for a mail to an address that holds these words (blanks of all kinds are equal)."""

        async def found() -> list[Any]:
            return [mail for mail in self.to(address) if words in body(mail)]

        return (await until(found, bool))[0]


def body(mail: Any) -> str:
    part = mail.get_body(("plain",))
    return str(part.get_content()).replace("\u00a0", " ") if part else ""


def by_hand(to: str, answers: str) -> bytes:
    """What the trainer writes to a learner in the contact mailbox itself, as it lies in the Sent folder."""
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = CONTACT_BOX, to, "Re: votre question"
    mail["Message-ID"], mail["In-Reply-To"] = f"<hand-{answers}>", f"<{answers}>"
    mail.set_content("Oui.")
    return mail.as_bytes()


def letter(sender: str, subject: str, text: str, message_id: str, answers: Any = None, **headers: str) -> bytes:
    """A mail as a person's program writes it."""
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"], mail["Message-ID"] = sender, CONTACT_BOX, subject, f"<{message_id}>"
    mail["Date"] = "Tue, 03 Nov 2026 09:12:00 +0100"
    if answers is not None:
        mail["In-Reply-To"] = answers["Message-ID"]
        mail["References"] = f"{answers.get('References', '')} {answers['Message-ID']}".strip()
    for name, value in headers.items():
        mail[name.replace("_", "-")] = value
    mail.set_content(text)
    return mail.as_bytes()
