"""The promises of ``bot.core.ports.Store``, on SQLite and on PostgreSQL alike."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select, update

from bot.core.model import Dialogue, Escalation, Event, Outcome, Outgoing, Status, Turn
from bot.core.ports import Arrival
from bot.errors import StaleLease, StoreError
from bot.store.database import Database
from bot.store.schema import dialogues, outbox

NOW = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
LEASE = timedelta(seconds=30)
ANA = "telegram:1001"
CHANNELS = ("telegram",)


def arrival(n: int, person: str = ANA) -> Arrival:
    return Arrival(f"telegram:update:{n}", "telegram", person, {"text": f"message {n}"}, NOW)


def escalation(id: int, **changes: object) -> Escalation:
    plain = Escalation(
        id=id,
        learner=ANA,
        chat=ANA,
        name="Ana",
        questions=("Où dormir ?",),
        conversation=(Turn("learner", "bonjour", NOW),),
        reason="unknown",
        near=("venue",),
        private=False,
        status=Status.OPEN,
        recipients=("telegram:1",),
        opened_at=NOW,
    )
    return replace(plain, **changes)  # type: ignore[arg-type]


def changed(known: Escalation, kind: str, **changes: object) -> Escalation:
    return replace(known, events=(*known.events, Event(kind, "telegram:1", "", NOW)), **changes)  # type: ignore[arg-type]


async def drained(store: Database, now: datetime = NOW) -> list[str]:
    """Send everything that is due; the bodies in the order in which they went out."""
    bodies = []
    while (delivery := await store.claim(now, LEASE, CHANNELS)) is not None:
        bodies.append(delivery.outgoing.body)
        await store.delivered(delivery, f"n{delivery.id}", now)
    return bodies


async def test_a_redelivered_update_is_kept_once(store: Database) -> None:
    assert await store.receive([arrival(1), arrival(2)], ("telegram", "3")) == 2
    assert await store.receive([arrival(2), arrival(3)], ("telegram", "4")) == 1
    assert await store.cursor("telegram") == "4"


async def test_a_redelivery_is_known_after_its_message_was_erased(store: Database) -> None:
    await store.receive([arrival(1)])
    taken = await store.take(NOW, LEASE, CHANNELS)
    assert taken is not None
    await store.commit(taken, Outcome("answered", forget=(ANA,)), NOW)
    assert await store.receive([arrival(1)]) == 0


async def test_what_floods_are_counted_by_moves_with_a_clock_that_is_set(tmp_path: Path) -> None:
    store, jump = await Database.open(f"sqlite:///{tmp_path}/accueil.db"), timedelta(days=-1)  # others move nothing
    await store.receive([arrival(1), arrival(2)])
    taken = await store.take(NOW, LEASE, CHANNELS)
    assert taken is not None
    await store.commit(taken, Outcome("answered"), NOW)
    await store.shift(jump)
    assert await store.count_inputs(ANA, NOW + jump, "") == 2
    assert await store.count_inputs(ANA, NOW + jump + timedelta(minutes=1), "") == 0
    await store.close()


async def test_messages_of_one_person_are_taken_in_order_and_others_meanwhile(store: Database) -> None:
    await store.receive([arrival(1), arrival(2), arrival(3, "telegram:1002")])
    first, other = await store.take(NOW, LEASE, CHANNELS), await store.take(NOW, LEASE, CHANNELS)
    assert first
    assert other
    assert [first.arrival.raw["text"], other.arrival.raw["text"]] == ["message 1", "message 3"]
    assert await store.take(NOW, LEASE, CHANNELS) is None
    await store.commit(first, Outcome("ignored", "test"), NOW)
    second = await store.take(NOW, LEASE, CHANNELS)
    assert second
    assert second.arrival.raw["text"] == "message 2"


async def test_many_workers_never_take_the_same_row(store: Database) -> None:
    await store.receive([arrival(n, f"telegram:{n}") for n in range(40)])
    taken: list[int] = []

    async def worker() -> None:
        while (found := await store.take(NOW, LEASE, CHANNELS)) is not None:
            taken.append(found.id)
            await store.commit(found, Outcome("ignored", "test"), NOW)

    await asyncio.gather(*(worker() for _ in range(6)))
    assert len(taken) == len(set(taken))
    counts = await store.counts()
    assert counts["inbox.done"] + counts.get("inbox.waiting", 0) == 40
    assert counts["inbox.done"] == len(taken)


async def test_a_dead_workers_row_comes_back_and_its_late_commit_writes_nothing(store: Database) -> None:
    await store.receive([arrival(1)])
    late = await store.take(NOW, LEASE, CHANNELS)
    again = await store.take(NOW + LEASE * 2, LEASE, CHANNELS)
    assert late
    assert again
    assert (late.id, late.attempts, again.attempts) == (again.id, 1, 2)
    with pytest.raises(StaleLease):
        await store.commit(late, Outcome("answered", outgoing=(Outgoing("k", ANA, "late"),)), NOW)
    await store.commit(again, Outcome("answered", outgoing=(Outgoing("k", ANA, "in time"),)), NOW)
    assert await drained(store) == ["in time"]


async def test_reply_dialogue_and_escalation_are_written_with_the_row(store: Database) -> None:
    await store.receive([arrival(1)])
    taken = await store.take(NOW, LEASE, CHANNELS)
    assert taken
    asked = escalation(await store.reserve_escalation())
    dialogue = Dialogue(ANA, topics=("hours",), introduced=True, expires_at=NOW + timedelta(minutes=30))
    row = Outgoing("m1:reply", ANA, "bonjour")
    await store.commit(taken, Outcome("escalated", "", "d1", "telegram:1001:7", dialogue, (row,), (asked,)), NOW)
    assert await store.dialogue(ANA) == dialogue
    assert await store.escalation(asked.id) == asked
    assert await store.escalations(learner=ANA) == [asked]
    assert await store.last_decision("telegram:1001:7") == "d1"
    assert await drained(store) == ["bonjour"]


async def test_the_same_key_is_sent_once(store: Database) -> None:
    for _ in range(2):
        await store.apply(Outcome("answered", outgoing=(Outgoing("key", ANA, "once"),)), NOW)
    assert await drained(store) == ["once"]


async def test_texts_to_one_address_keep_their_order_even_when_one_is_tried_again(store: Database) -> None:
    rows = (Outgoing("a", ANA, "first"), Outgoing("b", ANA, "second"), Outgoing("c", "telegram:2", "other"))
    await store.apply(Outcome("answered", outgoing=rows), NOW)
    first = await store.claim(NOW, LEASE, CHANNELS)
    assert first
    await store.retry(first, NOW + timedelta(minutes=1), "429")
    assert await drained(store) == ["other"]
    assert await drained(store, NOW + timedelta(minutes=2)) == ["first", "second"]


async def test_a_send_in_flight_at_a_kill_comes_back_as_unsure(store: Database) -> None:
    await store.apply(Outcome("answered", outgoing=(Outgoing("a", ANA, "x"),)), NOW)
    first = await store.claim(NOW, LEASE, CHANNELS)
    assert first is not None
    assert first.unsure == 0
    await store.wired(first, NOW + LEASE)
    assert await store.claim(NOW + LEASE / 2, LEASE, CHANNELS) is None
    again = await store.claim(NOW + LEASE * 2, LEASE, CHANNELS)
    assert again is not None
    assert again.unsure == 1
    with pytest.raises(StaleLease):
        await store.delivered(first, "n1", NOW)


async def test_what_never_got_on_the_wire_comes_back_as_it_was_and_its_late_sender_may_not_send_it(store: Database) -> None:
    await store.apply(Outcome("answered", outgoing=(Outgoing("a", ANA, "x"),)), NOW)
    late = await store.claim(NOW, LEASE, CHANNELS)
    again = await store.claim(NOW + LEASE * 2, LEASE, CHANNELS)
    assert late is not None
    assert again is not None
    assert (again.attempts, again.unsure) == (2, 0)
    with pytest.raises(StaleLease):
        await store.wired(late, NOW + LEASE * 3)
    await store.wired(again, NOW + LEASE * 3)


@pytest.mark.parametrize("on_wire", [False, True])
async def test_a_worker_that_is_alone_gets_all_leases_back_at_once(store: Database, on_wire: bool) -> None:
    await store.receive([arrival(1)])
    await store.apply(Outcome("answered", outgoing=(Outgoing("a", ANA, "x"),)), NOW)
    await store.take(NOW, LEASE, CHANNELS)
    first = await store.claim(NOW, LEASE, CHANNELS)
    assert first is not None
    if on_wire:
        await store.wired(first, NOW + LEASE)
    await store.release()
    again = await store.claim(NOW, LEASE, CHANNELS)
    assert await store.take(NOW, LEASE, CHANNELS) is not None
    assert again is not None
    assert again.unsure == on_wire


async def test_a_reminder_of_a_settled_escalation_is_not_sent(store: Database) -> None:
    asked = escalation(await store.reserve_escalation())
    nudge = Outgoing("n", "telegram:1", "rappel", kind="nudge", not_before=NOW + timedelta(hours=24), cancels_with=asked.id)
    await store.apply(Outcome("escalated", outgoing=(nudge,), escalations=(asked,)), NOW)
    assert await drained(store) == []
    await store.apply(
        Outcome("answered", escalations=(changed(asked, "answered", status=Status.ANSWERED, answered_at=NOW),)), NOW
    )
    assert await drained(store, NOW + timedelta(hours=25)) == []
    assert (await store.counts())["outbox.dropped"] == 1


async def test_two_changes_of_the_same_state_cannot_both_be_written(store: Database) -> None:
    asked = escalation(await store.reserve_escalation())
    await store.apply(Outcome("escalated", escalations=(asked,)), NOW)
    await store.apply(Outcome("answered", escalations=(changed(asked, "claimed", status=Status.CLAIMED),)), NOW)
    late = changed(asked, "answered", status=Status.ANSWERED)
    with pytest.raises(StaleLease):
        await store.apply(Outcome("answered", outgoing=(Outgoing("r", ANA, "late"),), escalations=(late,)), NOW)
    assert await drained(store) == []


async def test_a_failed_text_is_kept_and_what_replaces_it_is_queued(store: Database) -> None:
    await store.apply(Outcome("answered", outgoing=(Outgoing("a", "telegram:1", "notice"),)), NOW)
    delivery = await store.claim(NOW, LEASE, CHANNELS)
    assert delivery
    await store.failed(delivery, "blocked", (Outgoing("a:2", "telegram:2", "notice"),), NOW)
    assert await drained(store) == ["notice"]
    assert (await store.counts())["outbox.failed"] == 1


async def test_a_sent_text_is_found_by_the_native_id_that_a_reply_names(store: Database) -> None:
    asked = escalation(await store.reserve_escalation())
    notice = Outgoing("n", "telegram:1", "question", kind="notice", about=asked.id)
    await store.apply(Outcome("escalated", outgoing=(notice,), escalations=(asked,)), NOW)
    delivery = await store.claim(NOW, LEASE, CHANNELS)
    assert delivery
    await store.delivered(delivery, "77", NOW)
    found = await store.find_sent("telegram:1", "77")
    assert found is not None
    assert found.about == asked.id
    assert await store.find_sent("telegram:2", "77") is None


async def test_forgetting_erases_all_but_what_is_still_open_and_that_when_it_ends(store: Database) -> None:
    done, waiting = escalation(await store.reserve_escalation()), escalation(await store.reserve_escalation())
    settled = changed(done, "answered", status=Status.ANSWERED, answered_at=NOW)
    notice = Outgoing("n", "telegram:1", "Ana demande : Où dormir ?", kind="notice", about=waiting.id)
    dialogue = Dialogue(ANA, turns=(Turn("learner", "secret", NOW),))
    await store.apply(Outcome("escalated", dialogue=dialogue, outgoing=(notice,), escalations=(waiting,)), NOW)
    await store.apply(Outcome("escalated", escalations=(done,)), NOW)
    await store.apply(Outcome("answered", escalations=(settled,)), NOW)
    await drained(store)
    await store.apply(Outcome("answered", forget=(ANA,), outgoing=(Outgoing("bye", ANA, "effacé"),)), NOW)
    assert await drained(store) == ["effacé"]
    left = await store.export(ANA)
    assert left["dialogue"] is None
    assert left["texts"] == []
    assert [e["id"] for e in left["escalations"]] == [waiting.id]
    answered = changed(waiting, "answered", status=Status.ANSWERED, answered_at=NOW)
    await store.apply(Outcome("answered", escalations=(answered,)), NOW)
    assert (await store.export(ANA))["escalations"] == []
    kept = await store.escalation(waiting.id)
    assert kept is not None
    assert (kept.questions, kept.name, kept.conversation) == ((), "", ())


async def test_forgetting_reaches_replies_in_groups_and_texts_that_could_not_be_sent(store: Database) -> None:
    group = Outgoing("g", "telegram:-100", "réponse à Ana", thread={"owner": ANA})
    await store.apply(Outcome("answered", outgoing=(group,)), NOW)
    await drained(store)
    await store.apply(Outcome("answered", outgoing=(Outgoing("r", ANA, "mots"),)), NOW)
    delivery = await store.claim(NOW, LEASE, CHANNELS)
    assert delivery
    await store.apply(Outcome("answered", forget=(ANA,)), NOW)
    await store.failed(delivery, "blocked", (), NOW)
    async with store._engine.begin() as connection:
        left = (await connection.execute(select(outbox.c.outgoing, outbox.c.state).order_by(outbox.c.id))).all()
    assert [tuple(row) for row in left] == [(None, "sent"), (None, "failed")]


async def test_rows_of_a_channel_that_is_not_served_wait_for_it(store: Database) -> None:
    await store.receive([arrival(1)])
    await store.apply(Outcome("answered", outgoing=(Outgoing("r", ANA, "mots"),)), NOW)
    assert await store.take(NOW, LEASE, ("console",)) is None
    assert await store.claim(NOW, LEASE, ("console",)) is None
    assert await store.idle(NOW, ("console",))
    assert not await store.idle(NOW, CHANNELS)


async def test_a_text_or_a_conversation_of_another_version_holds_nothing_up(store: Database) -> None:
    await store.apply(Outcome("answered", outgoing=(Outgoing("r", ANA, "mots"),), dialogue=Dialogue(ANA)), NOW)
    async with store._engine.begin() as connection:
        await connection.execute(update(outbox).values(outgoing={"no": "outgoing"}))
        await connection.execute(update(dialogues).values(dialogue={"person": ANA, "format": "hologram", "turns": []}))
    await store.apply(Outcome("answered", outgoing=(Outgoing("s", ANA, "la suite"),)), NOW)
    unreadable = await store.claim(NOW, LEASE, CHANNELS)
    assert unreadable is not None
    assert (unreadable.readable, unreadable.outgoing.body) == (False, "")
    await store.failed(unreadable, "cannot be read", (), NOW)
    assert await drained(store) == ["la suite"]
    assert await store.dialogue(ANA) is None
    await store.purge(NOW, timedelta(days=1), timedelta(days=1))


async def test_purge_deletes_health_matters_first_and_keeps_what_is_open(store: Database) -> None:
    health = escalation(await store.reserve_escalation(), private=True)
    plain = escalation(await store.reserve_escalation())
    still_open = escalation(await store.reserve_escalation(), private=True)
    for known in (health, plain, still_open):
        notice = Outgoing(f"n{known.id}", "telegram:1", "mots", about=known.id, private=known.private)
        await store.apply(Outcome("escalated", outgoing=(notice,), escalations=(known,)), NOW)
    await drained(store)
    for known in (health, plain):
        ended = changed(known, "answered", status=Status.ANSWERED, answered_at=NOW)
        await store.apply(Outcome("answered", escalations=(ended,)), NOW)
    turns = (Turn("learner", "santé", NOW, True), Turn("learner", "horaires", NOW))
    await store.apply(Outcome("answered", dialogue=Dialogue(ANA, turns=turns)), NOW)
    await store.purge(NOW + timedelta(days=40), timedelta(days=180), timedelta(days=30))
    assert [e.id for e in await store.escalations(open_only=False)] == [plain.id, still_open.id]
    dialogue = await store.dialogue(ANA)
    assert dialogue is not None
    assert [t.text for t in dialogue.turns] == ["horaires"]
    assert (await store.counts())["outbox.sent"] == 2
    await store.purge(NOW + timedelta(days=200), timedelta(days=180), timedelta(days=30))
    assert [e.id for e in await store.escalations(open_only=False)] == [still_open.id]
    assert await store.dialogue(ANA) is None


async def test_opening_twice_keeps_the_secret_and_the_numbers(store: Database, database_address: str) -> None:
    first = await store.reserve_escalation()
    second = await Database.open(database_address)
    try:
        assert second.secret == store.secret
        assert await second.reserve_escalation() == first + 1
    finally:
        await second.close()


@pytest.mark.parametrize("address", ["mysql://x/y", "nonsense", "sqlite://"])
async def test_an_address_that_is_no_database_is_refused_by_name(address: str) -> None:
    with pytest.raises(ValueError, match=r"sqlite"):
        await Database.open(address)


async def test_a_database_that_does_not_answer_is_a_clear_error(tmp_path: object) -> None:
    with pytest.raises(StoreError, match="cannot be used"):
        await Database.open("postgres://nobody:wrong@127.0.0.1:1/none")


MAIL = "email:ana@x.example"


async def test_what_follows_a_text_is_queued_once_it_was_delivered_and_not_before(store: Database) -> None:
    mark = Outgoing("k:flags", "telegram:9", "drapeau", kind="mark")
    await store.apply(Outcome("answered", outgoing=(Outgoing("k", ANA, "réponse", then=(mark,)),)), NOW)
    delivery = await store.claim(NOW, LEASE, CHANNELS)
    assert delivery is not None
    assert await store.claim(NOW, LEASE, CHANNELS) is None
    await store.delivered(delivery, "n1", NOW)
    assert await drained(store) == ["drapeau"]


async def test_what_follows_a_text_that_failed_never_goes_out(store: Database) -> None:
    mark = Outgoing("k:flags", "telegram:9", "drapeau", kind="mark")
    await store.apply(Outcome("answered", outgoing=(Outgoing("k", ANA, "réponse", then=(mark,)),)), NOW)
    delivery = await store.claim(NOW, LEASE, CHANNELS)
    assert delivery is not None
    await store.failed(delivery, "refused", (), NOW)
    assert await drained(store) == []


async def test_an_address_belongs_to_the_person_who_confirmed_it_until_they_are_forgotten(store: Database) -> None:
    await store.apply(Outcome("answered", dialogue=Dialogue(ANA), links=((MAIL, ANA),)), NOW)
    assert await store.person_at(MAIL) == ANA
    assert await store.addresses_of(ANA) == [MAIL]
    await store.apply(Outcome("answered", outgoing=(Outgoing("k", MAIL, "à Ana"),)), NOW)
    exported = await store.export(ANA)
    assert [t["text"] for linked in exported["linked"] for t in linked["texts"]] == ["à Ana"]
    await store.apply(Outcome("answered", forget=(ANA,)), NOW)
    assert await store.person_at(MAIL) is None
    delivery = await store.claim(NOW, LEASE, ("email",))
    assert delivery is not None
    await store.delivered(delivery, "<1@x>", NOW)
    assert (await store.export(MAIL))["texts"] == []  # what was on its way to them is erased once it is out


async def test_a_link_outlives_its_person_no_longer_than_anything_else(store: Database) -> None:
    await store.apply(Outcome("answered", links=((MAIL, ANA),)), NOW)
    month = timedelta(days=30)
    await store.purge(NOW + timedelta(days=10), month, month)
    assert await store.person_at(MAIL) == ANA
    await store.purge(NOW + timedelta(days=31), month, month)
    assert await store.person_at(MAIL) is None


async def test_a_text_is_found_by_its_native_id_alone(store: Database) -> None:
    await store.apply(Outcome("answered", outgoing=(Outgoing("k", MAIL, "à Ana"),)), NOW)
    delivery = await store.claim(NOW, LEASE, ("email",))
    assert delivery is not None
    await store.delivered(delivery, "id@accueil.example", NOW)
    assert await store.addressee("id@accueil.example") == MAIL
    assert await store.addressee("other@accueil.example") is None


async def test_traces_are_counted_by_name_and_time_and_forgotten_in_time(store: Database) -> None:
    left = (("sender:ana", NOW - timedelta(hours=2)), ("sender:ana", NOW), ("all:mail", NOW))
    await store.apply(Outcome("answered", traces=left), NOW)
    assert await store.traced(("sender:ana", "sender:bob"), NOW - timedelta(hours=1)) == {"sender:ana": [NOW]}
    found = await store.traced(("sender:ana", "all:mail"), NOW - timedelta(days=1))
    assert sorted(found["sender:ana"]) == [NOW - timedelta(hours=2), NOW]
    await store.purge(NOW + timedelta(days=1), timedelta(days=1, hours=1), timedelta(days=1))
    assert await store.traced(("sender:ana",), NOW - timedelta(days=9)) == {"sender:ana": [NOW]}


async def test_a_text_that_came_back_is_a_failed_one(store: Database) -> None:
    await store.apply(Outcome("answered", outgoing=(Outgoing("k", ANA, "Bonjour"),)), NOW)
    delivery = await store.claim(NOW, LEASE, CHANNELS)
    assert delivery
    await store.delivered(delivery, "n1", NOW)
    await store.apply(Outcome("escalated", returned=("n1", "n2")), NOW)
    assert (await store.counts())["outbox.failed"] == 1


async def test_a_digest_keeps_nothing_of_a_person_who_is_forgotten(store: Database) -> None:
    heard = tuple(Event("added", who, f"mot de {who}", NOW) for who in (ANA, "telegram:1002"))
    await store.apply(Outcome("escalated", escalations=(escalation(7, learner="email:*", reason="digest", events=heard),)), NOW)
    await store.apply(Outcome("answered", forget=(ANA,)), NOW)
    digest = await store.escalation(7)
    assert digest
    assert [(e.actor, e.text) for e in digest.events] == [("", ""), ("telegram:1002", "mot de telegram:1002")]
    assert digest.questions == ()
