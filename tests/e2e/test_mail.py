"""The mailbox over the wire: an IMAP server and an SMTP server on one side, the running service on the other."""

from __future__ import annotations

import asyncio
import re
import sys
from email.message import EmailMessage

from tests.e2e.conftest import ANA, CONTACT, TRAINER, Service, serving
from tests.peers.botapi import BotApi
from tests.peers.mail import CONTACT_BOX, Imap, Smtp, body, by_hand, letter, until

LEARNER, TEACHER = "Ana <ana@learner.example>", "denis@trainer.example"
DOG = "Bonjour, est-ce que je peux venir avec mon chien ?"


async def flagged(imap: Imap, message_id: str, flags: set[str], folder: str = "INBOX") -> None:
    """Wait until a mail has these flags."""
    await until(lambda: imap.flags(message_id, folder), lambda found: found == flags)


async def test_a_question_is_answered_in_its_thread_and_the_mail_marked(imap: Imap, smtp: Smtp, alone: dict[str, str]) -> None:
    await imap.deliver(letter(LEARNER, "Ancien", "on commence à quelle heure ?", "old@learner.example"))
    async with serving(alone):
        await imap.deliver(
            letter(LEARNER, "Horaires du stage", "Bonjour,\nLes pauses durent combien ?\n\nAna", "1@learner.example")
        )
        reply = await smtp.mail_to("ana@learner.example", "15 minutes")
        assert reply["Subject"] == "Re: Horaires du stage"
        assert reply["In-Reply-To"] == reply["References"] == "<1@learner.example>"
        assert reply["Auto-Submitted"] == "auto-replied"
        assert reply["From"].addresses[0].addr_spec == CONTACT_BOX
        for label in ("Présentiel (inter)", "À distance"):
            assert label.split(" ")[0].lower() in body(reply).lower()
        assert "> Les pauses durent combien ?" in body(reply)
        assert "15\u00a0minutes" in str(reply.get_body(("html",)).get_content())
        await flagged(imap, "1@learner.example", {"\\Answered", "\\Seen"})
    assert await imap.flags("old@learner.example") == set()
    assert len(smtp.sent) == 1


async def test_automatic_mails_are_left_alone(imap: Imap, smtp: Smtp, alone: dict[str, str]) -> None:
    mails = {
        "away@x.example": {"Auto_Submitted": "auto-replied"},
        "list@x.example": {"List_Id": "<formation.example>"},
        "bulk@x.example": {"Precedence": "bulk"},
    }
    async with serving(alone):
        for id, headers in mails.items():
            await imap.deliver(letter("Bob <bob@x.example>", "Horaires", "On commence à quelle heure ?", id, **headers))
        await imap.deliver(letter("no-reply@x.example", "Horaires", "On commence à quelle heure ?", "robot@x.example"))
        await imap.deliver(letter(LEARNER, "Pauses", "Les pauses durent combien ?", "1@learner.example"))
        await flagged(imap, "1@learner.example", {"\\Answered", "\\Seen"})
    assert [await imap.flags(id) for id in (*mails, "robot@x.example")] == [set()] * 4
    assert {str(m["To"]) for m in smtp.sent} == {"ana@learner.example"}


async def test_an_escalated_mail_reaches_the_trainer_everywhere_and_their_mail_reaches_the_learner(
    imap: Imap, smtp: Smtp, botapi: BotApi, environment: dict[str, str], mail_settings: dict[str, str]
) -> None:
    async with serving({**environment, **mail_settings, "ACCUEIL_TRAINER_EMAILS": TEACHER}):
        await imap.deliver(letter(LEARNER, "Chien", DOG, "1@learner.example"))
        acknowledged = await smtp.mail_to("ana@learner.example", "Je transmets")
        notice = await smtp.mail_to(TEACHER, "mon chien")
        assert "mon chien" in (await botapi.text_to(TRAINER, "mon chien"))["text"]
        await flagged(imap, "1@learner.example", {"\\Flagged"})
        await imap.deliver(letter(f"Denis <{TEACHER}>", f"Re: {notice['Subject']}", "Oui, s'il est sage.", "2@t", answers=notice))
        relay = await smtp.mail_to("ana@learner.example", "s'il est sage")
        assert relay["In-Reply-To"] == acknowledged["In-Reply-To"] == "<1@learner.example>"
        await flagged(imap, "1@learner.example", {"\\Answered", "\\Seen"})
        assert "a répondu" in (await botapi.text_to(TRAINER, "a répondu"))["text"]


async def test_a_trainers_reply_is_known_by_the_subject_where_the_thread_is_lost_and_by_nothing_else(
    imap: Imap, smtp: Smtp, alone: dict[str, str]
) -> None:
    async with serving({**alone, "ACCUEIL_TRAINER_EMAILS": TEACHER}):
        await imap.deliver(letter(LEARNER, "Chien", DOG, "1@learner.example"))
        notice = await smtp.mail_to(TEACHER, "mon chien")
        subject = str(notice["Subject"])
        token = re.search(r"\[A\d+-(\w+)\]", subject)
        assert token
        forged = subject.replace(token[1], "a" * 16)
        await imap.deliver(letter(f"Denis <{TEACHER}>", f"Re: {forged}", "Faux un.", "forged@t"))
        await imap.deliver(letter("Eve <eve@x.example>", f"Re: {subject}", "Faux deux.", "eve@x.example", answers=notice))
        await imap.deliver(letter(f"Denis <{TEACHER}>", f"RE: {subject}", "La vraie réponse.", "true@t"))
        await smtp.mail_to("ana@learner.example", "La vraie réponse.")
        await flagged(imap, "eve@x.example", {"\\Flagged"})
    assert not any("Faux" in body(mail).split("a écrit")[0] for mail in smtp.to("ana@learner.example"))
    assert not smtp.to("eve@x.example")


async def test_the_trainers_own_mail_in_the_sent_folder_closes_the_escalation(
    imap: Imap, smtp: Smtp, alone: dict[str, str]
) -> None:
    async with serving({**alone, "ACCUEIL_TRAINER_EMAILS": TEACHER, "ACCUEIL_NUDGE_HOURS": "0.004"}) as service:
        await imap.deliver(letter(LEARNER, "Chien", DOG, "1@learner.example"))
        await smtp.mail_to(TEACHER, "mon chien")
        await flagged(imap, "1@learner.example", {"\\Flagged"})
        await imap.deliver(by_hand(LEARNER, "1@learner.example"), "Sent", ("\\Seen",))
        await flagged(imap, "1@learner.example", {"\\Answered", "\\Seen"})
        await smtp.mail_to(TEACHER, "une réponse est partie de la boîte de contact")
        await asyncio.sleep(12)  # the reminder was due: it is dropped
        assert service.log.count(b"kind=nudge") == 0
    assert not any("rappeler" in body(m) for m in smtp.sent)


async def test_in_draft_mode_answers_wait_for_the_trainer_and_an_unsent_one_is_recalled(
    imap: Imap, smtp: Smtp, alone: dict[str, str]
) -> None:
    settings = {**alone, "ACCUEIL_MAIL_MODE": "draft", "ACCUEIL_TRAINER_EMAILS": TEACHER, "ACCUEIL_NUDGE_HOURS": "0.003"}
    async with serving(settings):
        await imap.deliver(letter(LEARNER, "Pauses", "Les pauses durent combien ?", "1@learner.example"))
        await flagged(imap, "1@learner.example", {"\\Flagged"})
        await smtp.mail_to(TEACHER, "le brouillon de réponse")
        (draft,) = await imap.mails("Brouillons")
        assert "15 minutes" in body(draft)
        assert draft["Auto-Submitted"] is None
        assert "\\Draft" in await imap.flags(draft["Message-ID"].strip("<>"), "Brouillons")
        assert not smtp.to("ana@learner.example")
        await imap.deliver(draft.as_bytes(), "Sent", ("\\Seen",))  # the trainer pressed "send"
        await flagged(imap, "1@learner.example", {"\\Answered", "\\Seen"})


async def test_the_trainer_may_read_the_contact_mailbox_itself(
    imap: Imap, smtp: Smtp, botapi: BotApi, environment: dict[str, str], mail_settings: dict[str, str]
) -> None:
    smtp.inboxes[CONTACT_BOX] = imap
    kept = {n: v for n, v in environment.items() if n not in ("ACCUEIL_TRAINER_TELEGRAM_IDS", "ACCUEIL_OPERATOR_TELEGRAM_ID")}
    async with serving({**kept, **mail_settings, "ACCUEIL_TRAINER_EMAILS": CONTACT_BOX}) as service:
        botapi.user(ANA, DOG)
        notice = await smtp.mail_to(CONTACT_BOX, "mon chien")
        await service.logged("our own mail")
        answer = letter(CONTACT_BOX, f"Re: {notice['Subject']}", "Oui, en laisse.", "2@accueil.example", answers=notice)
        await imap.deliver(answer)
        await imap.deliver(answer, "Sent", ("\\Seen",))
        await botapi.text_to(ANA, "Oui, en laisse.")
        await service.logged("the same answer again")
        await imap.deliver(letter(LEARNER, "Chat", "Puis-je venir avec mon chat ?", "3@learner.example"))
        await flagged(imap, "3@learner.example", {"\\Flagged"})
        await smtp.mail_to("ana@learner.example", "Je transmets")
    assert sum("en laisse" in t for t in botapi.texts(ANA)) == 1
    assert len(smtp.to(CONTACT_BOX)) == 1


async def test_a_matter_of_health_by_mail_is_told_to_the_disability_contact_alone(
    imap: Imap, smtp: Smtp, botapi: BotApi, environment: dict[str, str], mail_settings: dict[str, str]
) -> None:
    async with serving({**environment, **mail_settings, "ACCUEIL_TRAINER_EMAILS": TEACHER}):
        words = "Bonjour, je suis malentendante, pouvez-vous prévoir un interprète en langue des signes ?"
        await imap.deliver(letter(LEARNER, "Demande", words, "1@learner.example"))
        await botapi.text_to(CONTACT, "malentendante")
        await smtp.mail_to("ana@learner.example", "référent handicap")
        await flagged(imap, "1@learner.example", {"\\Flagged"})
    assert not smtp.to(TEACHER)
    assert not any("malentendante" in t for t in botapi.texts(TRAINER))


async def test_attachments_are_named_to_the_trainer(imap: Imap, smtp: Smtp, alone: dict[str, str]) -> None:
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"], mail["Message-ID"] = LEARNER, CONTACT_BOX, "Convention", "<1@learner.example>"
    mail.set_content("Bonjour, les pauses durent combien ?")
    mail.add_attachment(b"%PDF-1.4", maintype="application", subtype="pdf", filename="convention.pdf")
    async with serving({**alone, "ACCUEIL_TRAINER_EMAILS": TEACHER}):
        await imap.deliver(mail.as_bytes())
        notice = await smtp.mail_to(TEACHER, "convention.pdf")
        assert "%PDF" not in notice.as_string()
        assert "15 minutes" in body(await smtp.mail_to("ana@learner.example", "convention.pdf"))


async def test_the_format_is_remembered_for_the_person_and_for_the_thread(imap: Imap, smtp: Smtp, alone: dict[str, str]) -> None:
    async with serving(alone):
        await imap.deliver(
            letter(LEARNER, "Stage", "Je suis en formation à distance. Les pauses durent combien ?", "1@learner.example")
        )
        reply = await smtp.mail_to("ana@learner.example", "Bonjour")
        assert "inter" not in body(reply).lower().split("d'après")[0]
        colleague = letter(
            "Bob <bob@learner.example>", "Re: Stage", "Et quel matériel faut-il prévoir ?", "2@learner.example", answers=reply
        )
        await imap.deliver(colleague)
        assert "webcam" in body(await smtp.mail_to("bob@learner.example", "webcam"))
        assert "présentiel (inter)" not in body(smtp.to("bob@learner.example")[0]).lower()


async def test_mails_that_came_while_the_service_was_down_are_answered_once(
    imap: Imap, smtp: Smtp, alone: dict[str, str]
) -> None:
    async with serving(alone) as service:
        await imap.deliver(letter(LEARNER, "Un", "Les pauses durent combien ?", "1@learner.example"))
        await flagged(imap, "1@learner.example", {"\\Answered", "\\Seen"})
        await service.kill()
    await imap.deliver(letter(LEARNER, "Deux", "Y a-t-il une attestation ?", "2@learner.example"))
    async with serving(alone):
        await flagged(imap, "2@learner.example", {"\\Answered", "\\Seen"})
    assert [str(m["Subject"]) for m in smtp.sent] == ["Re: Un", "Re: Deux"]


async def test_since_takes_older_mails_and_answers_none_twice(imap: Imap, smtp: Smtp, alone: dict[str, str]) -> None:
    await imap.deliver(letter(LEARNER, "Un", "Les pauses durent combien ?", "1@learner.example"))
    for _ in range(2):
        async with serving(alone, "--since", "2026-01-01"):
            await flagged(imap, "1@learner.example", {"\\Answered", "\\Seen"})
    assert len(smtp.sent) == 1


async def test_a_restored_mailbox_gets_no_second_answer(imap: Imap, smtp: Smtp, alone: dict[str, str]) -> None:
    first = letter(LEARNER, "Un", "Les pauses durent combien ?", "1@learner.example")
    async with serving(alone) as service:
        await imap.deliver(first)
        await flagged(imap, "1@learner.example", {"\\Answered", "\\Seen"})
        await imap.stop()
        await service.logged("mailbox is tried again")
        await imap.start()  # an empty mailbox with another UIDVALIDITY
        await imap.deliver(first)
        await imap.deliver(letter(LEARNER, "Deux", "Y a-t-il une attestation ?", "2@learner.example"))
        await flagged(imap, "2@learner.example", {"\\Answered", "\\Seen"})
        assert b"numbered its mails anew" in service.log
    assert [str(m["Subject"]) for m in smtp.sent] == ["Re: Un", "Re: Deux"]


async def test_a_passing_refusal_is_tried_again_and_a_final_one_is_told(imap: Imap, smtp: Smtp, alone: dict[str, str]) -> None:
    async with serving({**alone, "ACCUEIL_OPERATOR_EMAIL": "ops@x.example"}):
        smtp.refuse.append("550 5.7.1 Refused")
        await imap.deliver(letter(LEARNER, "Un", "Les pauses durent combien ?", "1@learner.example"))
        await smtp.mail_to("ops@x.example", "5.7.1")
    assert not smtp.to("ana@learner.example")
    assert await imap.flags("1@learner.example") == set()


async def test_a_telegram_learner_who_confirmed_an_address_is_reached_there_once_telegram_is_blocked(
    imap: Imap, smtp: Smtp, botapi: BotApi, environment: dict[str, str], mail_settings: dict[str, str]
) -> None:
    async with serving({**environment, **mail_settings}):
        botapi.user(ANA, "/email ana@learner.example")
        await botapi.text_to(ANA, "J'ai envoyé un code")
        code = re.search(r"/email (\d{6})", body(await smtp.mail_to("ana@learner.example", "/email")))
        assert code
        botapi.user(ANA, "/email 000000" if code[1] != "000000" else "/email 111111")
        await botapi.text_to(ANA, "n'est pas le bon")
        botapi.user(ANA, f"/email {code[1]}")
        await botapi.text_to(ANA, "C'est fait")
        botapi.user(ANA, "je suis en formation à distance")
        await botapi.until(lambda: len(botapi.texts(ANA)) == 4)
        await imap.deliver(letter(LEARNER, "Matériel", "Quel matériel faut-il prévoir ?", "1@learner.example"))
        mail = await smtp.mail_to("ana@learner.example", "webcam")
        assert "présentiel (inter)" not in body(mail).lower()
        botapi.user(ANA, "je voudrais parler au formateur")
        notice = await botapi.text_to(TRAINER, "parler au formateur")
        await botapi.text_to(ANA, "je préviens")
        botapi.blocked.add(ANA)
        botapi.reply(TRAINER, notice, "Appelez-moi lundi.")
        assert "Appelez-moi lundi." in body(await smtp.mail_to("ana@learner.example", "Appelez-moi lundi."))


async def test_a_refused_account_ends_with_a_clear_message(imap: Imap, alone: dict[str, str]) -> None:
    service = Service({**alone, "ACCUEIL_IMAP_URL": imap.url.replace("wort", "wrong")})
    await service.start()
    assert service.process is not None
    assert await asyncio.wait_for(service.process.wait(), 40) == 4
    assert b"ACCUEIL_IMAP_URL: the mailbox refuses the account" in service.log
    assert b"wrong" not in service.log


async def test_doctor_tries_the_mailbox_and_a_mail_to_ourselves(imap: Imap, smtp: Smtp, alone: dict[str, str]) -> None:
    smtp.inboxes[CONTACT_BOX] = imap

    async def doctor(**changed: str) -> str:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "bot", "doctor", "--send"), env={**alone, **changed}, stdout=asyncio.subprocess.PIPE
        )
        told, _ = await asyncio.wait_for(process.communicate(), 90)
        return told.decode()

    sound = await doctor()
    for part in ("mailbox", "sent folder", "drafts folder", "smtp", "a mail to ourselves"):
        assert f"{part}: ok" in sound
    faulty = await doctor(ACCUEIL_SENT_FOLDER="Nulle part", ACCUEIL_SMTP_URL="smtp://127.0.0.1:1")
    assert "sent folder: not found; set ACCUEIL_SENT_FOLDER" in faulty
    assert re.search(r"smtp: .*(connect|Connect)", faulty)
