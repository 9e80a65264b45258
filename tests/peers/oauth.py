"""Servers that take an access token and no password, as Gmail and Microsoft 365 do: SASL XOAUTH2 on IMAP and on SMTP."""

from __future__ import annotations

import asyncio
import base64
import contextlib
from dataclasses import dataclass, field
from pathlib import Path

from aiosmtpd.smtp import MISSING, SMTP, AuthResult

from tests.peers.mail import PASSWORD, USER, Imap, Smtp

CHALLENGE = b'{"status":"401","schemes":"bearer"}'


@dataclass
class Tokens:
    """What a provider holds good now, and a command that prints what the client has: a file, as a token helper keeps one."""

    file: Path
    good: str = ""
    refused: int = 0

    def issue(self, token: str, *, known: bool = True) -> None:
        """known: whether the client's command prints it."""
        self.good = token
        if known:
            self.file.write_text(token + "\n")

    @property
    def command(self) -> str:
        return f"cat {self.file}"

    def holds(self, given: bytes) -> bool:
        right = given == f"user={USER}\1auth=Bearer {self.good}\1\1".encode()
        self.refused += not right
        return right


@dataclass
class OAuthSmtp(Smtp):
    tokens: Tokens = field(default_factory=lambda: Tokens(Path()))

    def server(self) -> SMTP:
        return SMTP(self, hostname="smtp.example", auth_required=True, auth_require_tls=False, auth_exclude_mechanism=PLAIN)

    async def auth_XOAUTH2(self, server: SMTP, args: list[str]) -> AuthResult:
        given = base64.b64decode(args[1]) if len(args) > 1 else await server.challenge_auth("")
        if given is not MISSING and self.tokens.holds(bytes(given)):  # type: ignore[arg-type]
            return AuthResult(success=True)
        await server.challenge_auth(CHALLENGE)
        return AuthResult(success=False, handled=False)

    @property
    def url(self) -> str:
        return f"smtp://{USER}@127.0.0.1:{self.port}"


PLAIN = ("PLAIN", "LOGIN")


class Gate:
    """Stands before an IMAP server: lets in whoever brings the token, logs in for them, and hands everything on."""

    def __init__(self, imap: Imap, tokens: Tokens) -> None:
        self._imap = imap
        self.tokens = tokens
        self.passed = 0
        self._open: set[asyncio.StreamWriter] = set()

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.url = f"imap://{USER}@127.0.0.1:{self._server.sockets[0].getsockname()[1]}/INBOX"

    async def stop(self) -> None:
        self._server.close()
        self.drop()

    def drop(self) -> None:
        """End all connections, as a provider does when a token runs out."""
        for writer in self._open:
            writer.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open.add(writer)
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            writer.write(b"* OK [CAPABILITY IMAP4rev1 AUTH=XOAUTH2] ready\r\n")
            while line := await reader.readline():
                tag, _, command = line.decode().strip().partition(" ")
                if command.upper() == "AUTHENTICATE XOAUTH2":
                    if await self._authenticated(reader, writer, tag):
                        await self._handed_on(reader, writer, tag)
                        break
                elif command.upper() == "CAPABILITY":
                    writer.write(f"* CAPABILITY IMAP4rev1 AUTH=XOAUTH2\r\n{tag} OK done\r\n".encode())
                else:
                    writer.write(f"{tag} NO [PRIVACYREQUIRED] a token is wanted\r\n".encode())
        self._open.discard(writer)
        writer.close()

    async def _authenticated(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, tag: str) -> bool:
        writer.write(b"+ \r\n")
        if self.tokens.holds(base64.b64decode(await reader.readline())):
            return True
        writer.write(b"+ " + base64.b64encode(CHALLENGE) + b"\r\n")
        await reader.readline()
        writer.write(f"{tag} NO [AUTHENTICATIONFAILED] Invalid credentials\r\n".encode())
        return False

    async def _handed_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, tag: str) -> None:
        behind, onward = await asyncio.open_connection("127.0.0.1", self._imap.port)
        self._open.add(onward)
        await behind.readline()
        onward.write(f'in LOGIN {USER} "{PASSWORD}"\r\n'.encode())
        while not (await behind.readline()).startswith(b"in OK"):
            pass
        self.passed += 1
        writer.write(f"{tag} OK [CAPABILITY IMAP4rev1 IDLE] done\r\n".encode())
        await asyncio.gather(_piped(reader, onward), _piped(behind, writer))


async def _piped(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while data := await source.read(65536):
            sink.write(data)
            await sink.drain()
    sink.close()
