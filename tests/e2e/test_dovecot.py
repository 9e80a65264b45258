"""The mailbox on a server of the kind that operators have, over TLS: folders by SPECIAL-USE, IDLE, a restart."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.e2e.conftest import serving
from tests.e2e.test_mail import DOG, LEARNER, TEACHER, flagged
from tests.peers.dovecot import PROGRAM, Dovecot
from tests.peers.mail import CONTACT_BOX, Smtp, body, by_hand, letter


@pytest.fixture
async def dovecot(tmp_path: Path, unused_tcp_port_factory: pytest.FixtureRequest) -> AsyncIterator[Dovecot]:
    if PROGRAM is None:
        if os.environ.get("ACCUEIL_TEST_DOVECOT") == "required":
            pytest.fail("Dovecot is not installed, and this run must not do without it")
        pytest.skip("Dovecot is not installed (Debian: apt-get install dovecot-imapd)")
    server = Dovecot(tmp_path, unused_tcp_port_factory(), unused_tcp_port_factory())  # type: ignore[operator]
    await server.start()
    yield server
    await server.stop()
    server.clear()


@pytest.fixture
def settings(dovecot: Dovecot, smtp: Smtp, environment: dict[str, str]) -> dict[str, str]:
    kept = {name: value for name, value in environment.items() if "TELEGRAM" not in name}
    return {
        **kept,
        "SSL_CERT_FILE": str(dovecot.certificate),
        "ACCUEIL_IMAP_URL": dovecot.url,
        "ACCUEIL_SMTP_URL": smtp.url,
        "ACCUEIL_MAIL_FROM": CONTACT_BOX,
        "ACCUEIL_TRAINER_EMAILS": TEACHER,
        "ACCUEIL_IMAP_POLL_SECONDS": "300",  # what is found sooner, IDLE announced
    }


async def test_a_mail_is_announced_answered_and_marked_and_an_escalation_closed_by_hand(
    dovecot: Dovecot, smtp: Smtp, settings: dict[str, str]
) -> None:
    async with serving(settings):
        await dovecot.deliver(letter(LEARNER, "Pauses", "Les pauses durent combien ?", "1@learner.example"))
        await smtp.mail_to("ana@learner.example", "15 minutes")
        await flagged(dovecot, "1@learner.example", {"\\Answered", "\\Seen"})
        await dovecot.deliver(letter(LEARNER, "Chien", DOG, "2@learner.example"))
        await flagged(dovecot, "2@learner.example", {"\\Flagged"})
        await dovecot.deliver(by_hand(LEARNER, "2@learner.example"), "Objets envoyes", ("\\Seen",))
        # the next look at the sent folder comes with the next mail of the inbox
        await dovecot.deliver(letter(LEARNER, "Merci", "merci beaucoup", "3@learner.example"))
        await flagged(dovecot, "2@learner.example", {"\\Answered", "\\Seen"})


async def test_a_restart_of_the_server_loses_and_doubles_nothing(dovecot: Dovecot, smtp: Smtp, settings: dict[str, str]) -> None:
    async with serving(settings) as service:
        await dovecot.deliver(letter(LEARNER, "Un", "Les pauses durent combien ?", "1@learner.example"))
        await flagged(dovecot, "1@learner.example", {"\\Answered", "\\Seen"})
        await dovecot.stop()
        await service.logged("mailbox is tried again")
        await dovecot.start()
        await dovecot.deliver(letter(LEARNER, "Deux", "Y a-t-il une attestation ?", "2@learner.example"))
        await flagged(dovecot, "2@learner.example", {"\\Answered", "\\Seen"})
    assert [str(m["Subject"]) for m in smtp.sent] == ["Re: Un", "Re: Deux"]


async def test_drafts_go_into_the_folder_that_the_server_names(dovecot: Dovecot, smtp: Smtp, settings: dict[str, str]) -> None:
    async with serving({**settings, "ACCUEIL_MAIL_MODE": "draft"}):
        await dovecot.deliver(letter(LEARNER, "Pauses", "Les pauses durent combien ?", "1@learner.example"))
        await flagged(dovecot, "1@learner.example", {"\\Flagged"})
        (draft,) = await dovecot.mails("Ebauches")
        assert "15 minutes" in body(draft)
    assert not smtp.sent
