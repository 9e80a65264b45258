"""How often each French word is used: the list that ships with pyspellchecker (film subtitles), without its rare tail."""

from __future__ import annotations

from functools import cache

RARE = 100  # uses, of 350 million words; below stand forms that nobody types


@cache
def french() -> dict[str, int]:
    """Words with their accents and how often each was used; {} where the list cannot be loaded."""
    import structlog

    try:
        from spellchecker import SpellChecker

        counted = SpellChecker(language="fr").word_frequency.dictionary
    except Exception as error:  # the service must still start: words are then restored by the phrases alone
        structlog.get_logger("library").error("no French word list", error=type(error).__name__)
        return {}
    return {word: count for word, count in counted.items() if count >= RARE}
