"""Cases 25 and 26 over the wire: the setting, the mail as a server delivers it, and what doctor says of the setting."""

from __future__ import annotations

import asyncio
import sys

from tests.e2e.conftest import serving
from tests.e2e.test_mail import LEARNER, TEACHER, flagged
from tests.peers.mail import Imap, Smtp, body, letter

SERVER = "mx.accueil.example"
HANDOFF = "Bonjour, je voudrais parler au formateur."


def results(who: str, verdict: str) -> bytes:
    return f"Authentication-Results: {who};\r\n dmarc={verdict} header.from=trainer.example\r\n".encode()


async def test_case_25_and_26_only_a_trainer_whom_the_mailboxes_server_vouches_for_reaches_the_learner(
    imap: Imap, smtp: Smtp, alone: dict[str, str]
) -> None:
    async with serving({**alone, "ACCUEIL_TRAINER_EMAILS": TEACHER, "ACCUEIL_AUTHSERV_ID": SERVER}) as service:
        await imap.deliver(letter(LEARNER, "Rappel", HANDOFF, "1@learner.example"))
        notice = await smtp.mail_to(TEACHER, "parler au formateur")

        def answer(text: str, id: str) -> bytes:
            return letter(f"Denis <{TEACHER}>", f"Re: {notice['Subject']}", text, id, answers=notice)

        forged = results("mx.evil.example", "pass") + results(SERVER, "fail") + results(SERVER, "pass")
        await imap.deliver(forged + answer("Un faux.", "forged@t"))
        await flagged(imap, "forged@t", {"\\Flagged"})
        told = await smtp.mail_to(TEACHER, "rien ne prouve")
        assert "Un faux." in body(told)
        await imap.deliver(results(SERVER, "pass") + answer("Un vrai.", "true@t"))
        await smtp.mail_to("ana@learner.example", "Un vrai.")
    assert not any("Un faux." in body(mail) for mail in smtp.to("ana@learner.example"))
    for personal in (b"learner.example", b"trainer.example", b"Un faux", b"Rappel", notice["Message-ID"].strip("<>").encode()):
        assert personal not in service.log


async def test_doctor_says_when_no_mail_bears_the_name_and_which_they_bear(imap: Imap, smtp: Smtp, alone: dict[str, str]) -> None:
    async def doctor(name: str) -> str:
        command = (sys.executable, "-m", "bot", "doctor")
        changed = {**alone, "ACCUEIL_AUTHSERV_ID": name}
        process = await asyncio.create_subprocess_exec(*command, env=changed, stdout=asyncio.subprocess.PIPE)
        told, _ = await asyncio.wait_for(process.communicate(), 90)
        return told.decode()

    assert "ACCUEIL_AUTHSERV_ID stands above none of the latest mails" in await doctor(SERVER)
    await imap.deliver(results(SERVER, "pass") + letter(LEARNER, "Un", HANDOFF, "1@learner.example"))
    assert "authserv-id: ok" in await doctor(SERVER)
    assert f"the server writes {SERVER}" in await doctor("mx.other.example")
