"""A mailbox that demands XOAUTH2: the token of a command, a new one when it is refused, and none in the log."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.e2e.conftest import Service, serving
from tests.e2e.test_mail import LEARNER, flagged
from tests.peers.mail import CONTACT_BOX, Imap, letter
from tests.peers.oauth import Gate, OAuthSmtp, Tokens


@pytest.fixture
def tokens(tmp_path: Path) -> Tokens:
    found = Tokens(tmp_path / "token")
    found.issue("first-token")
    return found


@pytest.fixture
async def gate(imap: Imap, tokens: Tokens) -> AsyncIterator[Gate]:
    server = Gate(imap, tokens)
    await server.start()
    yield server
    await server.stop()


@pytest.fixture
async def post(tokens: Tokens) -> AsyncIterator[OAuthSmtp]:
    server = OAuthSmtp(tokens=tokens)
    await server.start()
    yield server
    await server.stop()


@pytest.fixture
def settings(environment: dict[str, str], gate: Gate, post: OAuthSmtp, tokens: Tokens) -> dict[str, str]:
    kept = {name: value for name, value in environment.items() if "TELEGRAM" not in name}
    return {
        **kept,
        "ACCUEIL_IMAP_URL": gate.url,
        "ACCUEIL_SMTP_URL": post.url,
        "ACCUEIL_TOKEN_COMMAND": tokens.command,
        "ACCUEIL_MAIL_FROM": CONTACT_BOX,
        "ACCUEIL_IMAP_POLL_SECONDS": "3",
    }


async def test_imap_and_smtp_use_the_token_and_renew_it_when_it_is_refused(
    imap: Imap, gate: Gate, post: OAuthSmtp, tokens: Tokens, settings: dict[str, str]
) -> None:
    async with serving(settings) as service:
        await imap.deliver(letter(LEARNER, "Un", "Les pauses durent combien ?", "1@learner.example"))
        await flagged(imap, "1@learner.example", {"\\Answered", "\\Seen"})
        assert (tokens.refused, gate.passed) == (0, 2)
        tokens.issue("second-token")  # long before the first was to be asked for again
        gate.drop()
        await imap.deliver(letter(LEARNER, "Deux", "Y a-t-il une attestation ?", "2@learner.example"))
        await flagged(imap, "2@learner.example", {"\\Answered", "\\Seen"})
        assert tokens.refused >= 1
    assert [str(m["Subject"]) for m in post.sent] == ["Re: Un", "Re: Deux"]
    assert b"-token" not in service.log


async def test_a_token_that_is_refused_for_a_while_stops_nothing_for_good(
    imap: Imap, gate: Gate, post: OAuthSmtp, tokens: Tokens, settings: dict[str, str]
) -> None:
    async with serving(settings) as service:
        tokens.issue("not known to the command yet", known=False)
        gate.drop()
        await imap.deliver(letter(LEARNER, "Un", "Les pauses durent combien ?", "1@learner.example"))
        await service.logged("mailbox is tried again", 2)
        tokens.issue("third-token")
        await flagged(imap, "1@learner.example", {"\\Answered", "\\Seen"})
    assert len(post.sent) == 1


@pytest.mark.parametrize(
    ("command", "told"),
    [
        ("/nowhere/at/all", b"ACCUEIL_TOKEN_COMMAND cannot be run"),
        ("echo wrong-token", b"ACCUEIL_IMAP_URL: the mailbox refuses the account"),
    ],
)
async def test_a_command_that_gives_no_good_token_ends_with_a_clear_message(
    settings: dict[str, str], command: str, told: bytes
) -> None:
    service = Service({**settings, "ACCUEIL_TOKEN_COMMAND": command})
    await service.start()
    assert service.process is not None
    assert await asyncio.wait_for(service.process.wait(), 60) == 4
    assert told in service.log
    assert b"wrong-token" not in service.log


async def test_doctor_tries_the_command_and_repeats_nothing_of_what_it_prints(settings: dict[str, str]) -> None:
    async def doctor(**changed: str) -> str:
        command = (sys.executable, "-m", "bot", "doctor")
        process = await asyncio.create_subprocess_exec(*command, env={**settings, **changed}, stdout=asyncio.subprocess.PIPE)
        told, _ = await asyncio.wait_for(process.communicate(), 90)
        return told.decode()

    sound = await doctor()
    assert "mailbox: ok" in sound
    assert "smtp: ok" in sound
    faulty = await doctor(ACCUEIL_TOKEN_COMMAND="echo two words")
    assert "ACCUEIL_TOKEN_COMMAND printed no token" in faulty
    assert "two words" not in faulty
