"""Conversations, turn after turn, through the real knowledge and the real matcher; no store, no channel."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.core.decide import Reader
from bot.core.dialogue import respond
from bot.core.escalation import Command, review
from bot.core.model import Escalation, Format, Intent, Knowledge, Message, Outcome, Status
from bot.core.rehearse import START, Rehearsal
from bot.core.situation import Situation
from tests.core.talks import DESK, escalation_of, told


def test_what_is_known_is_answered_and_what_is_not_goes_to_the_trainer_and_the_reply_says_which(talk: Rehearsal) -> None:
    talk.format = Format.INTER
    response = talk.say("on commence à quelle heure ? et je peux venir avec mon chien ?")
    assert "17\u00a0h" in told(response)
    assert "mon chien" in told(response)
    assert escalation_of(response).reference in told(response)
    assert "mon chien" in told(response, "telegram:1")


def test_the_format_is_asked_once_and_remembered(talk: Rehearsal) -> None:
    asked = talk.say("les pauses durent combien de temps ?")
    codes = [c.code for o in asked.outcome.outgoing for row in o.choices for c in row]
    assert codes == ["f:inter:breaks", "f:intra:breaks", "f:distance:breaks"]
    assert "15\u00a0minutes" in told(talk.say("", intent=Intent.PRESS, press="f:inter:breaks"))
    assert "12\u00a0h\u00a030" in told(talk.say("et le repas de midi ?"))


def test_a_colleagues_format_holds_for_that_answer_alone(talk: Rehearsal) -> None:
    talk.format = Format.INTER
    talk.say("quel matériel faut-il prévoir ?")
    assert "webcam" in told(talk.say("et pour ma collègue qui est à distance ?"))
    assert talk.dialogue is not None
    assert talk.dialogue.format is Format.INTER


def test_where_the_pages_are_silent_the_bot_says_so_and_asks_the_trainer(talk: Rehearsal) -> None:
    talk.format = Format.DISTANCE
    response = talk.say("comment ça se passe pour le déjeuner ?")
    assert "ne précisent rien" in told(response)
    assert escalation_of(response).reason == "silent"


def test_further_words_join_the_open_escalation_and_merci_changes_nothing(talk: Rehearsal) -> None:
    first = escalation_of(talk.say("je serai absent demain, mon fils est malade"))
    added = talk.say("et je ne sais pas encore pour après-demain, il a de la fièvre")
    assert escalation_of(added).id == first.id
    assert "fièvre" in told(added, "telegram:1")
    assert talk.say("merci").outcome.escalations == ()


def test_an_edit_of_words_that_were_passed_on_reaches_the_trainer(talk: Rehearsal, knowledge: Knowledge, reader: Reader) -> None:
    first = talk.say("je peux venir avec mon chien le 12 ?")
    opened = escalation_of(first)
    me, words = "telegram:rehearsal", "je peux venir avec mon chien le 15 ?"
    edited = Message(first.outcome.message, "telegram", me, me, words, START, intent=Intent.EDIT)
    known = Situation(knowledge, reader, DESK, START, 9, talk.dialogue, (opened,), first.outcome.decision)
    response = respond(edited, known)
    assert "le 15" in told(response, "telegram:1")
    keys = {o.key for o in first.outcome.outgoing}
    assert not keys & {o.key for o in response.outcome.outgoing}


def test_a_double_tap_is_one_press_but_a_change_of_mind_is_answered(talk: Rehearsal) -> None:
    talk.say("les pauses durent combien de temps ?")
    presses = [("f:inter:breaks", True), ("f:inter:breaks", False), ("f:distance:breaks", True), ("f:inter:breaks", True)]
    for code, answered in presses:
        response = talk.say("", intent=Intent.PRESS, press=code, reply_to="1")
        assert bool(response.outcome.outgoing) is answered, code


def test_an_expired_context_is_not_used_but_the_format_is_kept(talk: Rehearsal, knowledge: Knowledge, reader: Reader) -> None:
    talk.format = Format.INTER
    talk.say("c'est où ?")
    assert talk.dialogue is not None
    message = Message("telegram:late", "telegram", "telegram:rehearsal", "telegram:rehearsal", "oui", START + timedelta(hours=3))
    late = respond(message, Situation(knowledge, reader, DESK, message.received_at, 9, talk.dialogue))
    assert late.reading.topics == ()
    assert late.outcome.dialogue is not None
    assert late.outcome.dialogue.format is Format.INTER


def test_ce_nest_pas_ca_passes_the_question_on_once(talk: Rehearsal) -> None:
    answer = talk.say("est-ce que j'aurai une attestation ?")
    code = answer.outcome.outgoing[0].choices[-1][-1].code
    passed = talk.say("", intent=Intent.PRESS, press=code)
    assert escalation_of(passed).reason == "not-it"
    assert "attestation" in told(passed, "telegram:1")
    assert talk.say("", intent=Intent.PRESS, press=code).outcome.escalations == ()


def command(known: Escalation, verb: str, actor: str, text: str = "", key: str = "k") -> Command:
    return Command(verb, actor, key, text)  # type: ignore[arg-type]


def reviewed(knowledge: Knowledge, known: Escalation, *steps: Command) -> tuple[Escalation, Outcome]:
    outcome = Outcome("answered")
    for step in steps:
        outcome = review(knowledge, known, step, START)
        known = outcome.escalations[0] if outcome.escalations else known
    return known, outcome


def test_the_states_of_an_escalation(talk: Rehearsal, knowledge: Knowledge) -> None:
    known = escalation_of(talk.say("je veux parler à un humain"))
    claimed, _ = reviewed(knowledge, known, command(known, "claim", "telegram:1"))
    assert claimed.status is Status.CLAIMED
    answered, outcome = reviewed(knowledge, claimed, command(known, "answer", "telegram:1", "Appelez-moi."))
    assert answered.status is Status.ANSWERED
    assert any("Appelez-moi." in o.body and o.to == known.chat for o in outcome.outgoing)
    same, refused = reviewed(knowledge, answered, command(known, "answer", "telegram:2", "Non !"))
    assert same is answered
    assert not any(o.to == known.chat for o in refused.outgoing)
    _, corrected = reviewed(knowledge, answered, command(known, "answer", "telegram:1", "Plutôt lundi.", "k2"))
    assert any("Correction" in o.body and "Plutôt lundi." in o.body for o in corrected.outgoing)


def test_a_closed_escalation_takes_no_answer_and_an_empty_one_sends_nothing(talk: Rehearsal, knowledge: Knowledge) -> None:
    known = escalation_of(talk.say("je veux parler à un humain"))
    _, empty = reviewed(knowledge, known, command(known, "answer", "telegram:1", "  "))
    assert not any(o.to == known.chat for o in empty.outgoing)
    closed, _ = reviewed(knowledge, known, command(known, "close", "telegram:1"))
    assert closed.status is Status.CLOSED
    same, late = reviewed(knowledge, closed, command(known, "answer", "telegram:1", "Trop tard"))
    assert same is closed
    assert [o.to for o in late.outgoing] == ["telegram:1"]


@pytest.mark.parametrize(("format", "held"), [(Format.DISTANCE, "webcam"), (Format.INTER, "stylo"), (None, "webcam")])
def test_the_nearest_answer_is_that_of_the_learners_format(
    talk: Rehearsal, knowledge: Knowledge, format: Format | None, held: str
) -> None:
    known = replace(escalation_of(talk.say("je veux parler à un humain")), near=("equipment",), format=format)
    _, outcome = reviewed(knowledge, known, command(known, "near", "telegram:1"))
    assert any(held in o.body for o in outcome.outgoing if o.to == known.chat)


def test_a_trainers_words_arrive_as_they_were_typed(talk: Rehearsal, knowledge: Knowledge) -> None:
    known = escalation_of(talk.say("je veux parler à un humain"))
    words = "RDV à 9h : voir https://example.org/a?b=1 ;) {x} « ok »"
    _, outcome = reviewed(knowledge, known, command(known, "answer", "telegram:1", words))
    assert any(words in o.body for o in outcome.outgoing if o.to == known.chat)


def test_a_farewell_is_no_question_about_what_was_spoken_of_last(talk: Rehearsal) -> None:
    talk.say("à quelle heure on commence, en présentiel ?")
    parting = talk.say("allez salut, le bip sonne").reading
    assert parting is not None
    assert (parting.topics, parting.labels) == ((), ("goodbye",))


@pytest.mark.parametrize(
    ("said", "goes_on"),
    [("passionnant. au revoir !", False), ("bonjour. pour mon collègue", True), ("je ne comprends pas. merci", True)],
)
def test_a_farewell_behind_a_remark_is_no_follow_up_but_a_greeting_before_one_is(
    talk: Rehearsal, said: str, goes_on: bool
) -> None:
    talk.say("c'est quoi la clinique de l'activité ?")
    reading = talk.say(said).reading
    assert reading is not None
    assert (reading.follow_up or reading.escalate) == goes_on  # what is not understood may also go to a person
    assert (reading.labels == ("goodbye",)) != goes_on


def test_a_follow_up_with_a_weekday_is_no_farewell(talk: Rehearsal) -> None:
    talk.say("je n'arrive pas à me connecter")
    assert talk.say("de lundi à jeudi").outcome.end == "escalated"


def test_a_reaction_to_an_answer_asks_for_nothing_once_more(talk: Rehearsal) -> None:
    talk.say("il faut apporter quoi ?")
    reading = talk.say("ah ok, logique 😂").reading
    assert reading.labels == ("thanks",)
    assert not reading.follow_up
