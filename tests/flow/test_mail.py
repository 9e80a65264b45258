"""What becomes of mails, from their bytes to the outcome, with a real store and the real knowledge; nothing is sent."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from pathlib import Path

import pytest

from bot.channels.mail import ids
from bot.channels.mail.letter import Mailbox, letter
from bot.core.desk import Desk
from bot.core.model import Escalation, Ignored, Message, Outcome, Outgoing, Status
from bot.core.ports import Arrival, Taken
from bot.flow.intake import Intake
from bot.flow.signal import Signal
from bot.library.shelf import Shelf
from bot.store.database import Database

NOW = datetime(2026, 11, 3, 9, tzinfo=UTC)
CONTACT, TRAINER, ANA = "contact@accueil.example", "denis@trainer.example", "ana@learner.example"
DESK = Desk(
    trainers=(f"email:{TRAINER}",),
    accessibility=("telegram:13",),
    operators=("telegram:11",),
    mailbox=f"email:{CONTACT}",
)
PRIVATE, TRAINERS = ("telegram:13",), (f"email:{TRAINER}",)


class Post:
    """Puts mails to the intake as the mailbox would; what was decided on each."""

    name = "email"
    ready = True

    def __init__(self, store: Database, shelf: Shelf) -> None:
        self.store = store
        self.count = 0
        self.now = NOW
        self._intake = Intake(store, {"email": self}, shelf, DESK, lambda: self.now, Signal(), Signal())  # type: ignore[dict-item]
        self._committed: list[Outcome] = []
        commit = store.commit

        async def recorded(taken: Taken, outcome: Outcome, now: datetime) -> None:
            await commit(taken, outcome, now)
            self._committed.append(outcome)

        store.commit = recorded  # type: ignore[method-assign]

    def read(self, arrival: Arrival) -> Message | Ignored:
        return letter(base64.b64decode(arrival.raw["mail"]), arrival, Mailbox(CONTACT, self.store.secret))

    async def acknowledge(self, message: Message) -> None:
        return None

    async def put(
        self, text: str, sender: str = ANA, folder: str = "inbox", files: tuple[str, ...] = (), **headers: str
    ) -> Outcome:
        self.count += 1
        mail = EmailMessage()
        mail["From"], mail["Message-ID"] = sender, f"<{self.count}@{sender.partition('@')[2]}>"
        for name, value in headers.items():
            mail[name.replace("_", "-")] = value
        mail.set_content(text)
        for file in files:
            mail.add_attachment(b"x", maintype="application", subtype="octet-stream", filename=file)
        raw = {
            "folder": folder,
            "flags": [],
            "mark": {"folder": "INBOX", "validity": 1, "uid": self.count},
            "mail": base64.b64encode(mail.as_bytes()).decode(),
        }
        arrival = Arrival(f"email:{folder}:{self.count}", "email", f"email:{sender}", raw, self.now)
        await self.store.receive([arrival])
        assert await self._intake._step()
        return self._committed[-1]

    async def notice(self, recipients: tuple[str, ...] = TRAINERS, **changes: object) -> tuple[Escalation, str]:
        """An open escalation of Ana's mail, and the Message-ID of its notice."""
        id = await self.store.reserve_escalation()
        known = Escalation(
            id=id, learner=f"email:{ANA}", chat=f"email:{ANA}", name="Ana", questions=("?",), conversation=(), reason="unknown",
            near=(), private=False, status=Status.OPEN, recipients=recipients, opened_at=NOW,
            thread={"message_id": f"q{id}@learner.example", "marks": [{"folder": "INBOX", "validity": 1, "uid": 100 + id}]},
        )  # fmt: skip
        known = replace(known, **changes)  # type: ignore[arg-type]
        await self.store.apply(Outcome("escalated", escalations=(known,)), NOW)
        token = ids.message_id(self.store.secret, ids.NOTICE, id, f"esc:{id}:notice:0", "accueil.example")
        return known, f"<{token}>"

    async def status(self, known: Escalation) -> Status:
        found = await self.store.escalation(known.id)
        assert found is not None
        return found.status


@pytest.fixture(scope="module")
def shelf() -> Shelf:
    return Shelf(Path(__file__).parents[2] / "knowledge")


@pytest.fixture
async def post(shelf: Shelf, tmp_path: Path) -> AsyncIterator[Post]:
    store = await Database.open(f"sqlite:///{tmp_path}/accueil.db")
    yield Post(store, shelf)
    await store.close()


def to(outcome: Outcome, address: str) -> list[Outgoing]:
    return [o for o in outcome.outgoing if o.to.endswith(address) and o.kind != "mark"]


@pytest.mark.parametrize(
    "text",
    [
        "Bonjour,\nÀ quelle heure commence la formation ?\nJ'ai besoin d'un interprète LSF",
        "À quelle heure commence la formation ?\nMerci d'avance.\nJe suis en fauteuil roulant, il me faudrait de l'aide.",
        "Bonjour,\n\nCe message est confidentiel : je suis diabétique et j'ai besoin d'un aménagement.",
    ],
)
async def test_a_need_said_at_the_end_of_a_mail_is_passed_on_to_the_disability_contact(post: Post, text: str) -> None:
    outcome = await post.put(text, Subject="Stage")
    assert outcome.end == "escalated"
    assert all(e.private and e.recipients == PRIVATE for e in outcome.escalations)
    assert not to(outcome, TRAINER)


@pytest.mark.parametrize("files", [("certificat médical.pdf",), ("scan.pdf",)])
async def test_a_file_of_health_goes_to_the_disability_contact(post: Post, files: tuple[str, ...]) -> None:
    outcome = await post.put("", Subject="RQTH - certificat médical, handicap", files=files)
    assert [e.private for e in outcome.escalations] == [True]


async def test_a_trainers_absence_notice_is_no_answer(post: Post) -> None:
    known, token = await post.notice()
    away = "Je suis absent du 3 au 12 novembre. Je répondrai à votre message à mon retour."
    outcome = await post.put(away, TRAINER, In_Reply_To=token, Subject="Re: demande")
    assert outcome.end == "ignored"
    assert await post.status(known) is Status.OPEN


async def test_a_trainers_answer_is_passed_on_and_a_file_with_it_is_not(post: Post) -> None:
    known, token = await post.notice()
    outcome = await post.put("Voici le plan.", TRAINER, In_Reply_To=token, files=("plan.pdf",))
    assert "Voici le plan." in to(outcome, ANA)[0].body
    assert "fichier n'est pas envoyé" in to(outcome, TRAINER)[0].body
    assert await post.status(known) is Status.ANSWERED


async def test_clore_with_a_signature_closes(post: Post) -> None:
    known, token = await post.notice()
    outcome = await post.put("clore\n\nCordialement,\nDenis\nFormateur", TRAINER, In_Reply_To=token)
    assert not to(outcome, ANA)
    assert await post.status(known) is Status.CLOSED


@pytest.mark.parametrize("recipient", ["paul@elsewhere.example", "bob@learner.example"])
async def test_a_learners_mail_sent_on_to_somebody_else_answers_nobody(post: Post, recipient: str) -> None:
    known, token = await post.notice()
    for refers in (f"<{known.thread['message_id']}>", token):
        outcome = await post.put("Tu t'en occupes ?", CONTACT, "sent", In_Reply_To=refers, To=recipient)
        assert outcome.end == "ignored"
        assert not to(outcome, ANA)
    assert await post.status(known) is Status.OPEN


async def test_an_answer_by_hand_closes_what_it_answers_and_not_what_stands_above_it_in_the_thread(post: Post) -> None:
    first, _ = await post.notice()
    second, _ = await post.notice()
    above, below = (f"<{e.thread['message_id']}>" for e in (first, second))
    await post.put("Oui.", CONTACT, "sent", In_Reply_To=below, References=f"{above} {below}", To=ANA)
    assert [await post.status(e) for e in (first, second)] == [Status.OPEN, Status.ANSWERED]


async def test_a_notice_answered_in_the_mailbox_counts_only_for_its_recipients(post: Post) -> None:
    private, token = await post.notice(PRIVATE, private=True)
    await post.put("Bien reçu.", CONTACT, "sent", In_Reply_To=token, To=CONTACT)
    assert await post.status(private) is Status.OPEN
    mine, token = await post.notice((f"email:{CONTACT}",))
    outcome = await post.put("Oui.", CONTACT, "sent", In_Reply_To=token, To=CONTACT)
    assert "Oui." in to(outcome, ANA)[0].body
    assert await post.status(mine) is Status.ANSWERED


async def test_a_mail_of_ours_that_came_back_is_told(post: Post) -> None:
    known, _ = await post.notice()
    relay = ids.message_id(post.store.secret, ids.OTHER, known.id, "esc:relay", "accueil.example")
    outcome = await post.put(f"Delivery failed.\nMessage-ID: <{relay}>", "MAILER-DAEMON@mx.example", Return_Path="<>")
    (alert,) = to(outcome, "telegram:11")
    assert known.reference in alert.body


async def test_two_programs_that_answer_each_other_fall_silent(post: Post) -> None:
    answered = 0
    for n in range(12):
        outcome = await post.put(f"Nous avons bien reçu votre demande n° {n}.", "support@tickets.example", Subject="Ticket")
        answered += sum(row.kind == "reply" for row in to(outcome, "support@tickets.example"))
    assert 1 <= answered <= 3
    assert [e.reason for e in await post.store.escalations()].count("digest") == 1  # told once


async def test_nobody_can_be_forgotten_by_a_forged_mail(post: Post) -> None:
    outcome = await post.put("/oublier")
    assert outcome.forget == ()
    assert "répondez à ce courriel" in to(outcome, ANA)[0].body
    delivery = await post.store.claim(NOW, timedelta(seconds=30), ("email",))
    assert delivery is not None
    ours = ids.message_id(post.store.secret, ids.OTHER, None, delivery.outgoing.key, "accueil.example")
    await post.store.delivered(delivery, ours, NOW)
    assert (await post.put("/oublier", "eve@x.example", In_Reply_To=f"<{ours}>")).forget == ()
    assert (await post.put("/oublier", In_Reply_To=f"<{ours}>")).forget == (f"email:{ANA}",)


@pytest.mark.parametrize("headers", [{"Reply_To": "ana@elsewhere.example"}, {"X_Auto_Response_Suppress": "All"}])
async def test_what_no_program_may_answer_is_escalated_without_a_word(post: Post, headers: dict[str, str]) -> None:
    for text, files in (("À quelle heure ?", ()), ("/aide", ()), ("", ("plan.pdf",))):
        outcome = await post.put(text, files=files, Subject="Stage", **headers)
        assert (outcome.end, to(outcome, ANA)) == ("escalated", [])


async def test_a_contact_form_that_writes_from_our_own_address_is_left_to_a_person(post: Post) -> None:
    outcome = await post.put("Puis-je venir ?", CONTACT, Reply_To=ANA, Subject="Formulaire")
    assert outcome.end == "escalated"
    assert (await post.put("note à moi-même", CONTACT, Subject="Note")).end == "ignored"
