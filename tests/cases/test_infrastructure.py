"""What is around the service fails: connections, the disk, the database, a neighbour; then it works again, by itself."""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import create_engine, insert
from sqlalchemy.engine import make_url

from bot.core.model import Outgoing
from bot.store import codec
from bot.store.codec import Hasher
from bot.store.schema import inbox, meta, outbox
from tests.cases.hands import database_locked, disk_full
from tests.e2e.conftest import ANA, STRANGER, TRAINER, serving
from tests.e2e.test_dovecot import dovecot  # noqa: F401 - a fixture
from tests.e2e.test_mail import flagged
from tests.ledger import address_of, audited, closed
from tests.peers.botapi import BotApi
from tests.peers.dovecot import Dovecot
from tests.peers.mail import CONTACT_BOX, Imap, letter, until
from tests.peers.relay import Relay
from tests.peers.scripted import ScriptedSmtp

LEARNER, HERS = "Ana <ana@learner.example>", "ana@learner.example"
BREAKS, CERTIFICATE = "Les pauses durent combien ?", "Y a-t-il une attestation à la fin ?"
DONE = {"\\Answered", "\\Seen"}


@pytest.mark.parametrize(
    "breaks",
    [Relay.reset, Relay.silence, lambda relay: relay.say(b"* BYE Server is going down\r\n")],
    ids=["a reset", "a silent line", "a goodbye"],
)
async def test_case_7_an_idle_that_died_is_found_within_the_poll_interval(
    imap: Imap, smtp: ScriptedSmtp, alone: dict[str, str], breaks: Callable[[Relay], None]
) -> None:
    relay = Relay(imap.port)
    await relay.start()
    async with serving({**alone, "ACCUEIL_IMAP_URL": imap.url.replace(str(imap.port), str(relay.port))}):
        await asyncio.sleep(1)  # it is in IDLE
        breaks(relay)
        await imap.deliver(letter(LEARNER, "Pauses", BREAKS, "1@learner.example"))
        # three seconds of polling, thirty in which a server may be slow, and a new connection
        async with asyncio.timeout(60):
            await smtp.mail_to(HERS, "15 minutes")
        found = await closed(address_of(alone), inputs=1)
    await relay.stop()
    assert found.ends == {"answered": 1}
    assert len(smtp.sent) == 1


async def test_case_8_after_another_uidvalidity_nothing_is_answered_twice_and_nothing_is_missed(
    dovecot: Dovecot,  # noqa: F811
    smtp: ScriptedSmtp,
    environment: dict[str, str],
) -> None:
    kept = {name: value for name, value in environment.items() if "TELEGRAM" not in name}
    settings = {
        **kept,
        "SSL_CERT_FILE": str(dovecot.certificate),
        "ACCUEIL_IMAP_URL": dovecot.url,
        "ACCUEIL_SMTP_URL": smtp.url,
        "ACCUEIL_MAIL_FROM": CONTACT_BOX,
        "ACCUEIL_IMAP_POLL_SECONDS": "3",
    }
    async with serving(settings) as service:
        for n, words in enumerate((BREAKS, CERTIFICATE)):
            await dovecot.deliver(letter(LEARNER, f"Sujet {n}", words, f"{n}@learner.example"))
            await flagged(dovecot, f"{n}@learner.example", DONE)
        await dovecot.stop()
        await service.logged("mailbox is tried again")
        assert dovecot._run is not None
        restored = dovecot._run / "box" / "mail"
        for made in [*restored.glob("dovecot*")]:
            made.unlink()
        for mail in [*(restored / "cur").iterdir(), *(restored / "new").iterdir()]:  # as a backup has them: unread, unanswered
            shutil.move(mail, restored / "new" / mail.name.partition(":")[0])
        await dovecot.start()
        # other words: the same within the hour would be a loop
        await dovecot.deliver(letter(LEARNER, "Sujet 2", "Quand est la pause du matin ?", "2@learner.example"))
        await flagged(dovecot, "2@learner.example", DONE)
        assert b"numbered its mails anew" in service.log
        found = await closed(address_of(settings), inputs=3)
    assert [str(m["Subject"]) for m in smtp.sent] == ["Re: Sujet 0", "Re: Sujet 1", "Re: Sujet 2"]
    assert found.ends == {"answered": 3}


async def test_case_9_with_a_full_disk_nothing_is_acknowledged_the_operator_is_told_and_it_goes_on_by_itself(
    botapi: BotApi, imap: Imap, smtp: ScriptedSmtp, both: dict[str, str]
) -> None:
    books = address_of(both)
    async with serving(both) as service:
        botapi.user(ANA, "merci")
        await closed(books, inputs=1)
        with disk_full(service):
            botapi.user(STRANGER, "merci", name="Zoé")
            await imap.deliver(letter(LEARNER, "Pauses", BREAKS, "1@learner.example"))
            told = asyncio.create_task(botapi.until(lambda: "La base" in "".join(botapi.texts(TRAINER)), 90))
            await told
            assert [u["message"]["from"]["id"] for u in botapi.updates] == [STRANGER], "the offset moved"
            assert await imap.flags("1@learner.example") == set()
            audited(books, inputs=1)
        await botapi.text_to(STRANGER, "plaisir")
        await smtp.mail_to(HERS, "15 minutes")
        await botapi.text_to(TRAINER, "répond de nouveau")
        found = await closed(books, inputs=3)
    assert found.ends == {"answered": 3}
    assert sum("ne répond plus" in t for t in botapi.texts(TRAINER)) == 1
    assert [len(botapi.texts(p)) for p in (ANA, STRANGER)] == [1, 1]


async def test_a_mail_server_that_hangs_holds_up_nobody_on_telegram(
    botapi: BotApi, imap: Imap, smtp: ScriptedSmtp, both: dict[str, str]
) -> None:
    books, smtp.slow = address_of(both), 8.0
    async with serving(both):
        for n in range(8):
            await imap.deliver(letter(f"p{n}@learner.example", "Pauses", BREAKS, f"{n}@learner.example"))
        async with asyncio.timeout(30):
            while len(smtp.tries) < 3:  # noqa: ASYNC110 - what it waits for is another program
                await asyncio.sleep(0.05)
        botapi.user(ANA, "merci")
        await botapi.until(lambda: botapi.texts(ANA), 6)
        assert not smtp.sent
        smtp.slow = 0.0
        await closed(books, inputs=9)
    assert len(smtp.sent) == 8


async def test_case_10_while_the_database_is_locked_nothing_is_acknowledged_and_nothing_is_lost(
    botapi: BotApi, on_either: dict[str, str]
) -> None:
    books = address_of(on_either)
    async with serving(on_either):
        botapi.user(ANA, "merci")
        await closed(books, inputs=1)
        with database_locked(books):
            botapi.user(STRANGER, "merci", name="Zoé")
            await asyncio.sleep(20)  # longer than one attempt to write waits
            assert [u["message"]["from"]["id"] for u in botapi.updates] == [STRANGER]
        await botapi.text_to(STRANGER, "plaisir")
        found = await closed(books, inputs=2)
    assert found.ends == {"answered": 2}
    assert [len(botapi.texts(p)) for p in (ANA, STRANGER)] == [1, 1]


async def test_case_11_two_services_on_one_mailbox_and_one_database_answer_each_mail_once(
    imap: Imap, smtp: ScriptedSmtp, alone: dict[str, str], own_postgres: str, tmp_path: Any
) -> None:
    shared = {**alone, "DATABASE_URL": own_postgres}
    async with serving(shared) as first, serving({**shared, "ACCUEIL_DATA_DIR": str(tmp_path / "other")}) as second:
        for n in range(12):
            await imap.deliver(letter(f"p{n}@learner.example", "Pauses", BREAKS, f"{n}@learner.example"))
        await closed(address_of(shared), inputs=12)
        shares = [service.log.count(b"kind=reply") for service in (first, second)]
    assert sorted(str(m["To"]) for m in smtp.sent) == sorted(f"p{n}@learner.example" for n in range(12))
    assert sum(shares) == 12


async def test_case_13_rows_of_an_older_schema_in_every_state_reach_an_end(
    botapi: BotApi, environment: dict[str, str], database_address: str
) -> None:
    states = {5001: "waiting", 5002: "taken", 5003: "done", 5004: "aside"}
    botapi.started |= {*states, *range(6001, 6007)}
    _made_by_the_first_version(database_address, states)
    settings = environment
    if database_address.startswith("sqlite"):
        shutil.copy(make_url(database_address).database or "", _data_folder(environment))
    else:
        settings = {**environment, "DATABASE_URL": database_address}
    books = address_of(settings)
    async with serving(settings):
        for chat in (5001, 5002, 6001, 6002, 6006):
            await botapi.until(lambda chat=chat: botapi.texts(chat))
        found = await closed(books, inputs=4)
        await botapi.text_to(TRAINER, "peut-être été remis deux fois")
        await botapi.text_to(TRAINER, "cannot be read")
    assert {row["state"] for row in found.inputs} == {"done", "aside"}
    assert found.ends == {"answered": 4}
    assert sum("cannot be read" in t for t in botapi.texts(TRAINER)) == 1
    assert not botapi.texts(5003), "what was done stays done"
    assert [len(botapi.texts(chat)) for chat in range(6001, 6007)] == [1, 1, 0, 0, 0, 1]
    assert len(found.texts_of("failed")) == 2, "the one that had failed, and the one that cannot be read"


def _data_folder(environment: dict[str, str]) -> str:
    from pathlib import Path

    folder = Path(environment["ACCUEIL_DATA_DIR"])
    folder.mkdir(parents=True)
    return str(folder / "accueil.db")


def _made_by_the_first_version(address: str, states: dict[int, str]) -> None:
    """A database at the first migration, with a row in each state, as a service left it that was killed."""
    url = make_url(address)
    sync = url if url.get_backend_name() == "sqlite" else url.set(drivername="postgresql+psycopg")
    engine, past = create_engine(sync), datetime.now(UTC) - timedelta(hours=1)
    hashed = Hasher(bytes.fromhex("ab" * 32))
    with engine.begin() as connection:
        config = Config()
        config.set_main_option("script_location", "bot/store/migrations")
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
        connection.execute(insert(meta), [{"name": "secret", "value": "ab" * 32}, {"name": "escalation", "value": "0"}])
        for person, state in states.items():
            raw = {
                "update_id": person,
                "message": {
                    "message_id": 1,
                    "date": 1,
                    "chat": {"id": person, "type": "private"},
                    "from": {"id": person, "is_bot": False, "first_name": "Ana"},
                    "text": "merci",
                },
            }
            ended = {"end": "answered", "done_at": past} if state in ("done", "aside") else {}
            row = {
                "key": hashed(f"telegram:message:{person}:1"), "person": hashed(f"telegram:{person}"), "channel": "telegram",
                "raw": None if state == "done" else raw, "raw_key": f"telegram:message:{person}:1",
                "raw_person": f"telegram:{person}", "state": state, "attempts": int(state != "waiting"), "received_at": past,
                "due_at": past, "lease_until": past if state == "taken" else None, "end": None, "done_at": None, **ended,
            }  # fmt: skip
            connection.execute(insert(inbox).values(**row))
        for chat, state in zip(range(6001, 6007), ("waiting", "sending", "sent", "failed", "dropped", "waiting"), strict=True):
            out = Outgoing(f"old:{chat}", f"telegram:{chat}", "ancien texte")
            connection.execute(insert(outbox).values(**_text(hashed, out, state, past)))
        unreadable = Outgoing("old:unreadable", "telegram:6006", "?")
        connection.execute(
            insert(outbox).values(**{**_text(hashed, unreadable, "waiting", past), "outgoing": {"of": "another version"}})
        )
    engine.dispose()


def _text(hashed: Hasher, out: Outgoing, state: str, at: datetime) -> dict[str, Any]:
    return {
        "key": hashed(out.key), "to": out.to, "to_hash": hashed(out.to), "kind": out.kind, "private": False, "erase": False,
        "outgoing": json.loads(json.dumps(codec.dump(codec.outgoing, out))), "state": state,
        "attempts": int(state != "waiting"), "unsure": 0, "created_at": at, "due_at": at,
        "lease_until": at if state == "sending" else None, "sent_at": at if state in ("sent", "failed") else None,
        "error": "refused" if state == "failed" else None,
    }  # fmt: skip


@pytest.mark.timeout(240)
async def test_case_24_a_flood_by_mail_is_told_once_and_the_others_are_answered_in_seconds(
    botapi: BotApi, imap: Imap, smtp: ScriptedSmtp, both: dict[str, str]
) -> None:
    """500 mails of one sender; ten others write meanwhile."""
    books, flooder = address_of(both), "Zoé <zoe@flood.example>"
    async with serving(both):

        def flood(client: Any) -> None:
            for n in range(500):
                client.append("INBOX", letter(flooder, f"Urgent {n}", f"répondez moi {n} !", f"f{n}@flood.example"))
                if n % 50 == 25:
                    client.append("INBOX", letter(f"p{n}@learner.example", "Pauses", BREAKS, f"p{n}@learner.example"))

        await imap.do(flood)
        came = asyncio.get_running_loop().time()
        others = [f"p{n}@learner.example" for n in range(25, 500, 50)]

        async def answered() -> bool:
            return all(smtp.to(other) for other in others)

        await until(answered, bool)
        waited = asyncio.get_running_loop().time() - came
        found = await closed(books, inputs=510, seconds=180)
        await asyncio.sleep(2)
    assert waited < 30, "the others waited for the flood"
    assert len(smtp.to("zoe@flood.example")) <= 5
    assert sum("zoe" in t.lower() for t in botapi.texts(TRAINER)) <= 6, "what was answered or passed on before the caps, and one"
    assert not found.texts_of("failed")
