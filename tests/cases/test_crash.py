"""Killed at any point, it goes on where it was: nothing lost, nothing doubled but what was on the wire, and that is told."""

from __future__ import annotations

import asyncio

from tests.cases.hands import database_locked, stopped
from tests.e2e.conftest import ANA, TRAINER, Service, serving
from tests.ledger import address_of, audited, closed, read, seen
from tests.peers.botapi import BotApi
from tests.peers.mail import Imap, letter, until
from tests.peers.relay import Relay
from tests.peers.scripted import ScriptedSmtp

LEARNER, HERS = "Ana <ana@learner.example>", "ana@learner.example"
BREAKS = "Les pauses durent combien ?"


async def test_case_1_a_mail_that_was_fetched_and_not_committed_is_fetched_again(
    imap: Imap, smtp: ScriptedSmtp, alone: dict[str, str]
) -> None:
    relay = Relay(imap.port)
    await relay.start()
    settings = {**alone, "ACCUEIL_IMAP_URL": alone["ACCUEIL_IMAP_URL"].replace(str(imap.port), str(relay.port))}
    books = address_of(settings)
    async with serving(settings) as service:
        relay.gate = b"BODY.PEEK"
        await imap.deliver(letter(LEARNER, "Pauses", BREAKS, "1@learner.example"))
        await asyncio.wait_for(relay.reached.wait(), 30)
        with database_locked(books):
            relay.opened.set()

            async def fetched() -> bool:
                return BREAKS.encode() in bytes(relay.seen)

            await until(fetched, bool)
            await service.kill()
        audited(books, inputs=0)
    async with serving(settings):
        await smtp.mail_to(HERS, "15 minutes")
        found = await closed(books, inputs=1)
    await relay.stop()
    assert found.ends == {"answered": 1}
    assert len(smtp.sent) == 1


async def test_case_1_updates_that_were_handed_out_and_not_committed_come_again(
    botapi: BotApi, on_either: dict[str, str]
) -> None:
    books = address_of(on_either)
    async with serving(on_either) as service:
        await botapi.until(lambda: any(method == "getUpdates" for method, _ in botapi.calls))
        with database_locked(books):
            botapi.user(ANA, "merci")
            polls = sum(method == "getUpdates" for method, _ in botapi.calls)
            await asyncio.sleep(1)  # handed out, and the commit waits for the lock
            assert sum(method == "getUpdates" for method, _ in botapi.calls) == polls, "confirmed before it was committed"
            await service.kill()
        audited(books, inputs=0)
    async with serving(on_either):
        await botapi.text_to(ANA, "plaisir")
        await closed(books, inputs=1)
    assert len(botapi.texts(ANA)) == 1


async def test_case_2_what_was_committed_and_not_understood_is_resumed_at_the_start(
    botapi: BotApi, on_either: dict[str, str]
) -> None:
    books, people = address_of(on_either), range(5000, 5030)
    async with serving(on_either) as service:
        for person in people:
            botapi.user(person, "merci")
        await seen(books, lambda b: len(b.inputs) == len(people), every=0.005)
        stopped(service)
        await service.kill()
    at_the_kill = audited(books, inputs=len(people))
    assert at_the_kill.waiting, "all were settled before the kill: it proves nothing"
    async with serving(on_either):
        # on PostgreSQL the dead worker's leases run out first
        await botapi.until(lambda: all(botapi.texts(p) for p in people), 60)
        found = await closed(books, inputs=len(people))
    assert found.ends == {"answered": len(people)}
    on_wire = len(at_the_kill.texts_of("sending"))
    assert sum(len(botapi.texts(p)) - 1 for p in people) <= on_wire


async def test_case_2_what_waits_while_telegram_cannot_be_reached_at_the_start_is_not_set_aside(
    botapi: BotApi, environment: dict[str, str]
) -> None:
    books = address_of(environment)
    async with serving(environment) as service:
        botapi.user(ANA, "merci")
        await seen(books, lambda b: bool(b.inputs), every=0.005)
        stopped(service)
        await service.kill()
    assert audited(books, inputs=1).waiting, "it was settled before the kill: it proves nothing"
    botapi.faults["getMe"] = [(502, "Bad Gateway")] * 4  # fifteen seconds of growing pauses
    async with serving(environment):
        await botapi.until(lambda: botapi.texts(ANA), 60)
        found = await closed(books, inputs=1)
    assert found.ends == {"answered": 1}
    assert len(botapi.texts(ANA)) == 1


async def test_case_3_an_answer_that_was_committed_and_not_sent_is_sent_once_at_the_start(
    imap: Imap, smtp: ScriptedSmtp, alone: dict[str, str]
) -> None:
    books = address_of(alone)
    await smtp.stop()
    async with serving(alone) as service:
        await imap.deliver(letter(LEARNER, "Pauses", BREAKS, "1@learner.example"))
        await seen(books, lambda b: any(row["kind"] == "reply" and row["attempts"] for row in b.texts))
        await service.kill()
    assert audited(books, inputs=1).ends == {"answered": 1}
    assert not smtp.sent
    await smtp.start()
    async with serving(alone):
        await smtp.mail_to(HERS, "15 minutes")
        found = await closed(books, inputs=1)
    assert len(smtp.sent) == 1
    assert all(row["unsure"] == 0 for row in found.texts), "it was never on the wire"


async def test_case_3_a_kill_before_the_mail_itself_was_handed_over_is_no_doubt(
    imap: Imap, smtp: ScriptedSmtp, alone: dict[str, str]
) -> None:
    """The server greets, and lets the service wait at the recipient: nothing of the mail can have arrived."""
    books, smtp.slow = address_of(alone), 6.0
    async with serving(alone) as service:
        await imap.deliver(letter(LEARNER, "Pauses", BREAKS, "1@learner.example"))
        async with asyncio.timeout(30):
            while not smtp.tries:  # noqa: ASYNC110 - what it waits for is another program
                await asyncio.sleep(0.05)
        await service.kill()
    assert [row["state"] for row in read(books).texts if row["kind"] == "reply"] == ["claimed"]
    smtp.slow = 0.0
    async with serving(alone):
        await smtp.mail_to(HERS, "15 minutes")
        await closed(books, inputs=1)
    assert [str(m["To"]) for m in smtp.sent] == [HERS], "neither a second mail nor a word to the operator"


async def test_a_text_that_was_on_the_wire_at_a_kill_is_sent_once_more_and_told(
    botapi: BotApi, environment: dict[str, str]
) -> None:
    service = Service(environment)
    await service.start()
    botapi.hold = asyncio.Event()
    botapi.user(ANA, "merci")
    await asyncio.wait_for(botapi.caught.wait(), 30)
    await service.kill()
    botapi.hold.set()
    botapi.hold = None
    async with serving(environment):
        await botapi.text_to(ANA, "plaisir", nth=2)
        await botapi.text_to(TRAINER, "peut-être été remis deux fois")
        found = await closed(address_of(environment), inputs=1)
    assert len(botapi.texts(ANA)) == 2
    assert [row["unsure"] for row in found.texts if row["kind"] == "reply"] == [1]
