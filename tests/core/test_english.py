"""Replies in English, turn after turn, through the real knowledge and the real matcher; trainers read French throughout."""

from __future__ import annotations

from dataclasses import replace
from email import message_from_bytes
from email.policy import default

import pytest

from bot.channels.mail.write import Letterhead, written
from bot.core.decide import Reader
from bot.core.desk import Desk
from bot.core.dialogue import respond, stumbled
from bot.core.escalation import Command, review
from bot.core.model import Format, Intent, Knowledge, Message, Outgoing
from bot.core.rehearse import START, Rehearsal
from bot.core.situation import Response, Situation
from tests.core.talks import LEARNER, escalation_of, told

DESK = Desk(trainers=("telegram:1",), accessibility=("telegram:3",), mailbox="email:contact@example.org")
FRENCH_SPACING = ("\u00a0", " ?", " !", " :", " ;", "«")


@pytest.fixture
def talk(knowledge: Knowledge, reader: Reader) -> Rehearsal:
    return Rehearsal(knowledge, reader, desk=DESK)


def rows(response: Response, to: str = LEARNER) -> list[Outgoing]:
    return [o for o in response.outcome.outgoing if o.to == to]


def labels(response: Response, to: str = LEARNER) -> list[str]:
    return [c.label for o in rows(response, to) for row in o.choices for c in row]


def pressed(talk: Rehearsal, code: str) -> Response:
    return talk.say("", intent=Intent.PRESS, press=code)


def test_the_format_is_asked_the_button_answered_and_the_thanks_returned_in_english(talk: Rehearsal) -> None:
    asked = talk.say("what time do we start?")
    assert "That depends on the format of your course." in told(asked)
    assert labels(asked) == ["In person (open)", "In-house", "Online"]
    answer = pressed(talk, "f:inter:hours")
    assert "9 am" in told(answer)
    assert "5 pm" in told(answer)
    assert "unless your convocation letter says otherwise" in told(answer)
    assert "According to: “Planning de votre session” (" in told(answer)
    assert labels(answer) == ["That's not it"]
    assert not any(mark in told(r) for r in (asked, answer) for mark in FRENCH_SPACING)
    assert told(talk.say("ok thanks")).startswith("You are welcome!")


def test_who_goes_over_to_french_is_answered_in_french_and_back(talk: Rehearsal) -> None:
    talk.format = Format.INTER
    assert "We start at 9 am" in told(talk.say("what time do we start?"))
    assert "12\u00a0h\u00a030" in told(talk.say("et le repas de midi ?"))
    assert "certificate" in told(talk.say("do we get a certificate?"))


def test_english_words_in_a_french_message_change_nothing(talk: Rehearsal) -> None:
    assert "badges sont délivrés" in told(talk.say("il y a des open badges ?"))
    assert "D'après" in told(talk.say("badge ?"))


def test_several_answers_stand_under_english_headings(talk: Rehearsal) -> None:
    reply = told(talk.say("who is it for and how much does it cost?"))
    assert "Who the course is for, and prerequisites:\n" in reply
    assert "The price:\nIn-house, “Sociologie du travail pour managers” costs from €1,900 net for 2 days" in reply


def test_what_a_programme_adds_is_told_in_english(talk: Rehearsal) -> None:
    talk.format = Format.INTER
    reply = told(talk.say("how many days is it?"))
    assert "For “Sociologie du travail pour managers”: 2 days (14 hours), can be adapted" in reply


def test_a_question_passed_on_is_acknowledged_in_english_and_the_trainer_reads_french(talk: Rehearsal) -> None:
    talk.format = Format.INTER
    response = talk.say("what time do we start? can I bring my dog?")
    opened = escalation_of(response)
    (reply,) = (o for o in rows(response) if o.kind == "reply")
    assert f"who will answer you here ({opened.reference}):\n“can I bring my dog?”" in reply.body
    (notice,) = (o for o in rows(response, "telegram:1") if o.kind == "notice")
    assert "pas de réponse dans les fiches" in notice.body
    assert "Sujets proches : les horaires de la journée" in notice.body
    assert [c.label for row in notice.choices for c in row][-1] == "Envoyer\u00a0: Horaires"
    (nudge,) = (o for o in rows(response, "telegram:1") if o.kind == "nudge")
    assert "attend une réponse" in nudge.body
    (comfort,) = (o for o in rows(response) if o.kind == "comfort")
    assert "is not forgotten" in comfort.body


def test_further_words_join_the_request_and_the_learner_hears_so_in_english(talk: Rehearsal) -> None:
    first = talk.say("I will be late tomorrow morning, my train is cancelled")
    assert told(first).startswith("Noted: I am passing your request on")
    more = talk.say("please tell the trainer that I am sorry")
    assert f"I have added this to your request ({escalation_of(first).reference})." in told(more)
    assert "ajout de" in told(more, "telegram:1")


@pytest.mark.parametrize("words", ["can I bring my dog to the room?", "je peux venir avec mon chien ?"])
def test_the_trainers_answer_and_its_correction_are_framed_in_the_learners_language(
    talk: Rehearsal, knowledge: Knowledge, words: str
) -> None:
    opened = escalation_of(talk.say(words))
    english = words.startswith("can")
    answered = review(knowledge, opened, Command("answer", "telegram:1", "k", "Oui : s'il est sage !"), START)
    (relay,) = (o for o in answered.outgoing if o.to == LEARNER)
    frame = (
        f"Answer to your question “{words}” (#A1):" if english else f"Réponse à votre question «\u00a0{words}\u00a0» (#A1)\u00a0:"
    )
    assert relay.body == f"{frame}\n\nOui : s'il est sage !"
    (mine,) = (o for o in answered.outgoing if o.to == "telegram:1")
    assert "votre réponse est envoyée" in mine.body
    corrected = review(knowledge, answered.escalations[0], Command("answer", "telegram:1", "k2", "Non."), START)
    (relay,) = (o for o in corrected.outgoing if o.to == LEARNER)
    assert relay.body.startswith("Correction of the previous" if english else "Correction de la réponse")


def test_the_nearest_answer_that_a_trainer_sends_is_in_the_learners_language(talk: Rehearsal, knowledge: Knowledge) -> None:
    opened = replace(escalation_of(talk.say("I want to talk to someone")), near=("breaks",), format=Format.INTER)
    sent = review(knowledge, opened, Command("near", "telegram:1", "k"), START)
    (relay,) = (o for o in sent.outgoing if o.to == LEARNER)
    assert "a break of 15 minutes" in relay.body


def test_the_words_that_the_bot_proposes_do_call_the_trainer(talk: Rehearsal) -> None:
    response = talk.say("I would like to talk to the trainer")
    assert escalation_of(response).reason == "handoff"
    assert "You can also write to denis" in told(response)


def test_a_silence_of_the_sheets_is_told_in_english(talk: Rehearsal) -> None:
    talk.format = Format.DISTANCE
    response = talk.say("is lunch included?")
    assert "On this point (the lunch break), our sheets say nothing for the format “Online (distance course)”." in told(response)
    assert escalation_of(response).reason == "silent"


def test_a_matter_of_health_is_acknowledged_in_english_and_private(talk: Rehearsal) -> None:
    response = talk.say("I am deaf, will there be an interpreter for me?")
    assert escalation_of(response).private
    assert "and to nobody else" in told(response)
    assert "CONFIDENTIEL" in told(response, "telegram:3")
    assert not rows(response, "telegram:1")


def test_not_it_is_answered_in_english(talk: Rehearsal) -> None:
    answer = talk.say("do we get a certificate?")
    passed = pressed(talk, answer.outcome.outgoing[0].choices[-1][-1].code)
    assert told(passed).startswith("Sorry for misunderstanding you.")
    again = pressed(talk, "n:" + answer.outcome.outgoing[0].choices[-1][-1].code.partition(":")[2])
    assert "C'est" not in told(again)


def test_commands_and_files_are_answered_in_the_language_of_the_conversation(talk: Rehearsal) -> None:
    talk.say("do we get a certificate?")
    assert "erases what is kept" in told(talk.say("/confidentialite", intent=Intent.COMMAND, command="confidentialite"))
    assert labels(talk.say("/format", intent=Intent.COMMAND, command="format"))[0] == "In person (open)"
    file = talk.say("", intent=Intent.MEDIA, media="message vocal", native_id="7")
    assert "I do not open files" in told(file)
    assert "fichier reçu" in told(file, "telegram:1")
    assert talk.say("/oublier", intent=Intent.COMMAND, command="oublier").outcome.outgoing[0].body.startswith("Done:")


def test_the_first_reply_introduces_itself_in_english(knowledge: Knowledge, reader: Reader) -> None:
    message = Message("telegram:1", "telegram", "telegram:5", "telegram:5", "do we get a certificate?", START)
    (reply,) = respond(message, Situation(knowledge, reader, DESK, START, 1)).outcome.outgoing
    assert reply.body.startswith("Hello! I am the automatic assistant of Technecampus")


def test_in_a_group_a_personal_request_is_answered_in_english(knowledge: Knowledge, reader: Reader) -> None:
    group, words = "telegram:-100", "I will be late tomorrow morning, my child is sick"
    message = Message("telegram:1", "telegram", "telegram:5", group, words, START, group=True)
    outcome = respond(message, Situation(knowledge, reader, DESK, START, 1)).outcome
    assert next(o.body for o in outcome.outgoing if o.to == group).startswith("I would rather not discuss")


def test_our_own_fault_is_told_in_english(knowledge: Knowledge, reader: Reader) -> None:
    message = Message("telegram:x", "telegram", "telegram:5", "telegram:5", "what breaks everything?", START)
    outcome = stumbled(message, Situation(knowledge, reader, DESK, START, 7))
    assert next(o.body for o in outcome.outgoing if o.to == "telegram:5").startswith("I was not able to handle")


THREAD = {
    "message_id": "q@learner.example",
    "subject": "",
    "quote": "when does the day end?",
    "name": "Ana",
    "sent": "03/11/2026",
    "marks": [{"folder": "INBOX", "validity": 1, "uid": 7}],
}


def mailed(knowledge: Knowledge, reader: Reader, desk: Desk, text: str = "when does the day end?") -> list[Outgoing]:
    ana = "email:ana@learner.example"
    message = Message("email:1", "email", ana, ana, text, START, thread=THREAD)
    return list(respond(message, Situation(knowledge, reader, desk, START, 1)).outcome.outgoing)


def test_a_mail_is_greeted_answered_for_each_format_and_signed_in_english(knowledge: Knowledge, reader: Reader) -> None:
    (reply,) = (o for o in mailed(knowledge, reader, DESK) if o.kind == "reply")
    assert reply.body.startswith("Hello,\n\n- In person (open course): We start at 9 am")
    assert "\n- In-house: In-house, the hours are agreed" in reply.body
    assert "Reply to this message with “I would like to talk to the trainer”" in reply.body
    assert not any(mark in reply.body for mark in FRENCH_SPACING)
    raw = written(reply, Letterhead("contact@example.org", "Technecampus", b"k" * 32), START)
    mail = message_from_bytes(raw, policy=default)
    plain, html = (part.get_content() for part in mail.iter_parts())
    assert mail["Subject"] == "Re: your message"
    assert "\nOn 03/11/2026, Ana wrote:\n> when does the day end?" in plain.replace("\r", "")
    assert '<html lang="en">' in html


def test_a_greeting_is_not_greeted_twice(knowledge: Knowledge, reader: Reader) -> None:
    (reply,) = (o for o in mailed(knowledge, reader, DESK, "hi there") if o.kind == "reply")
    assert reply.body.count("Hello") == 1


def test_a_draft_is_in_english_and_its_recall_in_french(knowledge: Knowledge, reader: Reader) -> None:
    found = mailed(knowledge, reader, replace(DESK, drafts=True))
    (reply,) = (o for o in found if o.kind == "reply")
    assert "We start at 9 am" in reply.body
    (recall,) = (o for o in found if o.kind == "nudge")
    assert "le brouillon de réponse" in recall.body


def test_a_confirmation_code_is_mailed_in_english(talk: Rehearsal) -> None:
    talk.say("do we get a certificate?")
    response = talk.say("ana@learner.example", intent=Intent.COMMAND, command="email")
    (mail,) = (o for o in response.outcome.outgoing if o.kind == "code")
    assert (mail.subject, mail.language) == ("Your confirmation code", "en")
    assert "I have sent a code to ana@learner.example." in told(response)
