"""Conversations, turn after turn, through the real knowledge and the real matcher; no store, no channel."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from bot.core import chance
from bot.core.decide import Reader
from bot.core.desk import Desk
from bot.core.dialogue import respond, stumbled
from bot.core.escalation import Command, review
from bot.core.lexicon import Floats
from bot.core.model import Dialogue, Escalation, Format, Intent, Knowledge, Message, Outcome, Status
from bot.core.rehearse import START, Rehearsal
from bot.core.situation import Response, Situation
from bot.library.load import load
from bot.library.shelf import understanding

DESK = Desk(
    trainers=("telegram:1", "telegram:2"),
    accessibility=("telegram:3", "email:contact@example.org"),
    context_for=timedelta(minutes=30),
)


@pytest.fixture(scope="module")
def knowledge() -> Knowledge:
    return load(Path(__file__).parents[2] / "knowledge")


@pytest.fixture(scope="module")
def reader(knowledge: Knowledge) -> Reader:
    return understanding(knowledge, beside=Path(__file__).parents[2] / "knowledge")


@pytest.fixture
def talk(knowledge: Knowledge, reader: Reader) -> Rehearsal:
    return Rehearsal(knowledge, reader, desk=DESK)


def told(response: Response, to: str = "telegram:rehearsal") -> str:
    return "\n".join(o.body for o in response.outcome.outgoing if o.to == to)


def escalation_of(response: Response) -> Escalation:
    (found,) = response.outcome.escalations
    return found


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


@pytest.mark.parametrize("question", ["la salle est accessible ?", "et mon attestation ?", "orraire ?"])
def test_one_plain_question_is_answered_and_nobody_is_called_for_it(talk: Rehearsal, question: str) -> None:
    talk.format = Format.INTER
    response = talk.say(question)
    assert response.outcome.escalations == ()
    assert "D'après" in told(response)


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


def test_small_talk_and_other_things_are_not_escalated(talk: Rehearsal) -> None:
    for words in ("bonjour", "merci !", "qui a gagné le match hier ?", "t'es un robot ?", "à bientôt"):
        assert talk.say(words).outcome.end == "answered", words


def test_our_own_fault_is_read_by_a_person_in_confidence(talk: Rehearsal, knowledge: Knowledge, reader: Reader) -> None:
    message = Message("telegram:x", "telegram", "telegram:5", "telegram:5", "un message qui fait tout casser", START)
    outcome = stumbled(message, Situation(knowledge, reader, DESK, START, 7))
    assert outcome.escalations[0].recipients == DESK.accessibility
    assert {o.to for o in outcome.outgoing if o.kind == "notice"} == {"telegram:3"}
    assert any(o.to == "telegram:5" for o in outcome.outgoing)


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


@pytest.mark.parametrize(
    ("said", "label"),
    [
        ("allez, je vous laisse, à la revoyure", "goodbye"),
        ("soyez-en remercié, c'est très aimable", "thanks"),
        ("bonjour", "greeting"),
        ("Bonjour, je tenais à vous remercier pour ces deux jours. Bien à vous, Inès", "thanks"),
    ],
)
def test_a_message_that_asks_nothing_gets_the_courtesy_that_fits(talk: Rehearsal, said: str, label: str) -> None:
    response = talk.say(said)
    assert response.reading is not None
    assert response.reading.labels == (label,)
    assert response.outcome.escalations == ()


def test_a_question_without_a_mark_in_a_message_without_any_is_a_question(reader: Reader) -> None:
    (part,) = reader.read("on attaque a quel moment le matin", None, Dialogue("x")).questions
    assert part.text
    assert reader.matcher.asking.chance("on attaque à quel moment le matin") > reader.matcher.asking.chance("je viens le matin")


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


def test_what_the_bot_can_do_may_be_asked_beside_a_story(talk: Rehearsal) -> None:
    response = talk.say(
        "On m'a donné cette adresse sans m'expliquer à quoi elle servait. Que peut-on vous demander, exactement ?"
    )
    assert response.reading is not None
    assert response.reading.labels == ("help",)
    assert response.outcome.escalations == ()


def test_a_farewell_is_no_question_about_what_was_spoken_of_last(talk: Rehearsal) -> None:
    talk.say("à quelle heure on commence, en présentiel ?")
    parting = talk.say("allez salut, le bip sonne").reading
    assert parting is not None
    assert (parting.topics, parting.labels) == ((), ("goodbye",))


def test_a_demand_that_no_part_of_it_is_sure_of_reaches_a_person(talk: Rehearsal) -> None:
    said = "Deux jours durant, le vidéoprojecteur a projeté du bleu. J'exige le remboursement intégral et je n'en démordrai pas."
    assert escalation_of(talk.say(said))


def test_a_question_that_is_like_nothing_known_reaches_a_person_beside_one_that_is_answered(talk: Rehearsal) -> None:
    response = talk.say("À quelle heure on commence, en présentiel ? Y a-t-il un piano ?")
    assert response.reading is not None
    assert response.reading.topics == ("hours",)
    assert any("piano" in question for question in escalation_of(response).questions)


def test_two_questions_in_one_breath_are_both_answered(talk: Rehearsal) -> None:
    reading = talk.say(
        "salut je voulais savoir a quelle heure on commence le matin est-ce qu il y a un parking pres de la gare"
    ).reading
    assert reading is not None
    assert {"hours", "venue"} <= set(reading.topics)


@pytest.mark.parametrize(
    ("said", "topic"),
    [
        ("Bonjour, c'est à quelle heure lundi et où ?", "hours"),
        ("Bonjour, quelle est l'adresse ? merci d'avance", "venue"),
        ("bonjour à quelle heure on commence et où", "hours"),
        ("Bonjour Monsieur, où est-ce que c'est ? je viens en train, merci d'avance", "venue"),
        ("Hello, when does it start on the first day? Thanks", "hours"),
        ("Good morning, where is it? I come by train, thanks", "venue"),
    ],
)
def test_a_question_is_not_drowned_by_the_greeting_before_it(talk: Rehearsal, said: str, topic: str) -> None:
    reading = talk.say(said).reading
    assert reading is not None
    assert topic in reading.topics


@pytest.mark.parametrize("said", ["Bonjour, je n'arrive pas à me connecter", "bonjour je voudrais annuler mon inscription"])
def test_a_call_is_not_drowned_by_the_greeting_before_it(talk: Rehearsal, said: str) -> None:
    assert escalation_of(talk.say(said))


def test_a_greeting_that_asks_how_one_is_stays_a_greeting(talk: Rehearsal) -> None:
    for said in (
        "salut, ça va ?",
        "Bonjour, comment allez-vous ?",
        "Bonjour à tous",
        "coucou, tu vas bien ?",
        "Bonjour, vous êtes là ?",
        "Bonjour, je m'appelle Léa",
        "Bonjour, je suis la nouvelle stagiaire",
        "salut, y a quelqu'un ?",
    ):
        response = talk.say(said)
        assert response.reading is not None
        assert response.reading.labels == ("greeting",), said


def test_each_view_of_a_part_has_its_word_on_the_message_as_a_whole(reader: Reader) -> None:
    seen = reader.evidence_of("à quelle heure on commence ?")
    assert seen is not None
    column = reader.matcher.ids.index("hours")
    named = dict(zip(chance.TOPIC, chance.topic_readings(seen, reader.kinds, column), strict=True))
    assert named["letters"] + named["meaning"] + named["wording"] == pytest.approx(float(seen.told[0, :, column].sum()), abs=1e-5)
    assert named["letters_most"] >= named["letters"] > 0


def test_a_text_typed_with_care_is_encoded_once_and_seen_nearly_the_same(reader: Reader, monkeypatch: pytest.MonkeyPatch) -> None:
    matcher, encoded = reader.matcher, list[int]()
    encode = matcher._encode
    assert encode is not None

    def counted(texts: Sequence[str]) -> Floats:
        encoded.append(len(texts))
        return encode(texts)

    monkeypatch.setattr(matcher, "_encode", counted)
    read = matcher.speller.read("Bonjour, à quelle heure commence-t-on le premier jour, en présentiel ?")
    (once,), _ = matcher.seen([read])
    (twice,), _ = matcher.seen([replace(read, careful=False)])
    assert (read.careful, encoded) == (True, [1, 2])
    alike = [float(once.features[view] @ twice.features[view]) for view in matcher.learnt.bases.edges]
    assert alike[0] == pytest.approx(1, abs=1e-5)
    assert min(alike[1:]) > 0.9
    (misspelt,), _ = matcher.seen([matcher.speller.read("Bonjour, à qurlle heure commence-t-on ?")])
    assert encoded == [1, 2, 2], misspelt.spelt


def test_two_parts_that_are_one_text_once_cleaned_have_each_their_own_clauses(reader: Reader) -> None:
    said = "mais parking, à quelle heure commence la journée ainsi que le repas du midi ?"
    reading = reader.read(f"{said}\nmerci\n\u2003{said}", None, Dialogue("someone"))
    assert {"hours", "lunch"} <= set(reading.topics)


def test_the_last_questions_of_a_sentence_too_long_to_be_encoded_whole_are_heard(reader: Reader) -> None:
    said = (
        "Je vous écris au nom de toute mon équipe qui a été inscrite par notre direction régionale au mois de septembre dernier"
        " sans que personne ne nous ait vraiment expliqué comment les choses allaient se passer concrètement pendant les deux"
        " jours prévus à Lyon dans vos locaux (nous avons seulement reçu une convocation très courte), y a-t-il un parking près"
        " de la salle, le repas du midi est compris ?"
    )
    assert {"venue", "lunch"} <= set(reader.read(said, None, Dialogue("someone")).topics)


@pytest.mark.parametrize(
    ("said", "topics"),
    [
        ("Pourriez-vous m'indiquer l'adresse de la salle ainsi que les horaires de la première journée ?", {"venue", "hours"}),
        ("Auriez-vous le prix de l'intra ainsi que le nombre de participants ?", {"price", "group-size"}),
        ("J'aurais voulu savoir les horaires, le lieu exact ainsi que la durée des pauses ?", {"hours", "venue", "breaks"}),
        ("Pouvez-vous me préciser la durée de la formation ainsi que le matériel à apporter ?", {"duration", "equipment"}),
    ],
)
def test_the_clauses_of_one_question_are_each_heard_by_themselves(reader: Reader, said: str, topics: set[str]) -> None:
    assert set(reader.read(said, None, Dialogue("someone")).topics) == topics


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
    "said", ["MON MOT DE PASSE NE FONCTIONNE PLUS", "🙏🙏 ma facture comporte une erreur, merci de la corriger 🙏😊"]
)
def test_capitals_and_emoji_talk_no_call_away(talk: Rehearsal, said: str) -> None:
    assert talk.say(said).outcome.escalations


@pytest.mark.parametrize(
    "said", ["je fatigue très vite, puis-je m'absenter vingt minutes chaque heure ?", "je souffre d'hyperacousie"]
)
def test_what_may_be_a_matter_of_health_is_private_without_being_named(talk: Rehearsal, said: str) -> None:
    assert escalation_of(talk.say(said)).private


def test_a_letter_of_thanks_is_not_answered_about_its_subject(talk: Rehearsal) -> None:
    said = "Bonjour, je vous remercie pour ces deux journées passionnantes, toute l'équipe en parle encore. Bien à vous, Inès"
    thanked = talk.say(said, subject="attestation").reading
    assert thanked is not None
    assert thanked.topics == ()
    asked = talk.say("Bonjour, voir l'objet. Bien à vous, Inès", subject="Où se trouve la salle ?").reading
    assert asked is not None
    assert asked.topics == ("venue",)


def test_beside_a_call_that_may_be_none_no_policy_is_told(talk: Rehearsal, monkeypatch: pytest.MonkeyPatch) -> None:
    found = {}
    for need in (0.5, 0.9):
        monkeypatch.setattr(chance, "need", lambda *_, need=need: need)
        found[need] = talk.reader.read("mon mot de passe ne marche pas", None, Dialogue("x"))
    assert all(reading.escalate for reading in found.values())
    assert (found[0.5].topics, found[0.9].topics) == ((), ("platform",))


@pytest.mark.parametrize(
    ("subject", "topic"),
    [
        ("Je suis malentendante, besoin d'un aménagement", None),
        ("Annulation de mon inscription", None),
        ("URGENT : bloquée devant la porte", None),
        ("Impossible de me connecter à Moodle", None),
        ("Où se trouve la salle ?", "venue"),
        ("À quelle heure commence la formation ?", "hours"),
    ],
)
@pytest.mark.parametrize(
    "body",
    [
        "Bonjour, je vous remercie par avance de votre réponse et vous souhaite une excellente journée. Cordialement, Inès",
        "Bonjour, tout est dans l'objet du mail. Merci à vous, bonne journée à toute l'équipe, Inès",
    ],
)
def test_a_call_in_the_subject_is_seen_below_any_formula(talk: Rehearsal, subject: str, topic: str | None, body: str) -> None:
    response = talk.say(body, subject=subject)
    assert response.reading is not None
    if topic is None:
        assert response.outcome.escalations
    else:
        assert topic in response.reading.topics


@pytest.mark.parametrize(
    "said",
    [
        "je dois decaler a lundi",
        "je prefere passer a jeudi",
        "ma femme accouche, à une autre fois",
        "mon train arrive a plus de 10h",
        "je suis hospitalisé jusqu'a jeudi",
        "tu sais faire quoi je suis perdu et j'ai besoin d'aide pour mon dossier",
    ],
)
def test_words_of_a_farewell_or_a_question_about_the_bot_talk_no_call_away(talk: Rehearsal, said: str) -> None:
    assert talk.say(said).outcome.escalations


def test_what_no_sheet_answers_is_named_once(talk: Rehearsal) -> None:
    response = talk.say("où est la salle ? je peux venir avec mon chien ?")
    assert response.reading is not None
    assert response.reading.topics == ("venue",)
    assert len(response.reading.unanswered) == 1


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


@pytest.mark.parametrize("subject", ["Fauteuil roulant", "Interprète LSF"])
def test_below_a_matter_of_health_that_needs_nothing_nobody_is_called(talk: Rehearsal, subject: str) -> None:
    assert talk.say("Merci beaucoup, finalement rien à prévoir. Bonne soirée", subject=subject).outcome.escalations == ()


def test_a_follow_up_with_a_weekday_is_no_farewell(talk: Rehearsal) -> None:
    talk.say("je n'arrive pas à me connecter")
    assert talk.say("de lundi à jeudi").outcome.end == "escalated"


@pytest.mark.parametrize(
    ("said", "topics", "calls"),
    [
        ("Bonjour, c'est à quelle heure lundi et où ?", {"hours", "venue"}, False),
        ("pauses et repas ?", {"breaks", "lunch"}, False),
        ("À quelle heure finit la seconde journée, et auriez-vous un hôtel à me conseiller ?", {"hours"}, True),
        ("Accueillez-vous des personnes handicapées, et qui est le référent ?", {"accessibility"}, False),
        ("Le déjeuner est-il compris ? Et y a-t-il un micro-ondes ?", {"lunch"}, True),
        ("finalement je ne peux pas venir, c'est Karine qui vient à ma place. elle doit apporter quoi ?", {"equipment"}, True),
        ("hello jveux changer mon adresse mail", set(), True),
    ],
)
def test_two_things_in_one_breath_are_both_heard(talk: Rehearsal, said: str, topics: set[str], calls: bool) -> None:
    reading = talk.say(said).reading
    assert set(reading.topics) == topics
    assert reading.escalate == calls


@pytest.mark.parametrize(
    "said", ["C'est qui, le référent handicap ? J'ai un chien d'assistance", "malentendant. sous-titres possibles ?"]
)
def test_a_need_of_health_that_is_stated_goes_to_its_contact(talk: Rehearsal, said: str) -> None:
    reading = talk.say(said).reading
    assert reading.escalate
    assert reading.private


def test_a_reaction_to_an_answer_asks_for_nothing_once_more(talk: Rehearsal) -> None:
    talk.say("il faut apporter quoi ?")
    reading = talk.say("ah ok, logique 😂").reading
    assert reading.labels == ("thanks",)
    assert not reading.follow_up
