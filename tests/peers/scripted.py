"""An SMTP server that can go wrong at each step: at a recipient, after the mail, or by saying nothing."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field

from aiosmtpd.smtp import SMTP, Envelope, Session

from tests.peers.mail import Smtp


@dataclass
class ScriptedSmtp(Smtp):
    """``at_recipient``: answers to RCPT for an address, one a try. ``script``: one entry a mail: "cut" (taken, and the line
    breaks before the answer), None for a sound answer. ``hold``: taken, and the answer held back."""

    at_recipient: dict[str, list[str]] = field(default_factory=dict)
    script: list[str | None] = field(default_factory=list)
    hold: asyncio.Event | None = None
    held: asyncio.Event = field(default_factory=asyncio.Event)
    tries: list[str] = field(default_factory=list)  # recipients asked for, in order
    times: list[dict[str, float]] = field(default_factory=list)  # of each mail: when it was there, when that was said

    async def handle_RCPT(self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]) -> str:
        self.tries.append(address)
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
        if self.script and self.script.pop(0) == "cut":
            assert server.transport is not None
            server.transport.close()
            return taken
        if self.hold is not None:
            self.held.set()
            await self.hold.wait()
        mark["answered_at"] = time.monotonic()
        return taken
