"""Where sentences end in a text without punctuation."""

from __future__ import annotations

import pytest

from bot.core import segment
from bot.core.segment import BUCKETS, Segmenter

QUESTIONS = (
    "a quelle heure on commence",
    "est-ce que la salle est accessible",
    "il y a un parking pres du site",
    "je n arrive pas a me connecter",
    "on mange ou le midi",
    "combien ca coute",
    "je suis en retard ce matin",
    "est-ce que je dois venir avec un ordinateur",
)


@pytest.fixture(scope="module")
def known() -> Segmenter:
    return segment.learnt([[said.split()] for said in QUESTIONS * 40])


def test_two_questions_without_a_mark_between_are_told_apart(known: Segmenter) -> None:
    for first in QUESTIONS:
        for second in QUESTIONS:
            said = f"{first} {second}".split()
            if min(len(first.split()), len(second.split())) >= segment.LEAST and first != second:
                assert known.cuts(said) == [len(first.split())], said


def test_one_question_stays_whole_and_so_does_nothing(known: Segmenter) -> None:
    assert all(known.cuts(said.split()) == [] for said in QUESTIONS)
    assert known.cuts([]) == []


def test_sentences_of_an_utterance_count_as_such() -> None:
    pairs = [[first.split(), second.split()] for first in QUESTIONS[:4] for second in QUESTIONS[4:]]
    apart = segment.learnt(pairs * 10)
    assert apart.cuts("a quelle heure on commence on mange ou le midi".split()) == [5]


def test_the_likelier_a_cut_must_be_the_fewer_are_made(known: Segmenter) -> None:
    said = " ".join(QUESTIONS).split()
    counts = [len(known.cuts(said, chance)) for chance in (0.01, 0.5, 0.99)]
    assert counts[0] >= counts[1] >= counts[2]
    assert counts[0] > 0


def test_where_nothing_can_be_told_nothing_is_cut() -> None:
    for utterances in ([], [[[]]], [[["oui"]]]):
        empty = segment.learnt(utterances)
        assert empty.weights.shape == (BUCKETS + 1,)
        assert empty.cuts(["a"] * 30) == []


def test_what_was_learnt_is_the_same_at_every_run(known: Segmenter) -> None:
    again = segment.learnt([[said.split()] for said in QUESTIONS * 40])
    assert again.shared == known.shared
    assert (again.weights == known.weights).all()
