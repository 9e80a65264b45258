"""Whether a text asks, without its question mark; with phrases of the tests' own."""

from __future__ import annotations

import pytest

from bot.core.asking import Asking, learnt, small_words

ASKED = [
    "à quelle heure on commence",
    "où est la salle",
    "c'est combien le repas",
    "on peut se garer où",
    "faut-il une webcam",
    "y a-t-il une pause",
    "quel est le prix",
    "combien de temps ça dure",
]
TOLD = [
    "je suis cheffe d'équipe",
    "mon collègue vient aussi",
    "je vous écris de la part du service",
    "nous sommes douze",
    "j'ai bien reçu la convocation",
    "c'est ma première formation",
    "je serai dans le train",
    "merci de votre réponse",
]


@pytest.fixture(scope="module")
def asking() -> Asking:
    small = small_words({"asked": ASKED, "told": TOLD, "more": [*ASKED, *TOLD]})
    return learnt([*((text, True, 1.0) for text in ASKED), *((text, False, 1.0) for text in TOLD)] * 5, small)


@pytest.mark.parametrize("text", ["où est le parking", "combien coûte la chambre", "peut-on se garer"])
def test_what_asks_is_known_by_its_small_words_whatever_it_is_about(asking: Asking, text: str) -> None:
    assert asking.chance(text) > 0.5


@pytest.mark.parametrize("text", ["je suis infirmière", "mon chef vient aussi", "nous sommes trente"])
def test_what_tells_does_not_ask(asking: Asking, text: str) -> None:
    assert asking.chance(text) < 0.5


def test_small_words_are_those_of_many_classes() -> None:
    small = small_words({"hours": ["à quelle heure", "à midi"], "venue": ["à quelle adresse"], "price": ["quelle somme"]})
    assert small == {"à", "quelle"} or small == {"a", "quelle"}


def test_phrases_of_one_kind_alone_tell_nothing() -> None:
    assert learnt([(text, True, 1.0) for text in ASKED], frozenset({"est"})).chance("où est la salle") == 0.5
