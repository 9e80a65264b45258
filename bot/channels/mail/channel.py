"""The contact mailbox: mails into the inbox by IMAP, answers out by SMTP, flags set on what was answered or passed on."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import hashlib
import json
import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import partial
from typing import Any

import structlog

from bot.channels.mail import smtp
from bot.channels.mail.authres import server_of
from bot.channels.mail.bearer import Bearer
from bot.channels.mail.imap import Fetched, Line, Session
from bot.channels.mail.letter import Mailbox, letter
from bot.channels.mail.parts import sender_of, topmost
from bot.channels.mail.write import Letterhead, written
from bot.core.endpoint import Postbox
from bot.core.model import Ignored, Message, Outgoing
from bot.core.ports import Arrival, Clock, Delivery, Inlet, OnWire
from bot.errors import ChannelError, DeliveryError, StoreError

BATCH = 10  # mails fetched at once
LOOKED_BACK = timedelta(days=30)  # after the server numbered its mails anew
TROUBLE = timedelta(minutes=5)  # without the mailbox before the operator is told
RENEWED = 540.0  # seconds: servers end an IDLE that lasts longer, some without a word
LONGEST_WAIT = 60.0  # seconds between two attempts to reach it
log = structlog.get_logger("mail")


class Email:
    """Implements ``bot.core.ports.Channel``. Two connections: one waits and reads, the other sets flags and files drafts."""

    name = "email"
    ready = True

    def __init__(self, postbox: Postbox, secret: bytes, clock: Clock) -> None:
        self._box = postbox
        self._clock = clock
        self._secret = secret
        self._head = Letterhead(postbox.address, postbox.name, secret)
        self._bearer = Bearer(postbox.token_command) if postbox.token_command else None
        self._reading = Line(postbox.imap, "mail-read", self._bearer)
        self._writing = Line(postbox.imap, "mail-write", self._bearer)
        self._inbox = postbox.imap.folder or "INBOX"
        self._sent: str | None = None
        self._looked = False  # whether the folders are known
        self._drafts: str | None = None

    # ---------------------------------------------------------------- in

    async def receive(self, inlet: Inlet) -> None:
        self._sent = sent = await self._find_folders(inlet)
        waits = min(self._box.poll, RENEWED)
        since = self._box.since
        wait, failing_since, told = 1.0, None, False
        while True:
            try:
                if sent:
                    await self._gather(inlet, "sent", sent, None)
                await self._gather(inlet, "inbox", self._inbox, since)
                if not told:
                    told = True
                    log.info("mailbox is read")
                since, failing_since = None, None
                await self._reading.run(partial(Session.wait, seconds=waits), waits)
                wait = 1.0  # not before: a server that ends each IDLE at once must not be logged into every second
            except ChannelError as error:
                failing_since = await self._troubled(inlet, error, failing_since)
                await asyncio.sleep(wait)
                wait = min(2 * wait, LONGEST_WAIT)
            except StoreError as error:  # nothing was kept and the cursor stands: read again
                log.error("store does not answer, intake waits", error=str(error))
                await asyncio.sleep(2)

    async def _find_folders(self, inlet: Inlet) -> str | None:
        """Connect for the first time: a refused account ends the service with a clear message, a silent server does not."""
        wait, failing_since = 1.0, None
        while True:
            try:
                sent = await self._reading.run(lambda session: session.folder("sent", self._box.sent_folder))
                self._drafts = await self._reading.run(lambda session: session.folder("drafts", self._box.drafts_folder))
                break
            except ChannelError as error:
                if error.fatal:
                    name = "" if "ACCUEIL_TOKEN_COMMAND" in str(error) else "ACCUEIL_IMAP_URL: "
                    raise ChannelError(f"{name}{error}", fatal=True) from error
                failing_since = await self._troubled(inlet, error, failing_since)
                await asyncio.sleep(wait)
                wait = min(2 * wait, LONGEST_WAIT)
        for role, named, found in (("SENT", self._box.sent_folder, sent), ("DRAFTS", self._box.drafts_folder, self._drafts)):
            if named and not found:
                raise ChannelError(f"ACCUEIL_{role}_FOLDER: the mailbox has no folder of this name", fatal=True)
        if self._box.drafts and not self._drafts:
            raise ChannelError(
                "ACCUEIL_DRAFTS_FOLDER: the mailbox has no drafts folder that is known as one; name it", fatal=True
            )
        self._looked = True
        log.info("mailbox opened", sent_folder=bool(sent), drafts_folder=bool(self._drafts))
        return sent

    async def _troubled(self, inlet: Inlet, error: ChannelError, since: datetime | None) -> datetime:
        """Note an outage; the operator hears of a long one, once."""
        log.warning("mailbox is tried again", why=str(error))
        now = self._clock()
        if since is not None and now - since > TROUBLE:
            with contextlib.suppress(StoreError):  # the next attempt tells
                await inlet.trouble(f"mailbox:{since:%Y%m%d%H%M%S}", "alert_mailbox", why=str(error))
        return since or now

    async def _gather(self, inlet: Inlet, role: str, folder: str, since: date | None) -> None:
        """What is new in a folder goes into the inbox, the cursor with it. A folder seen for the first time is left as it is."""
        name = f"email:{folder}"
        validity, last = await self._reading.run(lambda session: session.examine(folder))
        mark = _Mark.read(await inlet.cursor(name))
        if mark is None:
            mark = _Mark(validity, last, self._clock())
            await inlet.keep((), (name, mark.text))
            log.info("older mails are left alone", folder=role)
        not_before: datetime | None = None
        if mark.validity != validity or mark.uid > last:  # numbered anew, or restored: what was handled is known by its content
            not_before = max(mark.first_at, self._clock() - LOOKED_BACK)
            log.warning("the server numbered its mails anew", folder=role)
        uids = await self._reading.run(partial(_wanted, mark=mark, not_before=not_before, since=since))
        for n in range(0, len(uids), BATCH):
            mails = await self._reading.run(partial(Session.fetch, uids=uids[n : n + BATCH]), 120.0)
            kept = [m for m in mails if not_before is None or (m.arrived_at or not_before) >= not_before]
            if not_before is None:
                mark = _Mark(validity, max(mark.uid, *uids[n : n + BATCH]), mark.first_at)
            await inlet.keep([self._arrival(role, folder, validity, m) for m in kept], (name, mark.text))
        if not_before is not None:
            await inlet.keep((), (name, _Mark(validity, last, mark.first_at).text))

    def _arrival(self, role: str, folder: str, validity: int, mail: Fetched) -> Arrival:
        raw = {
            "folder": role,
            "mark": {"folder": folder, "validity": validity, "uid": mail.uid},
            "flags": list(mail.flags),
            "mail": base64.b64encode(mail.raw).decode(),
        }
        sender = sender_of(mail.raw)
        person = f"email:{sender}" if sender else ""
        return Arrival(f"email:{role}:{identity(mail.raw)}", self.name, person, raw, self._clock())

    def read(self, arrival: Arrival) -> Message | Ignored:
        try:
            content = base64.b64decode(arrival.raw["mail"], validate=True)
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError("a mail that was not kept whole") from error
        mailbox = Mailbox(self._box.address, self._secret, self._box.authserv_id)
        return letter(content, arrival, mailbox)

    async def acknowledge(self, message: Message) -> None:
        return None  # a mail program shows nothing of the kind

    # ---------------------------------------------------------------- out

    async def send(self, delivery: Delivery, on_wire: OnWire) -> str:
        """Post a mail, file a draft or set flags (these two as often as one likes). Returns the Message-ID."""
        out = delivery.outgoing
        try:
            if out.kind == "mark":
                await self._mark(out.thread)
                return ""
            if "@" not in out.to:
                raise DeliveryError("a sender without an address that can be answered", permanent=True)
            draft = self._box.drafts and out.kind == "reply"
            mail = written(out, self._head, self._clock(), draft=draft)
            if draft:
                await self._file(mail)
            else:
                to = out.to.partition(":")[2]
                await smtp.send(self._box.smtp, self._box.address, to, mail, bearer=self._bearer, on_wire=on_wire)
        except ChannelError as error:
            raise DeliveryError(str(error)) from error
        return self._head.id_of(out, draft=draft)

    async def found(self, delivery: Delivery) -> str | None:
        """The Message-ID of a mail that lies in the Sent folder, where the provider files what it took."""
        out, folder = delivery.outgoing, self._sent
        if out.kind == "mark":
            return None
        if not self._looked:
            raise DeliveryError("the mailbox is not open yet", retry_after=timedelta(seconds=2))
        if folder is None:
            return None
        id = self._head.id_of(out)
        try:
            lies_there = await self._writing.run(partial(Session.find, folder=folder, message_id=id))
        except ChannelError as error:
            raise DeliveryError(str(error)) from error
        return id if lies_there else None

    async def _mark(self, thread: Any) -> None:
        add, remove = thread.get("add", ()), thread.get("remove", ())
        for one in thread["marks"]:
            folder, validity, uid = str(one["folder"]), int(one["validity"]), int(one["uid"])
            flag = partial(Session.mark, folder=folder, validity=validity, uid=uid, add=add, remove=remove)
            await self._writing.run(flag)

    async def _file(self, mail: bytes) -> None:
        folder = self._drafts
        if folder is None:
            raise ChannelError("the drafts folder is not known yet")
        await self._writing.run(lambda session: session.file(folder, mail))

    # ---------------------------------------------------------------- doctor

    async def examined(self) -> list[tuple[str, str]]:
        """(part, what is wrong or "") of the mailbox and of the way out."""
        found: list[tuple[str, str]] = []
        try:
            keeps = await self._writing.run(lambda session: session.keeps(self._inbox))
            lacking = {"\\Answered", "\\Flagged", "\\Seen"} - keeps
            found.append(("mailbox", f"does not keep the flags {', '.join(sorted(lacking))}" if lacking else ""))
            if self._box.authserv_id:
                found.append(("authserv-id", await self._vouches()))
            for role, named in (("sent", self._box.sent_folder), ("drafts", self._box.drafts_folder)):
                folder = await self._writing.run(partial(Session.folder, role=role, named=named))
                needed = bool(named) or role == "sent" or self._box.drafts
                absent = f"not found; set ACCUEIL_{role.upper()}_FOLDER" if needed else ""
                found.append((f"{role} folder", "" if folder else absent))
        except ChannelError as error:
            found.append(("mailbox", str(error)))
        try:
            await smtp.tried(self._box.smtp, self._bearer)
            found.append(("smtp", ""))
        except ChannelError as error:
            found.append(("smtp", str(error)))
        return found

    async def _vouches(self) -> str:
        """What is wrong with the name under which the mailbox's server is to vouch for senders, "" where its mails bear it."""
        latest = await self._writing.run(partial(Session.results, folder=self._inbox))
        names = {server_of(topmost(raw)) for raw in latest} - {""}
        if self._box.authserv_id.lower() in {name.lower() for name in names}:
            return ""
        seen = f"; the server writes {', '.join(sorted(names)[:3])}" if names else ""
        return f"ACCUEIL_AUTHSERV_ID stands above none of the latest mails, so no trainer's mail would count{seen}"

    async def post_to_itself(self, key: str) -> None:
        """Send a mail to our own address and wait until it lies in the inbox. Raises DeliveryError and ChannelError."""
        words = "Ce courriel vérifie que la boîte de contact envoie et reçoit. Il peut être effacé."
        outgoing = Outgoing(f"doctor:{key}", f"email:{self._box.address}", words, kind="alert", subject="Accueil : essai")
        mail = written(outgoing, self._head, self._clock())
        await smtp.send(self._box.smtp, self._box.address, self._box.address, mail, bearer=self._bearer)
        arrived = partial(Session.find, folder=self._inbox, message_id=self._head.id_of(outgoing))
        while not await self._writing.run(arrived):  # noqa: ASYNC110 - what it looks at is another machine
            await asyncio.sleep(1)

    async def close(self) -> None:
        await self._reading.close()
        await self._writing.close()


@dataclass(frozen=True, slots=True)
class _Mark:
    """How far a folder was read. first_at: when it was first opened; mails from before are left alone for ever."""

    validity: int
    uid: int
    first_at: datetime

    @property
    def text(self) -> str:
        return json.dumps([self.validity, self.uid, self.first_at.isoformat()])

    @classmethod
    def read(cls, text: str | None) -> _Mark | None:
        if not text:
            return None
        validity, uid, at = json.loads(text)
        return cls(int(validity), int(uid), datetime.fromisoformat(at).astimezone(UTC))


def _wanted(session: Session, mark: _Mark, not_before: datetime | None, since: date | None) -> list[int]:
    """UIDs in the open folder that may be new to us; those that are not are known by their content."""
    if not_before is not None:
        return session.since(not_before.date() - timedelta(days=1))
    older = session.since(since) if since is not None else []
    return sorted({*older, *session.after(mark.uid)})


def identity(raw: bytes) -> str:
    """What a mail is known by wherever it turns up again: its Message-ID and its body, or all of it where it has none.

    Two copies of one mail (to us and to a list) differ in their headers; UIDs change when a mailbox is restored.
    """
    head, _, body = raw.replace(b"\r\n", b"\n").partition(b"\n\n")
    named = re.search(rb"(?im)^Message-ID:\s*<([!-;=?-~]{3,250})>", head[:64_000])
    if named is None:
        return hashlib.sha256(raw).hexdigest()[:32]
    return f"{named[1].decode('utf-8', 'replace')}:{hashlib.sha256(body).hexdigest()[:16]}"
