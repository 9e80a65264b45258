"""The normaliser over whatever people, machines and attackers may write."""

from __future__ import annotations

import json
import re

from hypothesis import example, given, settings
from hypothesis import strategies as st

from bot.core.text import MAX_CHARS, clean, fragments, is_list, parts, plain

# everything that a JSON text can hold, lone surrogates included, and what text programs trip over
HOSTILE = st.text(
    st.one_of(
        st.characters(),
        st.characters(categories=["Cs", "Cc", "Cf", "Mn", "Zs", "Zl", "Zp"]),
        st.sampled_from("’' \u00a0\u202f\u200b\u202e\ufeff\x00\r\n\t.,;:!?-–•*()/œæÉéßİ\ud800\udfff"),
    ),
    max_size=200,
)
SPOKEN = st.lists(
    st.sampled_from(
        [
            "et",
            "puis",
            "est-ce que",
            "l'heure",
            "virgule",
            "point d'interrogation",
            "?",
            "...",
            " - ",
            "\n",
            ",",
            "à distance",
            "C’est",
        ]
    ),
    max_size=60,
).map(" ".join)
TEXTS = st.one_of(HOSTILE, SPOKEN)
INVISIBLE = re.compile("[\x00-\x08\x0b-\x1f\x7f\u200b-\u200f\u202a-\u202e\u2066-\u2069\ufeff\ud800-\udfff]")


@settings(max_examples=300, deadline=None)
@given(TEXTS)
@example("\ud800")
@example("a\u202eb\x00c")
def test_cleaned_text_can_be_stored_shown_and_sent_anywhere(text: str) -> None:
    found = clean(text)
    found.encode("utf-8")
    json.loads(json.dumps(found))
    assert not INVISIBLE.search(found)
    assert found == found.strip()


@settings(max_examples=300, deadline=None)
@given(TEXTS)
@example("\ud801\u0327\u0301")
@example("\u00b4")  # a lone accent
@example("\U0001d4d0")  # a script capital
@example("\u0130\u2100")
def test_cleaning_and_normalising_twice_changes_nothing_more(text: str) -> None:
    assert clean(clean(text)) == clean(text)
    assert plain(plain(text)) == plain(text)


@settings(max_examples=300, deadline=None)
@given(TEXTS)
def test_the_normal_form_is_lower_case_and_has_single_blanks(text: str) -> None:
    found = plain(text)
    assert found == found.lower()
    assert not re.search(r"\s\s", found)


@settings(max_examples=300, deadline=None)
@given(TEXTS, TEXTS)
def test_parts_hold_only_what_was_said_and_never_nothing(text: str, more: str) -> None:
    whole = f"{text} et {more}"
    letters = set(plain(whole))
    for piece in parts(whole):
        assert piece.strip()
        assert len(piece) <= MAX_CHARS + 20
        assert set(plain(piece)) <= letters | set("?,. ")


@settings(max_examples=200, deadline=None)
@given(TEXTS)
def test_a_part_falls_into_no_clauses_or_into_several(text: str) -> None:
    found = fragments(text)
    assert found == [] or 1 < len(found) <= 6
    assert isinstance(is_list(text), bool)


@settings(max_examples=20, deadline=1000)
@given(st.sampled_from(["a ", "et ", "?", "l'", "-", ". ", "(", ",", "\n", "’", "0:", "point "]), st.integers(3000, 20000))
def test_a_long_text_takes_no_more_than_a_moment(unit: str, times: int) -> None:
    parts(unit * times)
    plain(unit * times)
