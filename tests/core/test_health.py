"""Matters of health: seen however they are said, and shown to their contact alone; through the real knowledge and matcher."""

from __future__ import annotations

import pytest

from bot.core.decide import Reader
from bot.core.dialogue import stumbled
from bot.core.model import Format, Intent, Knowledge, Message
from bot.core.rehearse import START, Rehearsal
from bot.core.situation import Situation
from tests.core.talks import DESK, escalation_of


def test_a_health_matter_reaches_the_contact_alone_and_stays_out_of_later_escalations(talk: Rehearsal) -> None:
    first = talk.say("je suis malentendante, il me faut une boucle magnétique")
    opened = escalation_of(first)
    assert opened.private
    notices = [o for o in first.outcome.outgoing if "malentendante" in o.body and o.kind in ("notice", "nudge")]
    assert [o.to for o in notices] == ["telegram:3"]
    assert notices[0].fallback == ("email:contact@example.org",)
    talk.say("y a-t-il une attestation à la fin ?")
    later = talk.say("au fait, la facture de mars est fausse, pouvez-vous la refaire ?")
    second = escalation_of(later)
    assert (second.id != opened.id, second.private) == (True, False)
    assert not any("malentendante" in o.body for o in later.outcome.outgoing)


def test_what_follows_a_private_matter_stays_private_also_once_it_is_answered(talk: Rehearsal) -> None:
    opened = escalation_of(talk.say("je suis malentendante, il me faut une boucle magnétique"))
    assert escalation_of(talk.say("c'est depuis mon accident")).id == opened.id
    talk.open = []  # answered meanwhile
    later = escalation_of(talk.say("je préfère en parler à quelqu'un"))
    assert later.private
    assert later.recipients == DESK.accessibility


def test_a_matter_of_health_is_never_taken_for_something_off_the_topic(talk: Rehearsal) -> None:
    assert talk.say("tu connais une bonne recette de crêpes ?").outcome.escalations == ()
    assert escalation_of(talk.say("mon chat est drôle et je suis sourd, on parle musique ?")).private


@pytest.mark.parametrize(
    ("caption", "file"),
    [("je suis en fauteuil roulant", "photo"), ("", "document certificat_RQTH.pdf"), ("mon dossier andicap", "photo")],
)
def test_a_file_whose_caption_or_name_tells_of_health_goes_to_the_contact_alone(talk: Rehearsal, caption: str, file: str) -> None:
    response = talk.say(caption, intent=Intent.MEDIA, media=file, native_id="7")
    assert escalation_of(response).private
    assert {o.to for o in response.outcome.outgoing} <= {"telegram:3", "telegram:rehearsal"}


def test_a_merci_or_a_bare_file_does_not_end_a_private_matter(talk: Rehearsal) -> None:
    opened = escalation_of(talk.say("je suis malentendante, il me faut une boucle magnétique"))
    talk.say("merci")
    assert escalation_of(talk.say("", intent=Intent.MEDIA, media="document scan.pdf", native_id="8")).id == opened.id
    talk.say("y a-t-il une attestation à la fin ?")
    assert escalation_of(talk.say("", intent=Intent.MEDIA, media="photo", native_id="9")).private
    talk.open = []  # answered meanwhile
    talk.say("merci")
    assert escalation_of(talk.say("je préfère en parler à quelqu'un")).private


def test_a_word_of_health_is_private_as_soon_as_its_message_is_passed_on(talk: Rehearsal) -> None:
    talk.format = Format.DISTANCE
    silent = escalation_of(talk.say("mon diabète est équilibré, rien à prévoir : comment ça se passe pour le déjeuner ?"))
    assert (silent.reason, silent.private) == ("silent", True)
    answer = talk.say("mon diabète est équilibré, rien à prévoir : y a-t-il des pauses ?")
    code = answer.outcome.outgoing[0].choices[-1][-1].code
    assert escalation_of(talk.say("", intent=Intent.PRESS, press=code)).private
    later = talk.say("y a-t-il une attestation ? et je peux venir avec mon chien ?")
    assert not any("diabète" in o.body for o in later.outcome.outgoing if o.to in DESK.trainers)


def test_our_own_fault_is_read_by_a_person_in_confidence(talk: Rehearsal, knowledge: Knowledge, reader: Reader) -> None:
    message = Message("telegram:x", "telegram", "telegram:5", "telegram:5", "un message qui fait tout casser", START)
    outcome = stumbled(message, Situation(knowledge, reader, DESK, START, 7))
    assert outcome.escalations[0].recipients == DESK.accessibility
    assert {o.to for o in outcome.outgoing if o.kind == "notice"} == {"telegram:3"}
    assert any(o.to == "telegram:5" for o in outcome.outgoing)


@pytest.mark.parametrize(
    "said",
    [
        "je bégaie, qu'on me dispense des jeux de rôle",
        "j'ai une prothèse, je reste assis",
        "I stammer, please do not make me speak",
        "je ne supporte pas les néons",
    ],
)
def test_a_matter_of_health_that_is_passed_on_goes_to_the_contact_alone(talk: Rehearsal, said: str) -> None:
    assert escalation_of(talk.say(said)).private


@pytest.mark.parametrize(
    "said",
    [
        "merci de prévoir un interprète LSF",
        "merci de penser à ma boucle magnétique",
        "je vous remercie de bien vouloir prévoir un tiers temps",
        "merci d'imprimer mes documents en gros caractères",
        "étant sourd, comment suivre la visio ?",
        "je suis en fauteuil",
        "JE NE CAPTE RIEN QUAND TOUT LE MONDE PARLE",
        "merci beaucoup, à lundi ! je serai en fauteuil",
        "parfait, bonne soirée. je viens avec mon interprète LSF",
        "je suis sourde, je n'ai pas besoin d'aide mais d'un interprète LSF",
    ],
)
def test_what_health_asks_for_politely_or_loudly_reaches_the_contact_alone(talk: Rehearsal, said: str) -> None:
    assert escalation_of(talk.say(said)).private


@pytest.mark.parametrize("subject", ["Demande d'aménagement - fauteuil roulant", "stagiaire malvoyant", "ma maladie"])
@pytest.mark.parametrize("body", ["Merci d'avance", "Bonjour, merci de me recontacter. Cordialement", "ok merci"])
def test_a_matter_of_health_in_the_subject_reaches_the_contact_whatever_stands_below(
    talk: Rehearsal, subject: str, body: str
) -> None:
    assert escalation_of(talk.say(body, subject=subject)).private


@pytest.mark.parametrize(
    "said",
    [
        "merci beaucoup pour l'interprète LSF, c'était parfait",
        "merci d'avoir pensé à ma boucle magnétique",
        "merci de votre réponse sur le handicap",
        "merci, bonne santé à vous",
        "rien à prévoir pour mon handicap",
    ],
)
def test_thanks_that_name_health_call_nobody(talk: Rehearsal, said: str) -> None:
    assert talk.say(said).outcome.escalations == ()


@pytest.mark.parametrize(
    "said", ["je fatigue très vite, puis-je m'absenter vingt minutes chaque heure ?", "je souffre d'hyperacousie"]
)
def test_what_may_be_a_matter_of_health_is_private_without_being_named(talk: Rehearsal, said: str) -> None:
    assert escalation_of(talk.say(said)).private


@pytest.mark.parametrize("subject", ["Fauteuil roulant", "Interprète LSF"])
def test_below_a_matter_of_health_that_needs_nothing_nobody_is_called(talk: Rehearsal, subject: str) -> None:
    assert talk.say("Merci beaucoup, finalement rien à prévoir. Bonne soirée", subject=subject).outcome.escalations == ()


@pytest.mark.parametrize(
    "said", ["C'est qui, le référent handicap ? J'ai un chien d'assistance", "malentendant. sous-titres possibles ?"]
)
def test_a_need_of_health_that_is_stated_goes_to_its_contact(talk: Rehearsal, said: str) -> None:
    reading = talk.say(said).reading
    assert reading.escalate
    assert reading.private
