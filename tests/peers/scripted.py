"""An SMTP server that can refuse a recipient, wait at one, or take a mail and hold its answer back."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field

from aiosmtpd.smtp import SMTP, Envelope, Session

from tests.peers.mail import Smtp


@dataclass
class ScriptedSmtp(Smtp):
    """``at_recipient``: answers to RCPT for an address, one a try. ``slow``: seconds that each recipient takes.

    ``hold``: while there and unset, mails are taken and their answers held back; ``caught`` is set as soon as one is.
    """

    at_recipient: dict[str, list[str]] = field(default_factory=dict)
    slow: float = 0.0
    hold: asyncio.Event | None = None
    caught: asyncio.Event = field(default_factory=asyncio.Event)
    tries: list[str] = field(default_factory=list)  # recipients asked for, in order
    times: list[dict[str, float]] = field(default_factory=list)  # of each mail: when it was there, when that was said

    async def handle_RCPT(self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]) -> str:
        self.tries.append(address)
        await asyncio.sleep(self.slow)
        answers = self.at_recipient.get(address, [])
        if answers:
            return answers.pop(0)
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        taken = await super().handle_DATA(server, session, envelope)
        if not taken.startswith("250"):
            return taken
        mark = {"at": time.monotonic()}
        self.times.append(mark)
        if self.hold is not None:
            self.caught.set()
            await self.hold.wait()
        mark["answered_at"] = time.monotonic()
        return taken
