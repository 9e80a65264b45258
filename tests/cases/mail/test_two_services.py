"""Case 17 over the wire: two services, each with its own mailbox, and a relay between them that takes off every mark."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from aiosmtpd.smtp import SMTP, Envelope, Session

from bot.store.database import Database
from tests.cases.mail.office import mail, sums_agree
from tests.cases.mail.test_loops import stripped, unsigned
from tests.e2e.conftest import serving
from tests.peers.mail import CONTACT_BOX, Imap, Smtp

OTHER_BOX, TEACHERS = "accueil@autre.example", ("denis@trainer.example", "maude@trainer.example")
QUIET = 12.0  # seconds without a mail: each service looks into its mailbox every second


@dataclass
class Relay(Smtp):
    """Hands mails on between the two mailboxes, changed."""

    change: Callable[[bytes], bytes] = stripped
    moved: list[str] = field(default_factory=list)

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        recipient = envelope.rcpt_tos[0]
        if recipient in self.inboxes and isinstance(envelope.content, bytes):
            self.moved.append(recipient)
            await self.inboxes[recipient].deliver(self.change(envelope.content))
            return "250 OK"
        return await super().handle_DATA(server, session, envelope)


@pytest.fixture
async def second(unused_tcp_port_factory: Callable[[], int]) -> AsyncIterator[Imap]:
    server = Imap(unused_tcp_port_factory())
    await server.start()
    yield server
    await server.stop()


@pytest.mark.parametrize(("change", "most"), [(stripped, 3), (unsigned, 6)], ids=["stripped", "unsigned"])
async def test_case_17_two_services_fall_silent_and_each_trainer_is_told_once(
    imap: Imap, second: Imap, environment: dict[str, str], tmp_path: Path, change: Callable[[bytes], bytes], most: int
) -> None:
    relay = Relay({CONTACT_BOX: imap, OTHER_BOX: second}, change=change)
    await relay.start()
    kept = {name: value for name, value in environment.items() if "TELEGRAM" not in name}
    boxes = ((imap, CONTACT_BOX, TEACHERS[0]), (second, OTHER_BOX, TEACHERS[1]))
    async with AsyncExitStack() as stack:
        for n, (box, address, teacher) in enumerate(boxes):
            settings = {
                **kept,
                "DATABASE_URL": f"sqlite:///{tmp_path}/{n}.db",
                "ACCUEIL_IMAP_URL": box.url,
                "ACCUEIL_SMTP_URL": relay.url,
                "ACCUEIL_MAIL_FROM": address,
                "ACCUEIL_TRAINER_EMAILS": teacher,
                "ACCUEIL_IMAP_POLL_SECONDS": "1",
            }
            await stack.enter_async_context(serving(settings))
        await imap.deliver(mail(sender=OTHER_BOX, id="1@autre.example"))
        async with asyncio.timeout(90):
            while not await _quiet(relay):
                pass
    assert 1 <= len(relay.moved) <= most
    for teacher in TEACHERS:
        told = [m for m in relay.to(teacher) if "laissés sans" in str(m["Subject"]) or "auquel je ne dois" in str(m["Subject"])]
        assert len(told) <= 1
    for n in range(2):
        store = await Database.open(f"sqlite:///{tmp_path}/{n}.db")
        await sums_agree(store)
        await store.close()
    await relay.stop()


async def _quiet(relay: Relay) -> bool:
    """Whether a while passes without a mail, once there was one."""
    before = len(relay.moved)
    await asyncio.sleep(QUIET)
    return 0 < before == len(relay.moved)
