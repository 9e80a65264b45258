"""Case 4: a mail that may have gone out is looked for in the Sent folder, sent once more at most, and told."""

from __future__ import annotations

import asyncio

import pytest

from bot.store.database import Database
from tests.cases.mail.office import sums_agree
from tests.e2e.conftest import Service, serving
from tests.e2e.test_mail import LEARNER, flagged
from tests.peers.mail import Imap, Smtp, body, letter, until

ANA, OPS = "ana@learner.example", "ops@x.example"
QUESTION = letter(LEARNER, "Pauses", "Les pauses durent combien ?", "1@learner.example")


@pytest.fixture
def settings(alone: dict[str, str]) -> dict[str, str]:
    return {**alone, "ACCUEIL_OPERATOR_EMAIL": OPS, "DATABASE_URL": f"sqlite:///{alone['ACCUEIL_DATA_DIR']}/accueil.db"}


async def agrees(settings: dict[str, str], inputs: int | None) -> None:
    store = await Database.open(settings["DATABASE_URL"])
    try:
        await sums_agree(store, inputs)
    finally:
        await store.close()


async def test_case_04_a_mail_found_in_the_sent_folder_is_not_sent_again(
    imap: Imap, smtp: Smtp, settings: dict[str, str]
) -> None:
    smtp.files, smtp.cuts = imap, 1
    async with serving(settings):
        await imap.deliver(QUESTION)
        await smtp.mail_to(OPS, "il est bien parti")
        await flagged(imap, "1@learner.example", {"\\Answered", "\\Seen"})
    assert len(smtp.to(ANA)) == 1
    await agrees(settings, None)  # the copies in the Sent folder are inputs too, as many as it was time for


async def test_case_04_a_mail_that_is_nowhere_is_sent_once_more_with_the_same_id_and_told(
    imap: Imap, smtp: Smtp, settings: dict[str, str]
) -> None:
    smtp.cuts = 1
    async with serving(settings):
        await imap.deliver(QUESTION)
        await smtp.mail_to(OPS, "remis deux fois")
        await flagged(imap, "1@learner.example", {"\\Answered", "\\Seen"})
    first, second = smtp.to(ANA)
    assert first["Message-ID"] == second["Message-ID"]
    await agrees(settings, 1)


async def test_case_04_a_mail_is_given_up_after_the_second_uncertain_send_and_told(
    imap: Imap, smtp: Smtp, settings: dict[str, str]
) -> None:
    smtp.cuts = 2
    async with serving(settings):
        await imap.deliver(QUESTION)
        await until(lambda: _count(smtp), lambda found: found == 2)
        await smtp.mail_to(OPS, "n'a pas pu être remis")
    assert len(smtp.to(ANA)) == 2
    assert await imap.flags("1@learner.example") == set()  # not marked as answered: nobody knows whether it is


async def _count(smtp: Smtp) -> int:
    return len(smtp.to(ANA))


@pytest.mark.parametrize(("files", "times"), [(True, 1), (False, 2)])
async def test_case_04_a_kill_while_the_server_holds_its_answer(
    imap: Imap, smtp: Smtp, settings: dict[str, str], files: bool, times: int
) -> None:
    smtp.files, smtp.held = imap if files else None, asyncio.Event()
    async with serving(settings) as service:
        await imap.deliver(QUESTION)
        await until(lambda: _count(smtp), bool)
        await service.kill()
    smtp.held.set()
    async with serving(settings):
        told = await smtp.mail_to(OPS, "bien parti" if files else "remis deux fois")
        await flagged(imap, "1@learner.example", {"\\Answered", "\\Seen"})
    assert len(smtp.to(ANA)) == times
    assert len({mail["Message-ID"] for mail in smtp.to(ANA)}) == 1
    assert "pauses" not in body(told).lower()


async def test_case_04_while_the_mailbox_cannot_be_looked_into_nothing_is_sent_again(
    imap: Imap, smtp: Smtp, settings: dict[str, str]
) -> None:
    smtp.files, smtp.held = imap, asyncio.Event()
    async with serving(settings) as service:
        await imap.deliver(QUESTION)
        await until(lambda: _count(smtp), bool)
        await service.kill()
    smtp.held.set()
    unreachable = Service({**settings, "ACCUEIL_IMAP_URL": settings["ACCUEIL_IMAP_URL"].replace(str(imap.port), "1")})
    await unreachable.start()
    await unreachable.logged("sent again later", 2)
    await unreachable.stop()
    assert len(smtp.to(ANA)) == 1
