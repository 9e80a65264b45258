from bot.core.compose import split, typography


def test_french_typography_sets_non_breaking_spaces():
    assert typography("de 9h30 à 17 h : « 1 900 € » ?") == (
        "de 9\u00a0h\u00a030 à 17\u00a0h\u00a0: «\u00a01\u00a0900\u00a0€\u00a0»\u00a0?"
    )


def test_a_long_text_is_split_below_the_limit_and_nothing_is_lost():
    text = "\n\n".join(f"Paragraphe {n} 😀 avec quelques mots." for n in range(300))
    pieces = split(text, 500)
    assert all(len(p.encode("utf-16-le")) // 2 <= 500 for p in pieces)
    assert "".join("".join(pieces).split()) == "".join(text.split())
