"""Texts spoilt as a thumb spoils them, and mended again."""

from __future__ import annotations

from bot.core.haste import hasty

SAID = "Bonjour,\nÀ quelle heure commence-t-on le matin, s'il vous plaît ?\nMerci d'avance !"


def test_it_is_the_same_at_every_run_keeps_its_lines_and_drops_what_a_hurry_drops() -> None:
    typed = hasty(SAID)
    assert typed == hasty(SAID)
    assert typed.count("\n") == 2
    assert typed == typed.lower()
    assert not set("éèàùâêîôû?!,.") & set(typed)


def test_about_one_letter_in_ten_slips_and_none_without() -> None:
    text = "la formation commence a neuf heures du matin et finit a dix sept heures " * 20
    assert hasty(text, 0.0) == text.strip()
    words, typed = text.split(), hasty(text).split()
    assert len(words) == len(typed)
    spoilt = sum(a != b for a, b in zip(words, typed, strict=True)) / len(words)
    assert 0.2 < spoilt < 0.5
