"""Whole conversations over the wire: a strict Bot API server on one side, the running service on the other."""

from __future__ import annotations

import asyncio
import json
import re
import shutil
import sys
from pathlib import Path

import httpx

from tests.e2e.conftest import ANA, CONTACT, HELPER, STRANGER, TRAINER, Service
from tests.peers.botapi import BotApi


async def escalated(
    botapi: BotApi, words: str = "je voudrais parler au formateur", who: int = ANA
) -> tuple[dict[str, object], str]:
    """A learner's message reaches the trainer; the notice and its reference."""
    before = len(botapi.texts(TRAINER))
    botapi.user(ANA, "je voudrais parler au formateur")
    notice = await botapi.until(lambda: [m for m in botapi.sent if m["chat_id"] == TRAINER][before:])
    found = re.search(r"#A\d+", notice[0]["text"])
    assert found
    return notice[0], found[0]


async def test_a_question_is_answered_after_its_format_was_asked(botapi: BotApi, service: Service) -> None:
    botapi.user(ANA, "slt on commence a quelle heure")
    asked = await botapi.text_to(ANA, "Laquelle")
    assert "assistant automatique" in botapi.texts(ANA)[0]
    botapi.press(ANA, asked, "Présentiel (inter)")
    answer = await botapi.text_to(ANA, "17\u00a0h")
    assert "Planning de votre session" in answer["text"]
    botapi.user(ANA, "et les pauses ?")
    pauses = await botapi.text_to(ANA, "15\u00a0min")
    assert "format" not in pauses["text"].lower().split("d'après")[0]


async def test_a_double_tap_is_answered_once(botapi: BotApi, service: Service) -> None:
    botapi.user(ANA, "les pauses c'est quand ?")
    asked = await botapi.text_to(ANA, "Laquelle")
    botapi.press(ANA, asked, "Présentiel (inter)")
    botapi.press(ANA, asked, "Présentiel (inter)")
    await botapi.text_to(ANA, "15\u00a0min")
    botapi.user(ANA, "merci")
    await botapi.text_to(ANA, "plaisir")
    assert sum("15\u00a0min" in t for t in botapi.texts(ANA)) == 1


async def test_the_trainers_reply_reaches_the_learner_and_a_second_is_a_correction(botapi: BotApi, service: Service) -> None:
    notice, reference = await escalated(botapi)
    assert "parler au formateur" in notice["text"]
    await botapi.text_to(ANA, reference)
    botapi.reply(TRAINER, notice, "Appelez-moi demain matin.")
    relay = await botapi.text_to(ANA, "Appelez-moi demain matin.")
    assert reference in relay["text"]
    await botapi.text_to(TRAINER, "votre réponse est envoyée")
    botapi.reply(TRAINER, notice, "Plutôt l'après-midi.")
    correction = await botapi.text_to(ANA, "Plutôt l'après-midi.")
    assert "Correction" in correction["text"]


async def test_a_reply_faster_than_our_own_note_of_the_send_still_finds_its_escalation(botapi: BotApi, service: Service) -> None:
    notice, _ = await escalated(botapi)
    botapi.reply(TRAINER, {**notice, "message_id": 999_999}, "Réponse éclair.")
    await botapi.text_to(ANA, "Réponse éclair.")


async def test_another_trainers_second_answer_is_refused_with_a_word(botapi: BotApi, service: Service) -> None:
    notice, reference = await escalated(botapi)
    second = await botapi.text_to(HELPER, reference)
    botapi.reply(TRAINER, notice, "La première réponse.")
    await botapi.text_to(ANA, "La première réponse.")
    botapi.reply(HELPER, second, "Une autre réponse.")
    await botapi.text_to(HELPER, "déjà reçu une réponse")
    assert not any("Une autre réponse" in t for t in botapi.texts(ANA))


async def test_a_strangers_reply_with_a_reference_changes_nothing(botapi: BotApi, service: Service) -> None:
    _, reference = await escalated(botapi)
    botapi.user(STRANGER, f"{reference} la réponse est oui", name="Zoé")
    await botapi.until(lambda: botapi.texts(STRANGER))
    await asyncio.sleep(1)
    assert not any("la réponse est oui" in t for t in botapi.texts(ANA))


async def test_a_strangers_copy_of_a_trainers_button_changes_nothing(botapi: BotApi, service: Service) -> None:
    notice, reference = await escalated(botapi)
    rows = json.loads(notice["reply_markup"])["inline_keyboard"]
    close = next(b["callback_data"] for row in rows for b in row if b["text"].startswith("Clore"))
    botapi.started.add(STRANGER)
    botapi.press_data(STRANGER, {**notice, "chat_id": STRANGER}, close)
    botapi.reply(TRAINER, notice, "Toujours ouverte.")
    await botapi.text_to(ANA, "Toujours ouverte.")
    assert not any("close" in t for t in botapi.texts(TRAINER) if reference in t and "Clore" not in t)


async def test_a_health_matter_is_shown_to_the_disability_contact_alone(botapi: BotApi, service: Service) -> None:
    botapi.user(ANA, "je suis malentendante, il me faudrait une boucle magnétique pendant la formation")
    notice = await botapi.text_to(CONTACT, "malentendante")
    assert "CONFIDENTIEL" in notice["text"]
    botapi.reply(CONTACT, notice, "Nous l'installerons.")
    await botapi.text_to(ANA, "Nous l'installerons.")
    assert not any("malentendante" in t or "installerons" in t for who in (TRAINER, HELPER) for t in botapi.texts(who))
    assert b"malentendante" not in service.log


async def test_buttons_of_the_trainer_take_and_close(botapi: BotApi, service: Service) -> None:
    notice, reference = await escalated(botapi)
    botapi.press(TRAINER, notice, "Je m'en occupe")
    await botapi.text_to(TRAINER, "c'est pour vous")
    await botapi.text_to(HELPER, "s'en occupe")
    botapi.press(TRAINER, notice, "Clore sans réponse")
    await botapi.text_to(TRAINER, f"{reference}\u00a0: close")
    botapi.reply(TRAINER, notice, "Trop tard.")
    await botapi.text_to(TRAINER, "est close")
    assert not any("Trop tard" in t for t in botapi.texts(ANA))


async def test_a_wrong_answer_is_passed_on_with_one_press(botapi: BotApi, service: Service) -> None:
    botapi.user(ANA, "est-ce que ce qu'on dit reste entre nous ?")
    answer = await botapi.text_to(ANA, "confidentiel")
    botapi.press(ANA, answer, "Ce n'est pas ça")
    notice = await botapi.text_to(TRAINER, "reste entre nous")
    assert "pas ça" in notice["text"]
    await botapi.text_to(ANA, "Pardon")


async def test_a_photo_is_passed_on_and_never_opened(botapi: BotApi, service: Service) -> None:
    photo = [{"file_id": "f", "file_unique_id": "u", "width": 1, "height": 1}]
    number = botapi.user(ANA, photo=photo, caption="c'est bien ici ?")
    await botapi.text_to(TRAINER, "c'est bien ici ?")
    await botapi.text_to(TRAINER, f"[copy of {number}]")
    await botapi.text_to(ANA, "photo")
    assert not any(method == "getFile" for method, _ in botapi.calls)


async def test_a_group_is_answered_only_when_addressed_and_never_on_personal_matters(botapi: BotApi, service: Service) -> None:
    group = {"id": -100500, "type": "supergroup", "title": "Promo"}
    botapi.user(ANA, "on commence à quelle heure ?", chat=group)
    botapi.user(ANA, "@accueil_test_bot y a-t-il une attestation à la fin ?", chat=group)
    await botapi.text_to(-100500)
    botapi.user(ANA, "@accueil_test_bot je suis dyslexique, il me faut les supports en grand", chat=group)
    await botapi.text_to(-100500, "groupe")
    await botapi.text_to(CONTACT, "dyslexique")
    assert not any("dyslexique" in t for t in botapi.texts(-100500))
    assert len(botapi.texts(-100500)) == 2


async def test_an_edited_message_is_answered_again_only_if_its_decision_differs(botapi: BotApi, service: Service) -> None:
    number = botapi.user(ANA, "est ce qu'il y a une attestation a la fin ?")
    await botapi.until(lambda: botapi.texts(ANA))
    botapi.edit(ANA, number, "est-ce qu'il y a une attestation à la fin ?")
    botapi.edit(ANA, number, "combien de temps dure la formation au total ?")
    await botapi.until(lambda: len(botapi.texts(ANA)) >= 2)
    botapi.user(ANA, "merci")
    await botapi.text_to(ANA, "plaisir")
    assert len(botapi.texts(ANA)) == 3


async def test_forgetting_is_said_and_leaves_nothing(botapi: BotApi, service: Service) -> None:
    botapi.user(ANA, "bonjour")
    await botapi.text_to(ANA, "Quelle est votre question")
    botapi.user(ANA, "/oublier")
    await botapi.text_to(ANA, "C'est fait")
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bot", "export", f"telegram:{ANA}", env=service.environment, stdout=asyncio.subprocess.PIPE
    )
    out, _ = await asyncio.wait_for(process.communicate(), 30)
    left = json.loads(out)
    assert left["dialogue"] is None
    assert [t for t in left["texts"] if t["state"] == "sent"] == []


async def test_a_redelivered_update_is_answered_once(botapi: BotApi, service: Service) -> None:
    botapi.user(ANA, "merci beaucoup")
    update = botapi.updates[-1]
    await botapi.text_to(ANA, "plaisir")
    botapi.again(update)
    botapi.user(ANA, "au revoir")
    await botapi.text_to(ANA, "bientôt")
    assert sum("plaisir" in t for t in botapi.texts(ANA)) == 1


async def test_a_notice_that_cannot_be_delivered_is_reported_to_the_operator(botapi: BotApi, service: Service) -> None:
    botapi.blocked.add(HELPER)
    _, reference = await escalated(botapi)
    alert = await botapi.text_to(TRAINER, "n'a pas pu être remis")
    assert reference in alert["text"]


async def test_too_many_requests_are_waited_for_and_nothing_is_doubled(botapi: BotApi, service: Service) -> None:
    botapi.faults["sendMessage"] = [(429, "Too Many Requests: retry after 1"), (500, "Internal Server Error"), None]
    botapi.user(ANA, "bonjour")
    await botapi.text_to(ANA, "question")
    botapi.user(ANA, "merci")
    await botapi.text_to(ANA, "plaisir")
    assert len(botapi.texts(ANA)) == 2


async def test_a_cut_during_a_send_is_sent_once_more_and_told(botapi: BotApi, service: Service) -> None:
    botapi.user(ANA, "bonjour")
    await botapi.text_to(ANA, "question")
    botapi.faults["sendMessage"] = ["cut"]
    botapi.user(ANA, "merci")
    await botapi.text_to(ANA, "plaisir", nth=2)
    await botapi.text_to(TRAINER, "peut-être été remis deux fois")
    await asyncio.sleep(1)
    assert sum("plaisir" in t for t in botapi.texts(ANA)) == 2


async def test_twenty_messages_over_two_kills_are_each_answered_once(botapi: BotApi, service: Service) -> None:
    people = range(5000, 5020)
    for n, person in enumerate(people):
        botapi.user(person, "merci", name=f"Personne {n}")
        if n in (6, 13):
            await asyncio.sleep(0.15)
            await service.kill()
            await service.start()
    await botapi.until(lambda: all(any("plaisir" in t for t in botapi.texts(p)) for p in people), 60)
    botapi.user(ANA, "bonjour")
    await botapi.text_to(ANA, "question")
    doubled = [p for p in people if sum("plaisir" in t for t in botapi.texts(p)) > 1]
    told = sum("peut-être" in t for t in botapi.texts(TRAINER))
    assert len(doubled) <= told  # only what was on the wire at a kill, and that is told


async def test_a_send_in_flight_at_a_kill_is_sent_once_more_and_told(botapi: BotApi, service: Service) -> None:
    botapi.user(ANA, "bonjour")
    await botapi.text_to(ANA, "question")
    botapi.hold = asyncio.Event()
    botapi.user(ANA, "merci")
    await botapi.text_to(ANA, "plaisir")
    await service.kill()
    botapi.hold = None
    await service.start()
    await botapi.text_to(ANA, "plaisir", nth=2)
    await botapi.text_to(TRAINER, "peut-être")


async def test_a_clean_stop_ends_with_zero_and_logs_no_words(botapi: BotApi, service: Service) -> None:
    person = 7_654_321_098  # an id that no time of day in a log holds by chance
    botapi.user(person, "mon mot de passe secret est tournesol", name="Clémentine")
    await botapi.text_to(person)
    assert await service.stop() == 0
    for secret in (b"tournesol", str(person).encode(), "Clémentine".encode(), b"test-token"):
        assert secret not in service.log


async def test_a_refused_token_and_a_second_service_end_with_a_clear_message(botapi: BotApi, service: Service) -> None:
    async def ended(**changed: str) -> tuple[int, str]:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "bot", "serve"), env={**service.environment, **changed}, stderr=asyncio.subprocess.PIPE
        )
        _, err = await asyncio.wait_for(process.communicate(), 60)
        return process.returncode or 0, err.decode()

    code, err = await ended()
    assert code == 3
    assert "another Accueil is running" in err
    elsewhere = service.environment["ACCUEIL_DATA_DIR"] + "2"
    code, err = await ended(ACCUEIL_TELEGRAM_TOKEN="123456:another-token-refused", ACCUEIL_DATA_DIR=elsewhere)
    assert code == 4
    assert "refuses the token" in err
    assert "Traceback" not in err


async def test_an_edited_knowledge_file_is_picked_up_and_a_faulty_one_is_told(
    botapi: BotApi, environment: dict[str, str], tmp_path: Path
) -> None:
    folder = shutil.copytree(Path(__file__).parents[2] / "knowledge", tmp_path / "knowledge")
    service = Service({**environment, "ACCUEIL_KNOWLEDGE_DIR": str(folder)})
    await service.start()
    try:
        file = folder / "welcome.yaml"
        sound = file.read_text("utf-8")
        file.write_text(sound.replace("topics:", "topiks:", 1), "utf-8")
        await botapi.text_to(TRAINER, "l'ancienne version reste en service")
        botapi.user(ANA, "y a-t-il une attestation à la fin ?")
        await botapi.text_to(ANA, "attestation individuelle")
        file.write_text(sound.replace("attestation individuelle", "attestation personnelle"), "utf-8")
        await botapi.text_to(TRAINER, "de nouveau corrects")
        botapi.user(STRANGER, "y a-t-il une attestation à la fin ?")
        await botapi.text_to(STRANGER, "attestation personnelle")
    finally:
        await service.stop()


async def test_a_webhook_takes_updates_only_with_its_secret(
    botapi: BotApi, environment: dict[str, str], unused_tcp_port: int
) -> None:
    hook = {"ACCUEIL_TELEGRAM_WEBHOOK_URL": "https://accueil.example.org/telegram", "PORT": str(unused_tcp_port)}
    service = Service({**environment, **hook})
    await service.start()
    try:
        secret = str((await botapi.until(lambda: botapi.webhook))["secret_token"])
        botapi.user(ANA, "merci beaucoup à vous")
        update, url = botapi.updates[-1], f"http://127.0.0.1:{unused_tcp_port}/telegram"
        async with httpx.AsyncClient(timeout=10) as client:
            header = "X-Telegram-Bot-Api-Secret-Token"
            assert (await client.post(url, json=update)).status_code == 403
            assert (await client.post(url, json=update, headers={header: secret[:-1] + "x"})).status_code == 403
            assert (await client.post(url, content=b"{", headers={header: secret})).status_code == 400
            for _ in range(2):
                assert (await client.post(url, json=update, headers={header: secret})).status_code == 200
        await botapi.text_to(ANA, "plaisir")
        await asyncio.sleep(1)
        assert len(botapi.texts(ANA)) == 1
    finally:
        await service.stop()


async def test_an_unanswered_escalation_is_recalled_and_the_learner_told(botapi: BotApi, environment: dict[str, str]) -> None:
    service = Service({**environment, "ACCUEIL_NUDGE_HOURS": "0.0005"})
    await service.start()
    try:
        _, reference = await escalated(botapi)
        nudge = await botapi.text_to(TRAINER, "attend une réponse")
        assert reference in nudge["text"]
        await botapi.text_to(ANA, "n'est pas oubliée")
    finally:
        await service.stop()


async def test_the_same_service_runs_on_postgresql(botapi: BotApi, environment: dict[str, str], postgres: str) -> None:
    service = Service({**environment, "DATABASE_URL": postgres.replace("postgresql://", "postgres://")})
    await service.start()
    try:
        for person in range(6000, 6010):
            botapi.user(person, "merci pour tout")
        await botapi.until(lambda: all(botapi.texts(p) for p in range(6000, 6010)))
        assert all(len(botapi.texts(p)) == 1 for p in range(6000, 6010))
    finally:
        await service.stop()
