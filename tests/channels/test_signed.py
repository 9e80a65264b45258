"""Button codes: only ours open, and only for the person whom they were made for."""

from __future__ import annotations

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from bot.channels.signed import LENGTH, LIMIT, opened, sign

SECRET, OTHER = b"s" * 32, b"t" * 32
CODES = st.text(st.characters(codec="ascii", categories=["L", "N", "P"]), max_size=LIMIT - LENGTH)
PEOPLE = st.integers(1, 10**15).map(lambda n: f"telegram:{n}")
WHATEVER = st.text(max_size=120)


@given(PEOPLE, CODES)
def test_what_was_signed_opens_for_its_owner_and_fits_into_a_button(owner: str, code: str) -> None:
    data = sign(SECRET, owner, code)
    assert len(data.encode()) <= LIMIT
    assert opened(SECRET, owner, data) == code


@given(PEOPLE, PEOPLE, CODES)
def test_it_opens_for_nobody_else_and_under_no_other_secret(owner: str, other: str, code: str) -> None:
    data = sign(SECRET, owner, code)
    assert opened(OTHER, owner, data) is None
    if other != owner:
        assert opened(SECRET, other, data) is None


@settings(max_examples=500)
@given(PEOPLE, CODES, st.integers(0, LIMIT), st.characters())
def test_a_changed_character_makes_it_worthless(owner: str, code: str, at: int, character: str) -> None:
    data = sign(SECRET, owner, code)
    at %= len(data)
    forged = data[:at] + character + data[at + 1 :]
    assume(forged != data)
    assert opened(SECRET, owner, forged) is None


@settings(max_examples=500)
@given(st.one_of(PEOPLE, WHATEVER), st.one_of(WHATEVER, st.text(st.characters(categories=["Cs", "Cc"]), max_size=20)))
def test_whatever_comes_in_never_raises_and_never_opens(owner: str, data: str) -> None:
    assert opened(SECRET, owner, data) is None


@given(PEOPLE, PEOPLE, CODES, CODES)
def test_the_border_between_owner_and_code_cannot_be_moved(owner: str, other: str, code: str, rest: str) -> None:
    """owner + code is signed as two things, not as one text."""
    data = sign(SECRET, owner, code)
    assert opened(SECRET, f"{owner}\0{code[:1]}", data[:LENGTH] + code[1:]) is None or not code


@given(PEOPLE, st.text(min_size=LIMIT, max_size=200))
def test_a_code_that_does_not_fit_is_refused_when_it_is_made(owner: str, code: str) -> None:
    with pytest.raises(ValueError, match="too long"):
        sign(SECRET, owner, code)
