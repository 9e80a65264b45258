"""Cases 17, 18, 20, 21 and 24: automatic mail is never answered, and programs without any mark of one fall silent."""

from __future__ import annotations

import email
import itertools
import re
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from email.policy import default
from pathlib import Path

import pytest

from bot.core.flood import BEYOND, MAILED
from bot.core.loops import domain_of, sender_of
from bot.core.model import Outcome
from bot.library.shelf import Shelf
from bot.store.database import Database
from tests.cases.mail.office import ANA, TRAINER, Office, mail, sums_agree

OTHER = "accueil@autre.example"
MARKS = ("auto-submitted", "x-auto-response-suppress", "precedence", "x-loop")


@pytest.fixture
async def pair(shelf: Shelf, tmp_path: Path) -> AsyncIterator[tuple[Office, Office]]:
    """Two services, each with a database of its own."""
    stores = [await Database.open(f"sqlite:///{tmp_path}/{name}.db") for name in ("one", "two")]
    first, second = Office(stores[0], shelf), Office(stores[1], shelf, address=OTHER)
    yield first, second
    for store in stores:
        await store.close()


_relayed = itertools.count(1)


def stripped(raw: bytes) -> bytes:
    """As a relay hands it on that takes off every automatic mark, the Message-ID included."""
    found = email.message_from_bytes(raw, policy=default)
    for name in (*MARKS, "message-id"):
        del found[name]
    found["Message-ID"] = f"<{next(_relayed)}@relay.example>"
    return found.as_bytes()


def unsigned(raw: bytes) -> bytes:
    """As ``stripped``, and nothing in the words tells the program either, nor does the thread."""
    found = email.message_from_bytes(stripped(raw), policy=default)
    text = found.get_body(("plain",)).get_content()
    own = re.split(r"\n(?:L'assistant automatique|D'après)", text)[0]
    return mail(own, str(found["From"]), str(found["Message-ID"])[1:-1], to=str(found["To"]), subject=str(found["Subject"]))


async def exchange(first: Office, second: Office, relay: object, seed: bytes, rounds: int = 12) -> tuple[int, int]:
    """Let two services answer each other until neither says anything; how many mails each sent the other."""
    offices, counts, waiting = (first, second), [0, 0], [(0, seed)]
    for _ in range(rounds):
        for n, raw in waiting:
            await offices[n].put(raw)
        waiting = []
        for n, office in enumerate(offices):
            office.now += timedelta(seconds=20)
            for delivery, raw in await office.sent():
                if delivery.outgoing.to == f"email:{offices[1 - n].address}":
                    counts[n] += 1
                    waiting.append((1 - n, relay(raw)))  # type: ignore[operator]
        if not waiting:
            return counts[0], counts[1]
    pytest.fail("they never fell silent")


@pytest.mark.parametrize(
    ("relay", "most"), [(lambda raw: raw, 1), (stripped, 3), (unsigned, 6)], ids=["marked", "stripped", "unsigned"]
)
@pytest.mark.parametrize("question", ["Les pauses durent combien ?", "Puis-je venir avec mon chien ?"])
async def test_case_17_two_bots_fall_silent(pair: tuple[Office, Office], relay: object, most: int, question: str) -> None:
    first, second = pair
    counts = await exchange(first, second, relay, mail(question, OTHER, "1@autre.example"))
    assert 1 <= sum(counts) <= most
    assert max(counts) <= 3
    for office in pair:
        silent = await office.escalations("digest", "unanswerable")
        assert len(silent) <= 1
        told = [m for m in office.notices if "laissés sans" in str(m["Subject"]) or "auquel je ne dois" in str(m["Subject"])]
        assert len(told) == len(silent)
        await sums_agree(office.store)


async def silenced(office: Office, mails: list[bytes]) -> int:
    """Put mails in; how many of them were answered by us."""
    for raw in mails:
        await office.put(raw)
    return sum(d.outgoing.to != f"email:{TRAINER}" for d, _ in await office.sent())


async def test_case_17_a_program_that_is_answered_too_often_goes_into_one_digest(office: Office) -> None:
    mails = [
        mail(f"Nous avons bien reçu votre demande n° {n}.", "support@tickets.example", f"{n}@t", subject=f"Ticket {n}")
        for n in range(12)
    ]
    assert await silenced(office, mails) <= 3
    (digest,) = await office.escalations("digest")
    assert [e.actor for e in digest.events if e.kind == "added"] == ["email:support@tickets.example"] * len(digest.events[1:])
    assert len(digest.thread["marks"]) == len(digest.events) - 1  # each lies in the mailbox with a flag
    assert office.told.count("courriels laissés") == 1
    assert "demande n° 3" in office.told
    ends = await sums_agree(office.store, 12)
    assert ends["ignored"] == 0


async def test_case_17_a_thread_is_answered_three_times_an_hour_whoever_writes(office: Office) -> None:
    mails = [
        mail(f"Et pour la question {n} ?", f"anna{n}@gmail.com", f"{n}@t", headers={"References": "<root@t>"}) for n in range(6)
    ]
    assert await silenced(office, mails) == 2  # ten minutes have not passed
    office.now += timedelta(minutes=11)
    assert await silenced(office, [mail("Et la pause ?", "a@gmail.com", "7@t", headers={"References": "<root@t>"})]) == 1
    office.now += timedelta(minutes=11)
    assert await silenced(office, [mail("Et le repas ?", "a@gmail.com", "8@t", headers={"References": "<root@t>"})]) == 0
    await sums_agree(office.store, 8)


@pytest.mark.parametrize(("domain", "most"), [("tracker.example", 20), ("mail.tracker.example", 20), ("orange.fr", 60)])
async def test_case_24_a_sender_that_changes_its_address_is_capped_by_domain_and_in_total(
    office: Office, domain: str, most: int
) -> None:
    mails = [mail(f"Les pauses durent combien ? ({n})", f"t{n}@{domain}", f"{n}@t") for n in range(most + 4)]
    assert await silenced(office, mails) == most
    assert office.told.count("courriels laissés") == 1
    (digest,) = await office.escalations("digest")
    assert digest.chat == ""  # of several: no answer of the trainer may go to one of them
    assert sum(e.kind == "added" for e in digest.events) == 4
    ends = await sums_agree(office.store, most + 4)
    assert ends["ignored"] == 0


async def test_case_17_the_same_words_again_within_the_hour_are_a_loop(office: Office) -> None:
    words = "Votre message a bien été transmis à notre service, à quelle heure venez-vous ?"
    assert await silenced(office, [mail(words, id=f"{n}@t") for n in range(3)]) == 1
    (digest,) = await office.escalations("digest")
    assert digest.chat == f"email:{ANA}"
    office.now += timedelta(hours=1, minutes=1)
    assert await silenced(office, [mail(words, id="later@t")]) == 1
    await sums_agree(office.store, 4)


@pytest.mark.parametrize("jump", [timedelta(days=1), timedelta(days=-1)])
async def test_case_12_a_clock_that_is_set_neither_opens_nor_closes_the_caps(office: Office, jump: timedelta) -> None:
    assert await silenced(office, [mail(f"Combien dure la pause {n} ?", id=f"{n}@t") for n in range(4)]) == 3
    office.now += jump
    await office.store.shift(jump)  # as the heartbeat does
    assert await silenced(office, [mail("Et la cantine, elle ouvre quand ?", id="soon@t")]) == 0
    office.now += timedelta(hours=1, minutes=1)
    assert await silenced(office, [mail("Et la salle, elle ouvre quand ?", id="later@t")]) == 1
    await sums_agree(office.store, 6)


async def test_case_24_mails_over_the_caps_that_nobody_could_read_stay_in_the_mailbox_flagged(office: Office) -> None:
    most = MAILED[1]
    mails = [mail(f"Message numéro {n} : quand commence la formation ?", id=f"{n}@t") for n in range(most + 3)]
    outcomes = [await office.put(raw) for raw in mails]
    assert [outcome and outcome.reason for outcome in outcomes[most:]] == [BEYOND] * 3
    assert [row.kind for outcome in outcomes[most:] if outcome for row in outcome.outgoing] == ["mark"] * 3
    help = await office.put(mail("Je suis malentendante, il me faut un interprète.", id="help@t"))
    assert help is not None
    assert [(e.reason, e.private) for e in help.escalations] == [("digest", True)]
    (digest,) = [e for e in await office.escalations("digest") if not e.private]
    assert sum(e.kind == "added" for e in digest.events) == most - 3
    ends = await sums_agree(office.store, most + 4)
    assert ends["ignored"] == 3


async def test_a_digest_is_told_again_once_a_day_and_closed_by_a_reply(office: Office) -> None:
    words = "Votre message a bien été transmis à notre service, à quelle heure venez-vous ?"
    await silenced(office, [mail(words, id=f"{n}@t") for n in range(3)])
    office.now += timedelta(hours=24, minutes=-30)
    await silenced(office, [mail(words, id=f"{n}@u") for n in range(3)])
    assert office.told.count("courriels laissés") == 1
    office.now += timedelta(minutes=31)
    await silenced(office, [mail(words, id="last@u")])
    assert office.told.count("courriels laissés") == 2
    assert "(4)" in office.told.split("courriels laissés")[-1]
    notice = next(m for m in office.notices if "laissés sans" in str(m["Subject"]))  # the digest's own
    await office.put(mail("clore", TRAINER, "c@t", headers={"In-Reply-To": notice["Message-ID"]}, subject="Re: x"))
    assert not await office.escalations("digest")


async def test_a_digest_of_several_is_answered_by_hand_alone_and_of_one_by_a_reply(office: Office) -> None:
    words = "Votre message a bien été transmis à notre service, à quelle heure venez-vous ?"
    await silenced(office, [mail(words, id=f"{n}@t") for n in range(2)])
    notice = next(m for m in office.notices if "laissés sans" in str(m["Subject"]))  # the digest's own
    answer = mail("Rien à faire.", TRAINER, "r@t", headers={"In-Reply-To": notice["Message-ID"]}, subject="Re: x")
    await silenced(office, [mail(words, "bob@elsewhere.example", f"{n}@u") for n in range(2)])
    outcome = await office.put(answer)
    assert outcome is not None
    assert [row.to for row in outcome.outgoing if row.kind != "mark"] == [f"email:{TRAINER}"]
    assert "plusieurs personnes" in outcome.outgoing[0].body


async def test_a_matter_of_health_over_the_caps_is_for_the_disability_contact_alone(office: Office) -> None:
    await silenced(office, [mail(f"Question {n} : quand ?", id=f"{n}@t") for n in range(4)])
    outcome = await office.put(mail("Je suis malentendante, il me faut un interprète.", id="h@t"))
    assert outcome is not None
    (private,) = outcome.escalations
    assert (private.reason, private.private, private.recipients) == ("digest", True, ("telegram:13",))
    assert "malentendante" not in office.told


async def test_a_forgotten_person_leaves_no_words_in_a_digest(office: Office) -> None:
    words = "Votre message a bien été transmis à notre service, à quelle heure venez-vous ?"
    await silenced(office, [mail(words, id=f"{n}@t") for n in range(2)])
    await silenced(office, [mail(words, "bob@elsewhere.example", f"{n}@u") for n in range(2)])
    await office.store.apply(Outcome("answered", forget=(f"email:{ANA}",)), office.now)
    (digest,) = await office.escalations("digest")
    assert ANA not in repr(digest)
    assert "bob@elsewhere.example" in repr(digest)


@pytest.mark.parametrize(
    ("address", "domain"),
    [
        ("email:a@mail.example.org", "example.org"),
        ("email:a@x.example.co.uk", "example.co.uk"),
        ("email:a@gmail.com", ""),
        ("email:a@yahoo.co.uk", ""),
        ("email:unknown", ""),
    ],
)
def test_a_domain_is_the_registered_one_and_none_for_a_public_provider(address: str, domain: str) -> None:
    assert domain_of(address) == domain


def test_what_stands_after_a_plus_makes_no_other_sender() -> None:
    assert sender_of("email:Ana+12@example.org") == sender_of("email:ana@example.org")


async def test_case_24_a_flood_of_one_sender_is_one_digest_and_others_are_answered(office: Office) -> None:
    for n in range(25):
        await office.put(mail(f"Message numéro {n} : quand commence la formation ?", "flood@evil.example", f"{n}@evil"))
    outcome = await office.put(mail())
    assert outcome is not None
    assert [row.to for row in outcome.outgoing if row.kind == "reply"] == [f"email:{ANA}"]
    sent = await office.sent()
    assert sum(d.outgoing.to == "email:flood@evil.example" for d, _ in sent) <= 3
    assert sum("laissés sans" in d.outgoing.body or "ne réponds plus" in d.outgoing.body for d, _ in sent) == 1
    await sums_agree(office.store, 26)


async def test_a_draft_of_ours_that_the_trainer_sent_closes_its_escalation_under_any_id(office: Office) -> None:
    drafting = Office(office.store, office.shelf, replace(office.desk, drafts=True))
    await drafting.put(mail())
    ((_, draft),) = await drafting.sent()
    by_hand = stripped(draft)
    assert b"assistant automatique" in by_hand
    outcome = await drafting.put(by_hand, "sent")
    assert outcome is not None
    assert outcome.end == "answered"
    assert not await drafting.escalations("draft")


async def test_a_digest_on_telegram_is_closed_by_its_button(shelf: Shelf, office: Office) -> None:
    words = "Votre message a bien été transmis à notre service, à quelle heure venez-vous ?"
    on_telegram = Office(office.store, shelf, replace(office.desk, trainers=("telegram:11",)))
    outcomes = [await on_telegram.put(mail(words, id=f"{n}@t")) for n in range(2)]
    assert outcomes[1] is not None
    (notice,) = [row for row in outcomes[1].outgoing if row.kind == "notice"]
    assert [choice.code for row in notice.choices for choice in row] == [f"e:close:{notice.about}"]
    assert "clore" not in notice.body
