"""A mailbox's desk without its servers: raw mails in, raw mails out, with a real store, the real knowledge and real decisions."""

from __future__ import annotations

import base64
import email
import itertools
from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from email.policy import default
from typing import Any

from bot.channels.mail.channel import identity
from bot.channels.mail.letter import Mailbox, letter
from bot.channels.mail.parts import sender_of
from bot.channels.mail.write import Letterhead, written
from bot.core.desk import Desk
from bot.core.model import Escalation, Ignored, Message, Outcome
from bot.core.ports import Arrival, Delivery, Taken
from bot.flow.intake import Intake
from bot.flow.signal import Signal
from bot.library.shelf import Shelf
from bot.store.database import Database
from tests.ledger import ENDS, audited

NOW = datetime(2026, 11, 3, 9, tzinfo=UTC)
TRAINER, CONTACT = "denis@trainer.example", "contact@accueil.example"
ANA = "ana@learner.example"
HANDOFF = "Bonjour, je voudrais parler au formateur."  # goes to the trainer whatever the service knows
LEASE = timedelta(seconds=30)


async def sums_agree(store: Database, inputs: int | None = None) -> Counter[str]:
    """Every input ended in exactly one of answered, escalated, ignored with a reason; how many in each. ``inputs``: as many."""
    books = audited(store._engine.url.render_as_string(hide_password=False), inputs)
    assert not books.waiting
    ends = books.ends
    counts = await store.counts()
    assert {end: n for end, n in ends.items() if n} == {
        end: n for end in ENDS if (n := counts.get(f"inbox.done.{end}", 0) + counts.get(f"inbox.aside.{end}", 0))
    }
    return ends


class Office:
    """One mailbox. ``now`` is its clock."""

    name = "email"
    ready = True

    def __init__(self, store: Database, shelf: Shelf, desk: Desk | None = None, address: str = CONTACT, **mailbox: Any) -> None:
        self.store, self.shelf, self.address, self.now = store, shelf, address, NOW
        self.desk = desk or Desk(
            trainers=(f"email:{TRAINER}",),
            accessibility=("telegram:13",),
            operators=("telegram:11",),
            mailbox=f"email:{address}",
        )
        self._box = Mailbox(address, store.secret, **mailbox)
        self._intake = Intake(store, {"email": self}, shelf, self.desk, lambda: self.now, Signal(), Signal())  # type: ignore[dict-item]
        self._head = Letterhead(address, "Accueil", store.secret)
        self._numbers = itertools.count(1)
        self.notices: list[Any] = []  # mails to the trainers
        self._committed: list[Outcome] = []
        commit = store.commit

        async def recorded(taken: Taken, outcome: Outcome, now: datetime) -> None:
            await commit(taken, outcome, now)
            self._committed.append(outcome)

        store.commit = recorded  # type: ignore[method-assign]

    def read(self, arrival: Arrival) -> Message | Ignored:
        return letter(base64.b64decode(arrival.raw["mail"]), arrival, self._box)

    async def acknowledge(self, message: Message) -> None:
        return None

    async def put(self, raw: bytes, folder: str = "inbox") -> Outcome | None:
        """What was decided on a mail; None where it is known already."""
        uid = next(self._numbers)
        mark = {"folder": "INBOX", "validity": 1, "uid": uid}
        data = {"folder": folder, "flags": [], "mark": mark, "mail": base64.b64encode(raw).decode()}
        sender = sender_of(raw)
        arrival = Arrival(f"email:{folder}:{identity(raw)}", "email", f"email:{sender}" if sender else "", data, self.now)
        if not await self.store.receive([arrival]):
            return None
        before = len(self._committed)
        while len(self._committed) == before:
            assert await self._intake._step()
        return self._committed[-1]

    async def sent(self) -> list[tuple[Delivery, bytes]]:
        """What is due by mail now, as it goes out."""
        found = []
        while (delivery := await self.store.claim(self.now, LEASE, ("email",))) is not None:
            if delivery.outgoing.kind == "mark":
                await self.store.delivered(delivery, "", self.now)
                continue
            raw = written(delivery.outgoing, self._head, self.now)
            found.append((delivery, raw))
            if delivery.outgoing.to in self.desk.trainers:
                self.notices.append(email.message_from_bytes(raw, policy=default))
            await self.store.delivered(delivery, self._head.id_of(delivery.outgoing), self.now)
        return found

    @property
    def told(self) -> str:
        """Subjects and words of all that the trainers were sent by mail."""
        return "\n".join(f"{m['Subject']}\n{m.get_body(('plain',)).get_content()}" for m in self.notices)

    async def escalations(self, *reasons: str) -> list[Escalation]:
        return [e for e in await self.store.escalations(limit=2000) if not reasons or e.reason in reasons]


def mail(
    text: str = "Les pauses durent combien ?",
    sender: str = ANA,
    id: str = "1@learner.example",
    *,
    to: str = CONTACT,
    subject: str = "Stage",
    headers: Mapping[str, str] | None = None,
) -> bytes:
    """A mail as a person's program writes it."""
    made = EmailMessage()
    made["From"], made["To"], made["Subject"] = sender, to, subject
    if id:
        made["Message-ID"] = f"<{id}>"
    made["Date"] = "Tue, 03 Nov 2026 09:12:00 +0100"
    for name, value in (headers or {}).items():
        made[name] = value
    made.set_content(text)
    return made.as_bytes()
