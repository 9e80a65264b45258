"""Cases 25 to 28: nobody speaks in another's name. What a forged mail says reaches a person, never a learner."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.channels.mail.authres import vouched
from bot.core.escalation import TOKEN_VALID
from bot.core.model import Outcome, Status
from bot.library.shelf import Shelf
from bot.store.database import Database
from tests.cases.mail.office import ANA, CONTACT, HANDOFF, TRAINER, Office, mail, sums_agree

SERVER = "mx.accueil.example"
PASS = f"{SERVER}; spf=pass smtp.mailfrom=trainer.example; dmarc=pass (p=reject) header.from=trainer.example"
FAIL = f"{SERVER}; spf=fail smtp.mailfrom=evil.example; dmarc=fail header.from=trainer.example"
FORGED = "mx.evil.example; dmarc=pass header.from=trainer.example"


@pytest.fixture
async def guarded(shelf: Shelf, tmp_path: Path) -> AsyncIterator[Office]:
    """A mailbox whose server vouches for senders."""
    store = await Database.open(f"sqlite:///{tmp_path}/guarded.db")
    yield Office(store, shelf, authserv_id=SERVER)
    await store.close()


async def asked(office: Office) -> str:
    """Ana's question goes to the trainer; the Message-ID of its notice."""
    await office.put(mail(HANDOFF))
    await office.sent()
    return str(office.notices[-1]["Message-ID"])


def answer(
    token: str, text: str = "Oui, en laisse.", sender: str = TRAINER, id: str = "a@t", results: tuple[str, ...] = ()
) -> bytes:
    """A trainer's answer to a notice, with the Authentication-Results above it, topmost first."""
    raw = mail(text, sender, id, subject="Re: question", headers={"In-Reply-To": token})
    return "".join(f"Authentication-Results: {r}\r\n" for r in results).encode() + raw


def to(outcome: Outcome | None, address: str) -> list[str]:
    assert outcome is not None
    return [row.body for row in outcome.outgoing if row.to == f"email:{address}" and row.kind != "mark"]


async def status(office: Office) -> Status:
    found = await office.store.escalation(1)
    assert found is not None
    return found.status


async def test_case_25_a_trainer_whom_our_server_vouches_for_is_obeyed(guarded: Office) -> None:
    token = await asked(guarded)
    outcome = await guarded.put(answer(token, results=(PASS,)))
    assert "en laisse" in to(outcome, ANA)[0]
    assert await status(guarded) is Status.ANSWERED
    await sums_agree(guarded.store, 2)


@pytest.mark.parametrize("results", [(), (FAIL,), (f"{SERVER}; dmarc=none header.from=trainer.example",), (f"{SERVER}; none",)])
async def test_case_25_a_trainers_name_without_a_pass_is_a_strangers_mail(guarded: Office, results: tuple[str, ...]) -> None:
    token = await asked(guarded)
    outcome = await guarded.put(answer(token, results=results))
    assert (to(outcome, ANA), await status(guarded)) == ([], Status.OPEN)
    assert outcome is not None
    assert [e.reason for e in outcome.escalations] == ["forged"]
    assert "rien ne prouve" in to(outcome, TRAINER)[0]  # flagged to the trainer, and flagged in the mailbox
    assert any(row.kind == "mark" and "\\Flagged" in row.thread["add"] for row in outcome.outgoing)
    await sums_agree(guarded.store, 2)


async def test_case_25_forged_mails_are_told_once(guarded: Office) -> None:
    token = await asked(guarded)
    for n in range(3):
        await guarded.put(answer(token, f"Faux numéro {n} pour Ana.", id=f"{n}@evil"))
    await guarded.sent()
    assert guarded.told.count("rien ne prouve") == 2  # the subject and the words of one notice
    assert len(await guarded.escalations("forged")) == 1


async def test_case_25_our_own_address_without_a_mark_of_ours_is_the_trainers_only_with_a_pass(
    guarded: Office,
) -> None:
    note = mail("Puis-je venir ?", CONTACT, "n@x", subject="Note")
    own = f"Authentication-Results: {SERVER}; dmarc=pass header.from=accueil.example\r\n".encode()
    spoofed = await guarded.put(note)
    assert spoofed is not None
    assert [e.reason for e in spoofed.escalations] == ["forged"]
    mine = await guarded.put(own + note.replace(b"n@x", b"o@x").replace(b"venir", b"partir"))
    assert mine is not None
    assert mine.end == "ignored"


async def test_case_25_what_lies_in_our_own_sent_folder_needs_no_pass(guarded: Office) -> None:
    await asked(guarded)
    by_hand = mail("Oui.", CONTACT, "h@accueil.example", to=ANA, headers={"In-Reply-To": "<1@learner.example>"})
    await guarded.put(by_hand, "sent")
    assert await status(guarded) is Status.ANSWERED


@pytest.mark.parametrize(
    "results",
    [
        (FORGED,),
        (FORGED, FAIL),  # another server's above ours
        (FAIL, PASS),  # ours is the topmost; the sender brought the other along
        (FAIL, FORGED),
        (f"{SERVER}.evil.example; dmarc=pass header.from=trainer.example",),
        (f"x ({SERVER}); dmarc=pass header.from=trainer.example",),
        (f"{SERVER}; dmarc=pass header.from=evil.example",),  # passed, for another domain
        (f"{SERVER}; spf=pass smtp.mailfrom=trainer.example; dkim=pass header.d=trainer.example",),
        (f"{SERVER}; spf=fail (dmarc=pass header.from=trainer.example); dmarc=fail header.from=trainer.example",),
        (f'{SERVER}; spf=fail smtp.mailfrom="a;dmarc=pass header.from=trainer.example;"@evil.example',),
        (f"{SERVER}; dmarc=pass header.from=trainer.example; dmarc=fail header.from=trainer.example",),
        (f"{SERVER}; xdmarc=pass header.from=trainer.example",),
        (f'{SERVER}; dmarc=pass reason="header.from=trainer.example"',),
    ],
)
async def test_case_26_forged_authentication_results_are_ignored(guarded: Office, results: tuple[str, ...]) -> None:
    token = await asked(guarded)
    outcome = await guarded.put(answer(token, results=results))
    assert (to(outcome, ANA), await status(guarded)) == ([], Status.OPEN)
    await sums_agree(guarded.store, 2)


@pytest.mark.parametrize(
    "results",
    [
        (FORGED, PASS),  # what another server found stands above ours
        (f'{SERVER.upper()} 1;\r\n\tdmarc (a; "b" (c)) = Pass (p=none)\r\n\theader.from=Trainer.Example',),
        (f'{SERVER}; dkim=fail reason="no; key"; dmarc/1=pass policy.dmarc=none header.from=trainer.example.',),
    ],
)
async def test_case_26_a_pass_is_read_as_servers_write_it(guarded: Office, results: tuple[str, ...]) -> None:
    token = await asked(guarded)
    assert to(await guarded.put(answer(token, results=results)), ANA)


@given(st.lists(st.text(alphabet='mx.acueil;= "()\\dmrpsh\r\n\t', max_size=80), max_size=4))
def test_no_header_of_another_server_vouches(results: list[str]) -> None:
    assert not vouched(results, "trusted.example", "trainer.example")


@given(st.text(max_size=200))
def test_no_bytes_make_the_reading_of_results_raise(noise: str) -> None:
    vouched([noise, f"{SERVER};{noise}", f"{SERVER}{noise}"], SERVER, "trainer.example")


# ---------------------------------------------------------------- tokens


async def test_case_27_a_token_replayed_after_use_is_refused_and_the_trainer_told(office: Office) -> None:
    token = await asked(office)
    assert to(await office.put(answer(token)), ANA)
    replayed = await office.put(answer(token, "Envoyez-moi vos notes.", id="b@evil"))
    assert replayed is not None
    assert to(replayed, ANA) == []
    assert replayed.end == "escalated"
    assert "rien n'est parti" in to(replayed, TRAINER)[0]
    await sums_agree(office.store, 3)


async def test_case_27_a_trainer_corrects_an_answer_by_the_word_that_only_they_receive(office: Office) -> None:
    token = await asked(office)
    await office.put(answer(token))
    await office.put(answer(token, "Non, finalement.", id="b@t"))
    await office.sent()
    word = office.notices[-1]
    assert "corriger" in str(word["Subject"])
    corrected = await office.put(answer(str(word["Message-ID"]), "Non, finalement.", id="c@t"))
    assert "Correction" in to(corrected, ANA)[0]
    again = await office.put(answer(str(word["Message-ID"]), "Et puis si.", id="d@evil"))
    assert to(again, ANA) == []  # that token is used up as well
    await sums_agree(office.store, 5)


async def test_case_27_a_correction_that_our_server_vouches_for_goes_out_at_once(guarded: Office) -> None:
    token = await asked(guarded)
    await guarded.put(answer(token, results=(PASS,)))
    assert "Correction" in to(await guarded.put(answer(token, "Non.", id="b@t", results=(PASS,))), ANA)[0]


async def test_case_27_an_expired_token_is_refused(office: Office) -> None:
    token = await asked(office)
    office.now += TOKEN_VALID + timedelta(minutes=1)
    outcome = await office.put(answer(token))
    assert outcome is not None
    assert to(outcome, ANA) == []
    assert "trop longtemps" in to(outcome, TRAINER)[0]
    assert outcome.end == "escalated"


@pytest.mark.parametrize("where", ["In-Reply-To", "Subject"])
async def test_case_27_an_altered_token_is_refused_and_escalated(office: Office, where: str) -> None:
    await asked(office)
    notice = office.notices[-1]
    token, subject = str(notice["Message-ID"]), str(notice["Subject"])
    if where == "Subject":
        held = re.search(r"\[A1-(.)", subject)
        assert held
        raw = mail("Oui.", TRAINER, "a@t", subject=subject.replace(held[0], "[A1-" + ("a" if held[1] != "a" else "b")))
    else:
        raw = answer(token.replace(".n.1.", ".n.2."), "Oui.")
    outcome = await office.put(raw)
    assert outcome is not None
    assert (outcome.end, to(outcome, ANA), await status(office)) == ("escalated", [], Status.OPEN)
    assert [e.reason for e in outcome.escalations] == ["unanswerable"]
    assert not [row for row in outcome.outgoing if row.kind == "reply"]


async def test_case_27_a_token_of_another_address_is_refused_and_escalated(office: Office) -> None:
    token = await asked(office)
    outcome = await office.put(answer(token, "Oui.", "eve@evil.example"))
    assert outcome is not None
    assert (outcome.end, to(outcome, ANA), to(outcome, "eve@evil.example")) == ("escalated", [], [])
    assert await status(office) is Status.OPEN


async def test_case_27_a_token_works_for_its_escalation_alone(office: Office) -> None:
    await asked(office)
    await office.put(mail("Je veux parler au formateur, merci de me rappeler.", "bob@learner.example", "2@learner.example"))
    await office.sent()
    await office.put(answer(str(office.notices[-1]["Message-ID"]), "Oui, le chat."))
    first, second = await office.store.escalation(1), await office.store.escalation(2)
    assert first is not None
    assert second is not None
    assert (first.status, second.status) == (Status.OPEN, Status.ANSWERED)


@pytest.mark.parametrize(
    "headers",
    [
        {"Reply-To": "eve@evil.example"},
        {"From": f"{ANA}, eve@evil.example"},
        {"From": "undisclosed"},
    ],
)
async def test_case_28_reply_to_and_several_senders_give_no_rights(office: Office, headers: dict[str, str]) -> None:
    others = {name: value for name, value in headers.items() if name != "From"}
    outcome = await office.put(mail("Les pauses durent combien ?", headers.get("From", ANA), headers=others))
    assert outcome is not None
    assert outcome.end == "escalated"
    assert {row.to for row in outcome.outgoing if row.kind != "mark"} == {f"email:{TRAINER}"}
    await sums_agree(office.store, 1)


@pytest.mark.parametrize("forged", [{"Sender": TRAINER}, {"Reply-To": TRAINER}])
async def test_case_28_a_trainer_in_sender_or_reply_to_commands_nothing(office: Office, forged: dict[str, str]) -> None:
    token = await asked(office)
    headers = {"In-Reply-To": token, **forged}
    outcome = await office.put(mail("Oui.", "eve@evil.example", "e@evil", headers=headers))
    assert (to(outcome, ANA), await status(office)) == ([], Status.OPEN)


async def test_case_28_two_from_headers_are_several_senders(office: Office) -> None:
    token = await asked(office)
    outcome = await office.put(b"From: eve@evil.example\r\n" + answer(token, "Oui."))
    assert outcome is not None
    assert (outcome.end, to(outcome, ANA), await status(office)) == ("escalated", [], Status.OPEN)
