"""Which words French and English have, and how often each French one is used: the lists that ship with pyspellchecker."""

from __future__ import annotations

import unicodedata
from array import array
from bisect import bisect_left
from collections.abc import Iterable
from functools import cache
from zlib import crc32

from bot.core.spell import WordLists

RARE = 100  # uses, of 350 million words in film subtitles; below stand forms that nobody means by a slip
ENGLISH = 1000  # uses, of 1.6 billion words


@cache
def word_lists() -> WordLists:
    """Both languages; empty ones where a list cannot be loaded."""
    counted = _counted("fr")
    frequent = {word: count for word, count in counted.items() if count >= RARE}
    rare = Hashed(_plain(word for word, count in counted.items() if count < RARE))
    return WordLists(frequent, rare, _english)


class Hashed:
    """Very many words, in four bytes each instead of a hundred: one in forty thousand others is taken for one of them."""

    def __init__(self, words: Iterable[str]) -> None:
        self._codes = array("I", sorted(set(map(crc32, filter(None, "\n".join(words).encode().split(b"\n"))))))

    def __contains__(self, word: object) -> bool:
        code = crc32(str(word).encode("utf-8", "replace"))
        at = bisect_left(self._codes, code)
        return at < len(self._codes) and self._codes[at] == code


@cache
def _english() -> frozenset[str]:
    return frozenset(word for word, count in _counted("en").items() if count >= ENGLISH)


def _counted(language: str) -> dict[str, int]:
    import structlog

    try:
        from spellchecker import SpellChecker

        counted: dict[str, int] = SpellChecker(language=language).word_frequency.dictionary
    except Exception as error:  # the service must still start: words are then restored by the phrases alone
        structlog.get_logger("library").error("no word list", language=language, error=type(error).__name__)
        return {}
    return counted


# text.plain for the letters of French, in a tenth of the time
_LETTERS = "àâäçèéêëîïôöùûüÿñ"
_PLAIN = {c: unicodedata.normalize("NFD", c)[0] for c in _LETTERS} | {"œ": "oe", "æ": "ae", "’": "'"}


def _plain(words: Iterable[str]) -> list[str]:
    text = "\n".join(words)
    for letter, base in _PLAIN.items():
        text = text.replace(letter, base)
    return text.split("\n")
