"""Cases of Telegram: duplicates, forged and foreign buttons, refusals of every kind, a flood."""

from __future__ import annotations

import asyncio
import itertools
import json
from typing import Any

import httpx
import pytest

from tests.e2e.conftest import ANA, CONTACT, HELPER, STRANGER, TRAINER, Service, serving
from tests.ledger import address_of, audited, closed
from tests.peers.botapi import BotApi

GROUP = {"id": -100500, "type": "supergroup", "title": "Promo"}
BREAKS = "les pauses durent combien ?"


def button(text: dict[str, Any], label: str) -> str:
    """The callback data of a button."""
    rows = json.loads(text["reply_markup"])["inline_keyboard"]
    return next(str(b["callback_data"]) for row in rows for b in row if b["text"].startswith(label))


async def test_case_16_a_duplicate_update_a_webhook_retry_and_a_double_tap_have_one_effect_each(
    botapi: BotApi, environment: dict[str, str], unused_tcp_port: int
) -> None:
    books = address_of(environment)
    async with serving(environment):
        botapi.user(ANA, BREAKS)
        update = botapi.updates[-1]
        answer = await botapi.text_to(ANA, "15\u00a0minutes")
        botapi.again(update)
        botapi.press(ANA, answer, "Ce n'est pas ça")
        botapi.press(ANA, answer, "Ce n'est pas ça")
        await botapi.text_to(TRAINER, "combien")
        await botapi.text_to(ANA, "Pardon")
        await closed(books, inputs=3)
    hook = {"ACCUEIL_TELEGRAM_WEBHOOK_URL": "https://accueil.example.org/telegram", "PORT": str(unused_tcp_port)}
    async with serving({**environment, **hook}):
        secret = str((await botapi.until(lambda: botapi.webhook))["secret_token"])
        header = {"X-Telegram-Bot-Api-Secret-Token": secret}
        async with httpx.AsyncClient(timeout=20) as client:
            for _ in range(3):  # the update that polling brought already, as after a change of set-up
                answered = await client.post(f"http://127.0.0.1:{unused_tcp_port}/telegram", json=update, headers=header)
                assert answered.status_code == 200
        found = await closed(books, inputs=3)
    assert found.ends == {"answered": 1, "escalated": 1, "ignored": 1}
    assert sum("15\u00a0minutes" in t for t in botapi.texts(ANA)) == 1
    assert sum("Pardon" in t for t in botapi.texts(ANA)) == 1
    assert sum("combien" in t for t in botapi.texts(TRAINER)) == 1


async def test_case_29_button_codes_that_are_forged_or_replayed_by_another_are_refused(
    botapi: BotApi, environment: dict[str, str]
) -> None:
    async with serving(environment):
        botapi.user(ANA, "je voudrais parler au formateur")
        notice = await botapi.text_to(TRAINER, "parler au formateur")
        close = button(notice, "Clore")
        botapi.started.add(STRANGER)
        forged = [close[:-1] + ("8" if close[-1] != "8" else "9"), "e:close:1", "", "x" * 64, close[:10] + "e:claim:1", "\ud800"]
        botapi.press_data(STRANGER, {**notice, "chat_id": STRANGER}, close)  # replayed by a stranger
        botapi.press_data(HELPER, {**notice, "chat_id": HELPER}, close)  # and by another trainer, who has a button of his own
        for data in forged:
            botapi.press_data(TRAINER, notice, data)
        await botapi.until(lambda: len(botapi.pressed) == 2 + len(forged))
        # the empty one is no button of a bot at all
        assert [p.get("text") for p in botapi.pressed] == ["Ce bouton n'est pas pour vous."] * (2 + len(forged))
        found = await closed(address_of(environment), inputs=3 + len(forged))
        assert found.ends == {"escalated": 1, "ignored": 2 + len(forged)}
        botapi.reply(TRAINER, notice, "Toujours ouverte.")
        await botapi.text_to(ANA, "Toujours ouverte.")
        botapi.press_data(TRAINER, notice, close)  # his own, after the state has moved on
        await botapi.text_to(TRAINER, "déjà reçu votre réponse")
        await closed(address_of(environment), inputs=5 + len(forged))
    assert not any("close sans réponse" in t for who in (TRAINER, HELPER, STRANGER) for t in botapi.texts(who))


async def test_case_30_in_a_group_a_button_serves_its_owner_alone_and_nothing_personal_is_shown(
    botapi: BotApi, environment: dict[str, str]
) -> None:
    async with serving(environment):
        botapi.user(ANA, f"@accueil_test_bot {BREAKS}", chat=GROUP)
        answer = await botapi.text_to(-100500, "15\u00a0minutes")
        not_it = button(answer, "Ce n'est pas ça")
        botapi.press_data(STRANGER, answer, not_it)
        await botapi.until(lambda: botapi.pressed)
        assert botapi.pressed[0]["text"] == "Ce bouton n'est pas pour vous."
        botapi.user(ANA, "@accueil_test_bot je suis malentendante, il me faut une boucle magnétique", chat=GROUP)
        await botapi.text_to(CONTACT, "malentendante")
        await botapi.text_to(-100500, "groupe")
        found = await closed(address_of(environment), inputs=3)
    assert found.ends == {"answered": 1, "escalated": 1, "ignored": 1}
    assert not botapi.texts(STRANGER)
    assert not any("malentendante" in t or "#A" in t or "handicap" in t for t in botapi.texts(-100500))
    assert len(botapi.texts(-100500)) == 2


async def test_updates_that_do_not_parse_are_told_and_hold_nothing_up(botapi: BotApi, environment: dict[str, str]) -> None:
    async with serving(environment):
        botapi._push({"message": {"message_id": "not a number", "chat": 7, "from": {"id": ANA}}})
        botapi._push({"poll": {"question": 3}})
        botapi.user(ANA, "merci")
        await botapi.text_to(ANA, "plaisir")
        await botapi.text_to(TRAINER, "mis de côté", nth=2)
        found = await closed(address_of(environment), inputs=3)
    assert found.ends == {"answered": 1, "ignored": 2}
    assert sum("mis de côté" in t for t in botapi.texts(TRAINER)) == 2


REFUSALS: list[tuple[list[Any], int, str]] = [
    ([(429, "Too Many Requests: retry after 2", {"retry_after": 2})], 1, ""),
    ([(500, "Internal Server Error"), (502, "Bad Gateway")], 1, ""),
    (["lost"], 1, "peut-être"),  # nobody can know that nothing was taken
    (["cut"], 2, "peut-être"),
    (["cut", "cut"], 2, "n'a pas pu être remis"),
    ([(400, "Bad Request: can't parse entities: unsupported start tag")], 0, "can't parse entities"),
    ([(403, "Forbidden: bot was blocked by the user")], 0, "blocked"),
]


@pytest.mark.parametrize(("script", "copies", "told"), REFUSALS)
async def test_each_answer_of_telegram_to_a_send_is_understood(
    botapi: BotApi, environment: dict[str, str], script: list[Any], copies: int, told: str
) -> None:
    async with serving(environment):
        botapi.faults["sendMessage"] = list(script)
        botapi.user(ANA, "merci")
        if told:
            await botapi.text_to(TRAINER, told)
        found = await closed(address_of(environment), inputs=1)
        botapi.user(ANA, "au revoir")
        await botapi.text_to(ANA, "bientôt")
        await closed(address_of(environment), inputs=2)
    assert sum("plaisir" in t for t in botapi.texts(ANA)) == copies
    assert len(found.texts_of("failed")) == (copies == 0 or script == ["cut", "cut"])
    if not told:
        assert not botapi.texts(TRAINER)


async def test_a_group_that_migrates_takes_its_answers_along(botapi: BotApi, environment: dict[str, str]) -> None:
    moved = {"migrate_to_chat_id": -100777}
    async with serving(environment):
        botapi.faults["sendMessage"] = [(400, "Bad Request: group chat was upgraded to a supergroup chat", moved)]
        botapi.user(ANA, f"@accueil_test_bot {BREAKS}", chat={**GROUP, "type": "group"})
        await botapi.text_to(-100777, "15\u00a0minutes")
        await closed(address_of(environment), inputs=1)
    assert not botapi.texts(-100500)
    assert len(botapi.texts(-100777)) == 1


async def test_a_poll_that_is_refused_is_tried_again_and_nothing_is_confirmed_meanwhile(
    botapi: BotApi, environment: dict[str, str]
) -> None:
    botapi.faults["getUpdates"] = [
        (502, "Bad Gateway"),
        "lost",
        (429, "Too Many Requests", {"retry_after": 1}),
        (409, "Conflict: terminated by other getUpdates request"),
    ]
    botapi.user(ANA, "merci")
    async with serving(environment):
        await botapi.text_to(ANA, "plaisir")
        found = await closed(address_of(environment), inputs=1)
    assert found.ends == {"answered": 1}
    assert len(botapi.texts(ANA)) == 1


async def test_telegrams_limits_are_kept_and_not_discovered(botapi: BotApi, environment: dict[str, str]) -> None:
    """About 30 texts a second in all, one a second in a chat; 100 people write at once, and one of them five times."""
    people = range(7000, 7100)
    async with serving(environment):
        for person in people:
            botapi.user(person, "merci")
        for words in ("bonjour", "au revoir", "merci bien", "bonsoir"):
            botapi.user(people[0], words)
        await botapi.until(lambda: all(botapi.texts(p) for p in people), 90)
        await closed(address_of(environment), inputs=len(people) + 4, seconds=90)
    times = sorted(m["at"] for m in botapi.sent)
    busiest = max(sum(t <= other < t + 1 for other in times) for t in times)
    hers = sorted(m["at"] for m in botapi.sent if m["chat_id"] == people[0])
    assert busiest <= 30
    assert len(hers) == 5
    assert min(b - a for a, b in itertools.pairwise(hers)) >= 0.99


@pytest.mark.timeout(400)  # beyond all waits in it
async def test_case_24_a_flood_by_telegram_gets_one_word_and_the_others_are_answered_in_seconds(
    botapi: BotApi, environment: dict[str, str]
) -> None:
    """500 messages of one person within a minute, as fast as they come; meanwhile ten others write."""
    waited: list[float] = []
    async with serving(environment) as service:
        botapi.user(ANA, BREAKS)  # what understands is loaded when it is first needed
        await botapi.until(lambda: botapi.texts(ANA), 60)
        before = memory_of(service)

        async def other(person: int) -> None:
            botapi.user(person, "merci")
            asked = asyncio.get_running_loop().time()
            await botapi.until(lambda: botapi.texts(person), 60)
            waited.append(asyncio.get_running_loop().time() - asked)

        others = []
        for n in range(500):
            botapi.user(STRANGER, f"réponds moi {n} !!", name="Zoé")
            if n % 50 == 25:
                others.append(asyncio.create_task(other(8000 + n)))
            await asyncio.sleep(0.02)
        await asyncio.gather(*others)
        found = await closed(address_of(environment), inputs=511, seconds=240)  # a minute on an idle machine
        grown = memory_of(service) - before
    assert max(waited) < 15, waited
    words = botapi.texts(STRANGER)
    assert sum("ne réponds plus à chacun" in t for t in words) == 1
    assert len(words) <= 15, "a few answers before it was a flood, then one word"
    assert sum("très nombreux messages" in t for t in botapi.texts(TRAINER)) == 1
    assert len([t for t in botapi.texts(TRAINER) if "Zoé" in t]) <= 15
    assert grown < 80_000_000, f"{grown / 1e6:.0f} MB"
    assert found.ends["ignored"] == found.reasons()["one of very many messages at once"]


async def test_a_call_for_help_within_a_flood_reaches_the_disability_contact(botapi: BotApi, environment: dict[str, str]) -> None:
    async with serving(environment):
        for n in range(80):
            botapi.user(STRANGER, f"réponds moi {n} !!", name="Zoé")
        botapi.user(STRANGER, "je suis malentendante, il me faut une boucle", name="Zoé")
        await botapi.until(lambda: botapi.texts(CONTACT), 60)
        assert "CONFIDENTIEL" in botapi.texts(CONTACT)[0]
        assert "malentendante" in botapi.texts(CONTACT)[0]
        await closed(address_of(environment), inputs=81)
    assert not any("malentendante" in t for t in botapi.texts(TRAINER))
    assert sum("ne réponds plus" in t for t in botapi.texts(STRANGER)) == 1


def memory_of(service: Service) -> int:
    """Resident bytes."""
    assert service.process is not None
    with open(f"/proc/{service.process.pid}/statm") as file:
        return int(file.read().split()[1]) * 4096


async def test_case_11_two_services_with_one_token_end_with_one_of_them(
    botapi: BotApi, environment: dict[str, str], own_postgres: str, tmp_path: Any
) -> None:
    """The peer ends one poller's requests, and exactly one of the two goes on."""
    shared = {**environment, "DATABASE_URL": own_postgres}
    first, second = Service(shared), Service({**shared, "ACCUEIL_DATA_DIR": str(tmp_path / "other")})
    await first.start()
    await second.start()
    assert first.process is not None
    assert second.process is not None
    try:
        done, _ = await asyncio.wait(
            [asyncio.create_task(p.wait()) for p in (first.process, second.process)],
            timeout=90,
            return_when=asyncio.FIRST_COMPLETED,
        )
        assert [task.result() for task in done] == [4]
        for person in range(6000, 6010):
            botapi.user(person, "merci")
        await botapi.until(lambda: all(botapi.texts(p) for p in range(6000, 6010)), 60)
        await closed(address_of(shared))
        assert all(len(botapi.texts(p)) == 1 for p in range(6000, 6010))
        assert (first.process.returncode is None) is not (second.process.returncode is None)
    finally:
        for service in (first, second):
            if service.process is not None and service.process.returncode is None:
                await service.stop()
    audited(address_of(shared))
