import pytest

from bot.core.spell import Speller
from bot.core.text import clean, parts, plain


def test_invisible_and_control_characters_are_dropped():
    assert clean("a\u202eb\x00c\u200bd\ud800") == "abcd"


def test_plain_drops_accents_and_capitals():
    assert plain("Où est l’Œuvre ?") == "ou est l'oeuvre ?"


def test_a_message_is_cut_where_its_questions_join():
    assert parts("à quelle heure on commence et où on mange ? et le parking") == [
        "à quelle heure on commence",
        "où on mange ?",
        "et le parking",
    ]


@pytest.mark.parametrize("text", ["c'est à quelle heure et où ?", "c'est à quelle heure, et ou ?", "c'est à quelle heure et ou"])
def test_where_is_a_question_even_without_its_accent(text):
    assert parts(text) == ["c'est à quelle heure", "où ?"]


@pytest.mark.parametrize("text", ["lundi\nou\nmardi", "lundi ou mardi"])
def test_or_is_none(text):
    assert "où ?" not in parts(text)


def test_a_thumb_typo_is_restored_to_the_word_of_the_knowledge():
    speller = Speller(["les horaires du matin", "quels horaires"], {"cb": "combien"}, {})
    assert speller.restore("orraires cb") == "horaires combien"


def test_a_short_unknown_word_is_left_alone():
    assert Speller(["pause pause"], {}, {}).restore("zut") == "zut"
