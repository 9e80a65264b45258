"""What single messages are taken for, through the real knowledge and the real matcher; no store, no channel."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from bot.core import chance
from bot.core.decide import Reader
from bot.core.lexicon import Floats
from bot.core.model import Dialogue, Format
from bot.core.rehearse import Rehearsal
from tests.core.talks import escalation_of, told


@pytest.mark.parametrize("question", ["la salle est accessible ?", "et mon attestation ?", "orraire ?"])
def test_one_plain_question_is_answered_and_nobody_is_called_for_it(talk: Rehearsal, question: str) -> None:
    talk.format = Format.INTER
    response = talk.say(question)
    assert response.outcome.escalations == ()
    assert "D'après" in told(response)


def test_small_talk_and_other_things_are_not_escalated(talk: Rehearsal) -> None:
    for words in ("bonjour", "merci !", "qui a gagné le match hier ?", "t'es un robot ?", "à bientôt"):
        assert talk.say(words).outcome.end == "answered", words


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


def test_what_the_bot_can_do_may_be_asked_beside_a_story(talk: Rehearsal) -> None:
    response = talk.say(
        "On m'a donné cette adresse sans m'expliquer à quoi elle servait. Que peut-on vous demander, exactement ?"
    )
    assert response.reading is not None
    assert response.reading.labels == ("help",)
    assert response.outcome.escalations == ()


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
    "said", ["MON MOT DE PASSE NE FONCTIONNE PLUS", "🙏🙏 ma facture comporte une erreur, merci de la corriger 🙏😊"]
)
def test_capitals_and_emoji_talk_no_call_away(talk: Rehearsal, said: str) -> None:
    assert talk.say(said).outcome.escalations


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
