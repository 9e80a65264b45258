"""Cases 14, 15, 18 to 23 and 38: what kind of mail it is, and that nothing automatic, nor any receipt, goes back to a program."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from bot.channels.mail.read import read_mail
from bot.core.model import Outcome, Status
from tests.cases.mail.office import ANA, HANDOFF, TRAINER, Office, mail, sums_agree

MADE = Path(__file__).parents[2] / "data" / "mail" / "made"
INDEX: list[dict[str, Any]] = [json.loads(line) for line in (MADE / "index.jsonl").read_text("utf-8").splitlines()]
NAMED = {case["name"]: case for case in INDEX}


def raw(name: str) -> bytes:
    return (MADE / f"{name}.eml").read_bytes()


def said_to(outcome: Outcome | None, address: str) -> list[str]:
    assert outcome is not None
    return [row.body for row in outcome.outgoing if row.to == f"email:{address}" and row.kind != "mark"]


@pytest.mark.parametrize("case", INDEX, ids=lambda case: case["name"])
def test_made_mails_of_kinds_that_no_collection_holds_are_read(case: dict[str, Any]) -> None:
    found = read_mail(raw(case["name"]))
    assert (found.kind, found.may_answer, found.automatic) == (case["kind"], case["may_answer"], case["automatic"])
    assert found.text == case.get("text", found.text)
    assert list(found.attachments) == case.get("attachments", list(found.attachments))
    assert case.get("why", "") in found.why_not


# ---------------------------------------------------------------- identity


async def test_case_14_the_same_mail_twice_is_answered_once(office: Office) -> None:
    first = mail()
    copy = b"X-Copy: through somebody else\r\n" + first  # the headers of a second copy differ
    assert said_to(await office.put(first), ANA)
    assert await office.put(copy) is None
    assert len(await office.sent()) == 1
    await sums_agree(office.store, 1)


async def test_case_14_the_same_id_with_another_body_is_stored_and_escalated(office: Office) -> None:
    await office.put(mail())
    outcome = await office.put(mail("Y a-t-il une attestation ?"))
    assert outcome is not None
    assert (outcome.end, said_to(outcome, ANA)) == ("escalated", [])
    assert "attestation" in said_to(outcome, TRAINER)[0]
    ends = await sums_agree(office.store, 2)
    assert ends == {"answered": 1, "escalated": 1}


async def test_case_14_a_trainers_answer_under_a_known_id_is_not_obeyed(office: Office) -> None:
    await office.put(mail(HANDOFF))
    await office.sent()
    token = str(office.notices[-1]["Message-ID"])
    outcome = await office.put(mail("Oui.", TRAINER, headers={"In-Reply-To": token}))  # under the id of the learner's mail
    assert outcome is not None
    assert (outcome.end, said_to(outcome, ANA)) == ("escalated", [])


async def test_case_15_a_mail_without_an_id_is_known_by_its_bytes(office: Office) -> None:
    assert said_to(await office.put(mail(id="")), ANA)
    assert await office.put(mail(id="")) is None
    assert said_to(await office.put(mail("Y a-t-il une attestation ?", id="")), ANA)
    await sums_agree(office.store, 2)


# ---------------------------------------------------------------- absence


@pytest.mark.parametrize("name", ["away_exchange", "away_gmail", "away_zimbra", "away_words_only"])
async def test_case_18_an_absence_notice_gets_no_answer(office: Office, name: str) -> None:
    outcome = await office.put(raw(name))
    assert outcome is not None
    assert outcome.end == ("ignored" if NAMED[name]["automatic"] else "escalated")
    assert {row.to for row in outcome.outgoing if row.kind != "mark"} <= {f"email:{TRAINER}"}
    await sums_agree(office.store, 1)


async def test_case_18_a_learner_on_sick_leave_who_asks_is_not_discarded(office: Office) -> None:
    outcome = await office.put(raw("on_leave_and_asks"))
    assert outcome is not None
    assert outcome.end in ("answered", "escalated")
    assert said_to(outcome, "lou@learner.example")


# ---------------------------------------------------------------- reports

BOUNCES = {
    "null sender": {"From": "Mail Delivery System <MAILER-DAEMON@mx.example>", "Return-Path": "<>"},
    "null From": {"From": "<>", "Return-Path": "<>"},
    "unparsable From": {"From": "MAILER-DAEMON (Mail Delivery System)", "Return-Path": "<>"},
    "no From": {"Return-Path": "<>"},
}


def bounce(about: str, headers: dict[str, str]) -> bytes:
    """A report of a mail of ours, as servers write it (RFC 3464)."""
    top = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    text = (
        f"{top}Subject: Undelivered Mail Returned to Sender\r\nMessage-ID: <b@mx.example>\r\nMIME-Version: 1.0\r\n"
        'Content-Type: multipart/report; report-type=delivery-status; boundary="b"\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\n'
        "The mail system could not deliver your message.\r\n--b\r\nContent-Type: message/delivery-status\r\n\r\n"
        "Reporting-MTA: dns; mx.example\r\n\r\nFinal-Recipient: rfc822; ana@learner.example\r\n"
        "Action: failed\r\nStatus: 5.1.1\r\n"
        f"--b\r\nContent-Type: message/rfc822-headers\r\n\r\nMessage-ID: {about}\r\nTo: ana@learner.example\r\n--b--\r\n"
    )
    return text.encode()


@pytest.mark.parametrize("headers", BOUNCES.values(), ids=list(BOUNCES))
async def test_case_19_a_bounce_is_never_answered_and_the_operator_sees_what_it_was(
    office: Office, headers: dict[str, str]
) -> None:
    await office.put(mail(HANDOFF))
    sent = {d.outgoing.kind: email_id for d, raw_mail in await office.sent() for email_id in [_id_of(raw_mail)]}
    outcome = await office.put(bounce(sent["reply"], headers))
    assert outcome is not None
    assert outcome.end == "escalated"
    (alert,) = [row for row in outcome.outgoing if row.kind == "alert"]
    assert alert.to == "telegram:11"
    assert not [row for row in outcome.outgoing if row.kind in ("reply", "notice")]
    assert any(row.kind == "mark" and "\\Flagged" in row.thread["add"] for row in outcome.outgoing)
    assert (await office.store.counts())["outbox.failed"] == 1
    again = await office.put(bounce(sent["reply"], headers).replace(b"b@mx", b"c@mx"))
    assert again is not None
    assert [row.key for row in again.outgoing if row.kind == "alert"] == [alert.key]  # told once
    await sums_agree(office.store, 3)


async def test_case_19_the_bounce_of_a_relay_tells_who_answered(office: Office) -> None:
    await office.put(mail(HANDOFF))
    await office.sent()
    answer = mail("Oui.", TRAINER, "t@t", headers={"In-Reply-To": str(office.notices[-1]["Message-ID"])})
    await office.put(answer)
    (relay,) = [raw_mail for d, raw_mail in await office.sent() if d.outgoing.kind == "relay"]
    outcome = await office.put(bounce(_id_of(relay), BOUNCES["null sender"]))
    assert outcome is not None
    assert "#A1" in next(row.body for row in outcome.outgoing if row.kind == "alert")


async def test_case_19_a_bounce_of_somebody_elses_mail_is_left_alone(office: Office) -> None:
    outcome = await office.put(bounce("<not-ours@elsewhere.example>", BOUNCES["null sender"]))
    assert outcome is not None
    assert (outcome.end, outcome.outgoing) == ("ignored", ())


def _id_of(raw_mail: bytes) -> str:
    return next(line.split(b": ", 1)[1].decode() for line in raw_mail.split(b"\r\n") if line.lower().startswith(b"message-id:"))


# ---------------------------------------------------------------- our own, lists


async def test_case_20_our_own_message_id_and_our_own_mark_are_dropped(office: Office) -> None:
    await office.put(mail())
    ((_, reply),) = await office.sent()
    home = await office.put(reply)
    assert home is not None
    assert (home.end, home.reason) == ("ignored", "our own mail")
    without = b"".join(line for line in reply.splitlines(keepends=True) if not line.lower().startswith(b"message-id"))
    marked = await office.put(without)  # a relay took the id off, and left the mark
    assert marked is not None
    assert (marked.end, marked.outgoing) == ("ignored", ())
    await sums_agree(office.store, 3)


async def test_case_20_our_own_address_without_a_mark_is_the_trainers(office: Office) -> None:
    await office.put(mail(HANDOFF))
    note = await office.put(mail("À relire demain.", office.address, "n@accueil.example"))
    assert note is not None
    assert (note.end, note.outgoing) == ("ignored", ())
    known = await office.store.escalation(1)
    assert known is not None
    assert known.status is Status.OPEN


@pytest.mark.parametrize(
    "headers",
    [
        {"List-Id": "<stages.learner.example>"},
        {"List-Unsubscribe": "<https://news.example/u>"},
        {"Precedence": "list"},
        {"Feedback-ID": "1:2:3:news"},
        {"Auto-Submitted": "auto-generated"},
        {"X-Loop": "tickets"},
    ],
    ids=lambda headers: next(iter(headers)),
)
async def test_case_21_lists_newsletters_and_programs_get_no_answer(office: Office, headers: dict[str, str]) -> None:
    outcome = await office.put(mail(headers=headers))
    assert outcome is not None
    assert (outcome.end, outcome.outgoing) == ("ignored", ())


@pytest.mark.parametrize("sender", ["no-reply@x.example", "ne-pas-repondre@x.example", "newsletter@x.example", "bounces+1@x.fr"])
async def test_case_21_senders_that_nobody_reads_get_no_answer(office: Office, sender: str) -> None:
    outcome = await office.put(mail(sender=sender))
    assert outcome is not None
    assert (outcome.end, outcome.outgoing) == ("ignored", ())


async def test_case_21_a_bulk_mark_on_a_known_learners_mail_is_for_a_person(office: Office) -> None:
    assert said_to(await office.put(mail()), ANA)
    outcome = await office.put(mail("Et le repas ?", id="2@learner.example", headers={"Feedback-ID": "1:2:3:post"}))
    assert outcome is not None
    assert (outcome.end, said_to(outcome, ANA)) == ("escalated", [])
    await sums_agree(office.store, 2)


async def test_case_21_a_mail_that_goes_round_gets_no_answer(office: Office) -> None:
    hops = "".join(f"Received: from a{n}.example by b{n}.example\r\n" for n in range(60)).encode()
    outcome = await office.put(hops + mail())
    assert outcome is not None
    assert (outcome.end, outcome.outgoing) == ("ignored", ())


async def test_case_21_an_abuse_report_gets_no_answer(office: Office) -> None:
    report = (
        b"From: feedback@isp.example\r\nSubject: abuse\r\nMessage-ID: <arf@isp.example>\r\nMIME-Version: 1.0\r\n"
        b"Content-Type: multipart/report; report-type=feedback-report; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\n"
        b"This is an abuse report. A quelle heure ?\r\n--b\r\nContent-Type: message/feedback-report\r\n\r\n"
        b"Feedback-Type: abuse\r\n--b--\r\n"
    )
    outcome = await office.put(report)
    assert outcome is not None
    assert (outcome.end, outcome.outgoing) == ("ignored", ())


# ---------------------------------------------------------------- invitations, receipts, what cannot be read


@pytest.mark.parametrize("name", ["invitation_outlook", "invitation_reply"])
async def test_case_22_an_invitation_without_words_is_escalated_and_neither_accepted_nor_declined(
    office: Office, name: str
) -> None:
    outcome = await office.put(raw(name))
    assert (outcome.end if outcome else "", said_to(outcome, ANA)) == ("escalated", [])


async def test_case_22_the_words_beside_an_invitation_are_answered_as_text_alone(office: Office) -> None:
    assert said_to(await office.put(raw("invitation_with_words")), ANA)
    for _, reply in await office.sent():
        assert b"text/calendar" not in reply
        assert b"METHOD" not in reply


async def test_case_23_no_receipt_is_sent_and_one_that_comes_is_recorded(office: Office) -> None:
    assert said_to(await office.put(raw("receipt_asked")), ANA)
    ((_, reply),) = await office.sent()
    assert b"disposition" not in reply.lower()
    for name in ("receipt_thunderbird", "receipt_outlook"):
        outcome = await office.put(raw(name))
        assert outcome is not None
        assert (outcome.end, outcome.outgoing) == ("ignored", ())
        assert outcome.reason.startswith("receipt")
    assert said_to(await office.put(raw("receipt_without_type")), ANA) == []
    await sums_agree(office.store, 4)


@pytest.mark.parametrize("name", ["smime_encrypted", "smime_opaque", "pgp_mime", "pgp_inline", "winmail"])
async def test_case_38_what_cannot_be_read_is_escalated_without_an_answer(office: Office, name: str) -> None:
    outcome = await office.put(raw(name))
    assert outcome is not None
    assert (outcome.end, said_to(outcome, ANA)) == ("escalated", [])
    assert [e.reason for e in outcome.escalations] == ["unanswerable"]
    assert "courriel auquel je ne dois pas" in said_to(outcome, TRAINER)[0]


@pytest.mark.parametrize("name", ["smime_signed", "pgp_signed"])
async def test_case_38_text_with_a_signature_beside_it_is_read(office: Office, name: str) -> None:
    assert "15\u00a0minutes" in said_to(await office.put(raw(name)), ANA)[0]
