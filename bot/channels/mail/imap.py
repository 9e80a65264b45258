"""One IMAP connection: what came in since a UID, a flag set, a draft filed. It blocks; a ``Line`` runs it in a thread.

Nothing here deletes, moves or sets a flag unasked: folders are opened read-only to be read, bodies are peeked at.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import select
import socket
import ssl
import threading
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any, TypeVar

from imapclient import IMAPClient
from imapclient.exceptions import LoginError
from imapclient.imapclient import SocketTimeout

from bot.channels.mail.bearer import Bearer
from bot.channels.mail.decode import MAX_BYTES
from bot.channels.mail.smtp import without_addresses
from bot.core.endpoint import Endpoint
from bot.errors import ChannelError

T = TypeVar("T")
CONNECT, ANSWER = 10.0, 30.0  # seconds for the connection, for one answer of the server
PEEK = b"BODY[]<0>"
RESULTS, LATEST = "HEADER.FIELDS (AUTHENTICATION-RESULTS)", 30
SPECIAL = {"sent": b"\\Sent", "drafts": b"\\Drafts"}
NAMES = {
    "sent": "sent|sent items|sent messages|sent mail|envoyés|éléments envoyés|messages envoyés|courrier envoyé|objets envoyés",
    "drafts": "drafts|draft|brouillons|brouillon",
}


@dataclass(frozen=True, slots=True)
class Fetched:
    """A mail on the server; ``raw`` is cut at ``decode.MAX_BYTES`` and one."""

    uid: int
    raw: bytes
    flags: tuple[str, ...]
    arrived_at: datetime | None


class Session:
    """A logged-in connection. Every method may raise OSError or imaplib's errors: then the connection is of no more use."""

    def __init__(self, endpoint: Endpoint, bearer: Bearer | None = None) -> None:
        self._endpoint = endpoint
        self._bearer = bearer
        self._opened: IMAPClient | None = None
        self._stopped = threading.Event()

    def open(self) -> None:
        """Connect and log in. Raises LoginError where the server refuses the account, ChannelError where there is no token."""
        if self._bearer is None or self._endpoint.password:
            self._connect().login(self._endpoint.user, self._endpoint.password)
            return
        token = self._bearer.token()
        try:
            self._connect().oauth2_login(self._endpoint.user, token)
        except LoginError:  # it may have run out: one new token, on a new connection
            self._hang_up()
            self._connect().oauth2_login(self._endpoint.user, self._bearer.token(refused=token))

    def _connect(self) -> IMAPClient:
        there, encrypted = self._endpoint, ssl.create_default_context()
        self._opened = IMAPClient(
            there.host,
            port=there.port,
            ssl=there.security == "tls",
            ssl_context=encrypted,
            timeout=SocketTimeout(CONNECT, ANSWER),
        )
        self._opened.normalise_times = False
        if there.security == "starttls":
            self._opened.starttls(encrypted)
        return self._opened

    @property
    def _client(self) -> IMAPClient:
        if self._opened is None or self._stopped.is_set():
            raise OSError("the connection is closed")
        return self._opened

    def folder(self, role: str, named: str = "") -> str | None:
        """The Sent or the Drafts folder: as named, else by SPECIAL-USE, else by its usual names; None where there is none."""
        known = [(flags, _text(name), _text(delimiter or b"/")) for flags, delimiter, name in self._client.list_folders()]
        if named:
            return next((name for _, name, _ in known if name.lower() == named.lower()), None)
        for flags, name, _ in known:
            if SPECIAL[role] in flags:
                return name
        usual = NAMES[role].split("|")
        return next((name for _, name, delimiter in known if name.rpartition(delimiter)[2].lower() in usual), None)

    def examine(self, folder: str) -> tuple[int, int]:
        """Open a folder read-only: (UIDVALIDITY, the highest UID so far)."""
        status = self._client.select_folder(folder, readonly=True)
        following = status.get(b"UIDNEXT")
        last = int(following) - 1 if following else max(self._client.search("ALL"), default=0)
        return int(status.get(b"UIDVALIDITY", 0)), last

    def after(self, uid: int) -> list[int]:
        """UIDs above one, in order. A range to the end always names the last mail, whatever its UID."""
        return sorted(found for found in self._client.search(["UID", f"{uid + 1}:*"]) if found > uid)

    def since(self, day: date) -> list[int]:
        return sorted(self._client.search(["SINCE", day]))

    def fetch(self, uids: Sequence[int]) -> list[Fetched]:
        answers = self._client.fetch(uids, ["FLAGS", "INTERNALDATE", f"BODY.PEEK[]<0.{MAX_BYTES + 1}>"])
        found = []
        for uid in uids:
            answer = answers.get(uid)
            if answer is None:
                continue  # gone meanwhile
            raw = answer.get(PEEK) or answer.get(b"BODY[]")
            if not raw:
                raise OSError("the server gives no content of a mail that it names")
            flags = tuple(_text(flag) for flag in answer.get(b"FLAGS", ()))
            found.append(Fetched(uid, bytes(raw)[: MAX_BYTES + 1], flags, _utc(answer.get(b"INTERNALDATE"))))
        return found

    def wait(self, seconds: float) -> None:
        """Until something changes in the folder that is open, or the time is over."""
        if not self._client.has_capability("IDLE"):
            self._stopped.wait(seconds)
            return
        self._client.idle()
        # not idle_check: it reads without blocking, and a line that comes in two pieces ends its connection
        connection = self._client.socket()
        if not (isinstance(connection, ssl.SSLSocket) and connection.pending()):
            poller = select.poll()
            poller.register(connection, select.POLLIN)
            poller.poll(seconds * 1000)
        self._client.idle_done()

    def mark(self, folder: str, validity: int, uid: int, add: Iterable[str], remove: Iterable[str]) -> None:
        """Set and take off flags of one mail; nothing where it is no longer there, or the folder was made anew."""
        status = self._client.select_folder(folder)
        if int(status.get(b"UIDVALIDITY", 0)) != validity:
            return
        if taken := list(remove):
            self._client.remove_flags([uid], taken, silent=True)
        if given := list(add):
            self._client.add_flags([uid], given, silent=True)

    def keeps(self, folder: str) -> frozenset[str]:
        """The flags that the server keeps for good in a folder."""
        status = self._client.select_folder(folder)
        return frozenset(_text(flag) for flag in status.get(b"PERMANENTFLAGS", ()))

    def results(self, folder: str) -> list[bytes]:
        """The Authentication-Results of the latest mails, all of each mail's in one."""
        latest = self.after(max(0, self.examine(folder)[1] - LATEST))
        answers = self._client.fetch(latest, [f"BODY.PEEK[{RESULTS}]"]) if latest else {}
        return [found for answer in answers.values() if (found := bytes(answer.get(f"BODY[{RESULTS}]".encode()) or b"").strip())]

    def find(self, folder: str, message_id: str) -> list[int]:
        self._client.select_folder(folder, readonly=True)
        return list(self._client.search(["HEADER", "Message-ID", message_id]))

    def file(self, folder: str, mail: bytes) -> None:
        """Put a draft into a folder, once: where its Message-ID is there already, nothing is done."""
        known = re.search(rb"(?im)^Message-ID:\s*<([^>]+)>", mail)
        if known and self.find(folder, known[1].decode()):
            return
        self._client.append(folder, mail, flags=(b"\\Draft",))

    def abort(self) -> None:
        """Called from another thread: whatever waits on the socket ends with an error."""
        self._stopped.set()
        self._hang_up()

    def _hang_up(self) -> None:
        if self._opened is not None:
            with contextlib.suppress(OSError):
                self._opened.socket().shutdown(socket.SHUT_RDWR)


class Line:
    """A session of its own thread: opened when it is needed, given up when it fails or hangs, opened again."""

    def __init__(self, endpoint: Endpoint, name: str, bearer: Bearer | None = None) -> None:
        self._endpoint = endpoint
        self._bearer = bearer
        self._thread = ThreadPoolExecutor(1, thread_name_prefix=name)
        self._session: Session | None = None
        self._turn = asyncio.Lock()

    async def run(self, work: Callable[[Session], T], limit: float = 2 * ANSWER) -> T:
        """Do it on the session. Raises ChannelError; fatal where the account is refused. ``limit`` in seconds: the watchdog."""
        async with self._turn:
            future = asyncio.get_running_loop().run_in_executor(self._thread, self._do, work)
            try:
                async with asyncio.timeout(limit + ANSWER):
                    return await asyncio.shield(future)
            except TimeoutError:
                raise ChannelError("the mailbox does not answer") from None
            finally:
                if not future.done():  # hung, or the service stops: the thread ends with the connection
                    future.add_done_callback(lambda done: done.cancelled() or done.exception())
                    self._give_up()

    def _do(self, work: Callable[[Session], T]) -> T:
        try:
            if self._session is None:
                self._session = Session(self._endpoint, self._bearer)
                self._session.open()
            return work(self._session)
        except LoginError as error:
            self._give_up()
            # a server that is busy says so with a code; all else is a refusal
            busy = re.search(r"UNAVAILABLE|LIMIT|INUSE|try again", _words(error), re.I) is not None
            raise ChannelError(f"the mailbox refuses the account: {_reason(error)}", fatal=not busy) from error
        except ChannelError:
            self._give_up()
            raise
        except Exception as error:  # whatever a server's answer leads to: the connection is of no more use
            self._give_up()
            raise ChannelError(f"the mailbox does not answer: {_reason(error)}") from error

    def _give_up(self) -> None:
        session, self._session = self._session, None
        if session is not None:
            session.abort()

    async def close(self) -> None:
        self._give_up()
        self._thread.shutdown(wait=False, cancel_futures=True)


def _utc(at: datetime | None) -> datetime | None:
    try:
        return at.astimezone(UTC) if at else None
    except (OverflowError, ValueError):  # a date that no calendar has
        return None


def _text(value: Any) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def _words(error: BaseException) -> str:
    return _text(error.args[0]) if error.args else ""


def _reason(error: BaseException) -> str:
    return without_addresses(_words(error)) or type(error).__name__
