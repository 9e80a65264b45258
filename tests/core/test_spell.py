"""Misspelt words restored, and sentences found without punctuation; with words and phrases of the tests' own."""

from __future__ import annotations

import pytest

from bot.core.spell import Speller, WordLists

PHRASES = [
    "à quelle heure on commence",
    "on finit à quelle heure",
    "quels sont les horaires du matin",
    "les horaires du soir",
    "est-ce que la salle est accessible",
    "où est la salle",
    "c'est combien le repas",
]
LANGUAGE = {
    "fille": 5000,
    "ville": 9000,
    "heure": 9000,
    "matin": 8000,
    "salle": 4000,
    "commence": 3000,
    "est": 90000,
    "le": 99999,
}
SHORT = {"cb": "combien", "c": "c'est"}


@pytest.fixture
def speller() -> Speller:
    return Speller(PHRASES, SHORT, {}, WordLists(LANGUAGE))


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("a quelle jeure on comence", "à quelle heure on commence"),  # hit beside, letter lost
        ("les hroaires du amtin", "les horaires du matin"),  # swapped
        ("ou est la ssalle", "où est la salle"),  # doubled
        ("cb le repas", "combien le repas"),
        ("ma fille", "ma fille"),  # a word of the language is left alone, however near another
    ],
)
def test_a_slip_of_the_thumb_is_read_as_it_was_meant(speller: Speller, typed: str, meant: str) -> None:
    assert speller.restore(typed) == meant


def test_among_many_phrases_a_slip_that_stands_in_one_or_two_is_no_word() -> None:
    written = ["c'est quoi les horraires", "horraires du matin", *["je loge au gîte"] * 5]
    few = Speller([*PHRASES, *written], SHORT, {}, WordLists(LANGUAGE))
    many = Speller([*PHRASES * 2000, *written], SHORT, {}, WordLists(LANGUAGE))
    assert few.restore("les horraires du soir") == "les horraires du soir"
    assert many.restore("les horraires du soir") == "les horaires du soir"
    assert many.restore("un gîte") == "un gîte"  # often enough to be one, whatever the language's list knows


def test_names_rare_words_and_inverted_verbs_are_no_slips(speller: Speller) -> None:
    listed = Speller(PHRASES, SHORT, {}, WordLists({**LANGUAGE, "rend": 500, "on": 9000}, frozenset({"salpe"})))
    assert speller.restore("la saale, la salpe du soir") == "la salle la salle du soir"
    assert listed.restore("la Saale, la salpe du soir") == "la saale la salpe du soir"
    assert listed.restore("rend-on la salle") == "rend-on la salle"


def test_the_words_of_a_text_in_english_are_no_slips() -> None:
    lists = WordLists(LANGUAGE, english=lambda: frozenset("am is the where sale of i here".split()))
    speller = Speller(PHRASES, {**SHORT, "am": "après-midi"}, {}, lists)
    # "sale" is one slip from "salle", and "am" an abbreviation in French alone
    assert speller.restore("where is the sale of the matinn, I am here") == "where is the sale of the matin i am here"
    assert speller.restore("la salle est où, am") == "la salle est où après-midi"


def test_h_is_an_hour_behind_quelle_and_a_mark_behind_a_figure(speller: Speller) -> None:
    assert speller.restore("à quelle h on commence") == "à quelle heure on commence"
    assert speller.restore("18 h") == "18 h"


def test_two_slips_are_restored_in_a_noisy_text_and_in_a_clean_one_may_be_a_name(speller: Speller) -> None:
    assert speller.restore("qeulle ehure on cmomenece") == "quelle heure on commence"
    assert speller.restore("où est mtaii") == "où est mtaii"


def test_three_slips_are_restored_in_a_long_word_of_a_noisy_text_alone() -> None:
    words = Speller(
        ["les participants de la formation"] * 9, {}, {}, WordLists(frequent={"participants": 50, "les": 900, "de": 900})
    )
    assert words.restore("lse artcippants d la fromation").split()[1] == "participants"
    assert words.restore("les artcippants de la formation").split()[1] == "artcippants", "may be a name"


def test_a_text_is_mended_where_it_is_misspelt_and_stays_as_it_was_typed_elsewhere(speller: Speller) -> None:
    assert speller.read("À qurlle heure, SVP ?").mended == "À quelle heure, SVP ?"
    assert speller.read("Où est mtaii ?").mended == "Où est mtaii ?"
    assert speller.read("C'est à 10½ km, Mme ?").mended == "C'est à 10½ km, Mme ?", "words that are counted otherwise"


@pytest.mark.parametrize(
    ("typed", "careful"),
    [
        ("À quelle heure ?", True),
        ("À qurlle heure ?", False),
        ("À QUELLE HEURE ?", False),
        ("À quelle heure ??", False),
        ("🙂", False),
    ],
)
def test_a_text_is_careful_where_it_looks_as_phrases_are_written(speller: Speller, typed: str, careful: bool) -> None:
    assert speller.read(typed).careful is careful


def test_figures_and_words_that_nobody_knows_stay(speller: Speller) -> None:
    assert speller.restore("18h30 xylophonzz") == "18h30 xylophonzz"


def test_an_elision_is_no_abbreviation(speller: Speller) -> None:
    assert speller.restore("c'est combien") == "c est combien"
    assert speller.restore("c combien") == "c'est combien"


def test_an_endless_message_is_read_in_bounded_steps(speller: Speller) -> None:
    assert len(speller.restore("zzqx " * 5000).split()) <= 1300
