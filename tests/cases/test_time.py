"""Hours in which a server is down, refusals that pass and that do not, and clocks that jump: time is moved, peers are real."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from bot.library.shelf import Shelf
from tests.cases.here import Time, running
from tests.e2e.conftest import ANA, TRAINER
from tests.ledger import address_of, closed, read, seen
from tests.peers.botapi import BotApi
from tests.peers.mail import Imap, letter
from tests.peers.scripted import ScriptedSmtp

BREAKS, CERTIFICATE = "Les pauses durent combien ?", "Y a-t-il une attestation à la fin ?"
DAY = timedelta(days=1)


@pytest.fixture(scope="module")
def shelf(few: Path) -> Shelf:
    return Shelf(few)


async def test_case_5_after_an_hour_without_smtp_everything_is_sent_once_and_in_order(
    botapi: BotApi, imap: Imap, smtp: ScriptedSmtp, both: dict[str, str], shelf: Shelf
) -> None:
    books, at, people = address_of(both), Time(), ("ana", "bob", "zoe")
    await smtp.stop()
    async with running(both, shelf, at):
        for n, words in enumerate((BREAKS, CERTIFICATE, "merci beaucoup")):
            for who in people:
                mail = letter(f"{who} <{who}@learner.example>", f"Sujet {n}", words, f"{who}{n}@learner.example")
                await imap.deliver(mail)
        await seen(books, lambda b: len(b.inputs) == 9 and not b.waiting)
        await at.passes(timedelta(hours=1), steps=20)
        waiting = [row for row in read(books).texts if row["kind"] == "reply" and row["attempts"]]
        assert len(waiting) == len(people), "the first to each address is tried, and holds up those behind it"
        assert all(4 <= row["attempts"] <= 14 for row in waiting), "pauses grow"
        assert len({row["due_at"] for row in waiting}) == len(people), "and are not the same for all"
        assert not smtp.sent
        await smtp.start()
        await at.passes(timedelta(minutes=12))
        found = await closed(books, inputs=9)
        assert sum("rien ne part par email" in t for t in botapi.texts(TRAINER)) == 1
    assert found.ends == {"answered": 9}
    assert not found.texts_of("failed")
    for who in people:
        subjects = [str(mail["Subject"]) for mail in smtp.to(f"{who}@learner.example")]
        assert subjects == ["Re: Sujet 0", "Re: Sujet 1", "Re: Sujet 2"]


async def test_case_6_a_passing_refusal_is_tried_again_a_final_one_never_and_both_are_told(
    botapi: BotApi, imap: Imap, smtp: ScriptedSmtp, both: dict[str, str], shelf: Shelf
) -> None:
    books, at = address_of(both), Time()
    smtp.at_recipient = {
        "ana@learner.example": ["451 4.3.0 Try again later"] * 3,
        "bob@learner.example": ["550 5.1.1 No such user"],
        "zoe@learner.example": ["452 4.2.2 Mailbox full"] * 33,
    }
    async with running(both, shelf, at):
        for who in ("ana", "bob", "zoe"):
            await imap.deliver(letter(f"{who} <{who}@learner.example>", "Pauses", BREAKS, f"{who}@learner.example"))
        await botapi.text_to(TRAINER, "5.1.1")
        await at.passes(timedelta(hours=6), steps=34)
        await botapi.text_to(TRAINER, "toujours pas parti")
        await smtp.mail_to("zoe@learner.example", "15 minutes")
        found = await closed(books, inputs=3)
    assert smtp.tries.count("bob@learner.example") == 1
    assert smtp.tries.count("ana@learner.example") == 4
    assert {str(mail["To"]) for mail in smtp.sent} == {"ana@learner.example", "zoe@learner.example"}
    assert len(smtp.sent) == 2
    assert found.ends == {"answered": 3}
    assert [row["unsure"] for row in found.texts if row["kind"] == "reply"] == [0, 0, 0], "a refusal is an answer"
    assert sum("toujours pas parti" in t for t in botapi.texts(TRAINER)) == 1
    assert not any("@" in t for t in botapi.texts(TRAINER)), "alerts name no address"


@pytest.fixture
def elsewhere() -> Iterator[None]:
    """A machine whose time zone is not UTC, and changes."""
    before = os.environ.get("TZ")
    os.environ["TZ"] = "Europe/Paris"
    time.tzset()
    yield
    os.environ.pop("TZ") if before is None else os.environ.update(TZ=before)
    time.tzset()


@pytest.mark.parametrize("jump", [DAY, -DAY])
async def test_case_12_a_clock_that_jumps_sends_nothing_early_late_or_twice(
    botapi: BotApi, environment: dict[str, str], shelf: Shelf, jump: timedelta, elsewhere: None
) -> None:
    books, at = address_of(environment), Time()
    async with running(environment, shelf, at) as store:
        botapi.user(ANA, "je voudrais parler au formateur")
        await botapi.text_to(TRAINER, "parler au formateur")
        await closed(books, inputs=1)
        botapi.hold = asyncio.Event()
        botapi.user(ANA, "merci")
        await asyncio.wait_for(botapi.caught.wait(), 30)
        at.set_by += jump  # while a text is on the wire
        os.environ["TZ"] = "America/New_York"
        time.tzset()
        await asyncio.sleep(7)  # a heartbeat sees it
        botapi.hold.set()
        botapi.hold = None
        botapi.user(ANA, "au revoir")
        await botapi.text_to(ANA, "bientôt")
        await closed(books, inputs=3)
        assert sum("plaisir" in t for t in botapi.texts(ANA)) == 1
        assert not any("attend une réponse" in t for t in botapi.texts(TRAINER)), "a day early"
        await at.passes(timedelta(hours=23))
        assert not any("attend une réponse" in t for t in botapi.texts(TRAINER)), "an hour early"
        await at.passes(timedelta(hours=2))
        await botapi.text_to(TRAINER, "attend une réponse")
        await botapi.text_to(ANA, "n'est pas oubliée")
        await at.passes(timedelta(hours=30))
        assert await store.idle(at.wall(), ("telegram",))
    assert sum("attend une réponse" in t for t in botapi.texts(TRAINER)) == 1
    assert sum("n'est pas oubliée" in t for t in botapi.texts(ANA)) == 1
    assert not any("peut-être" in t for t in botapi.texts(TRAINER))


async def test_case_12_a_clock_that_was_set_back_while_the_service_was_down_leaves_nothing_waiting(
    botapi: BotApi, environment: dict[str, str], shelf: Shelf
) -> None:
    books, at = address_of(environment), Time()
    at.set_by = DAY
    async with running(environment, shelf, at):
        botapi.faults["sendMessage"] = [(429, "Too Many Requests", {"retry_after": 30})]
        botapi.user(ANA, "merci")
        await seen(books, lambda b: any(row["attempts"] == 1 and row["state"] == "waiting" for row in b.texts))
    at.set_by = timedelta(0)
    async with running(environment, shelf, at):
        await asyncio.sleep(2)  # it notes at its start how far the clock went back
        await at.passes(timedelta(seconds=40))
        await botapi.text_to(ANA, "plaisir")
        botapi.user(ANA, "au revoir")
        await botapi.text_to(ANA, "bientôt")
        await closed(books, inputs=2)
    assert len(botapi.texts(ANA)) == 2


async def test_what_falls_due_at_once_goes_out_no_faster_than_telegram_takes_it(
    botapi: BotApi, environment: dict[str, str], shelf: Shelf
) -> None:
    at, people = Time(), range(9000, 9040)
    async with running(environment, shelf, at):
        for person in people:
            botapi.user(person, "je voudrais parler au formateur")
        await closed(address_of(environment), inputs=len(people), seconds=110)
        before = len(botapi.sent)
        await at.passes(timedelta(hours=25))
        await botapi.until(lambda: all(any("oubliée" in t for t in botapi.texts(p)) for p in people), 60)
    times = [m["at"] for m in botapi.sent[before:]]
    assert max(sum(t <= other < t + 1 for other in times) for t in times) <= 30


async def test_a_day_without_the_service_is_told_since_telegram_forgets(
    botapi: BotApi, environment: dict[str, str], shelf: Shelf
) -> None:
    at = Time()
    for away in (timedelta(hours=1), timedelta(hours=21)):
        async with running(environment, shelf, at):
            botapi.user(ANA, "merci")
            await closed(address_of(environment))
            await asyncio.sleep(1)
        at.passed += away
    async with running(environment, shelf, at):
        await botapi.text_to(TRAINER, "24\u00a0h")
        await closed(address_of(environment))
    assert len(botapi.texts(TRAINER)) == 1
