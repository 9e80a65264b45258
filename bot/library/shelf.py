"""The knowledge in force, and its replacement when the files change."""

from __future__ import annotations

import os
from pathlib import Path

from bot.core.decide import Reader
from bot.core.match import Encode, Matcher
from bot.core.model import Knowledge
from bot.core.ports import Mind
from bot.errors import AccueilError
from bot.library.english import Gaps
from bot.library.load import contents_of, digest, loaded
from bot.library.wordlist import french


def default_cache() -> Path:
    """Where the encoder keeps the vectors of the phrases, shared by all commands of a user."""
    base = os.environ.get("XDG_CACHE_HOME") or ""
    return (Path(base) if Path(base).is_absolute() else Path.home() / ".cache") / "accueil"


def understanding(knowledge: Knowledge, cache: Path | None = None) -> Reader:
    """A reader trained on the phrases; without an encoder that can be loaded it is lexical alone, and says so."""
    return Reader(knowledge, Matcher(knowledge, _encoder(cache or default_cache()), french()))


def _encoder(cache: Path) -> Encode | None:
    import structlog

    from bot.library.encoder import Encoder

    try:
        return Encoder(cache)
    except Exception as error:  # whatever its wheel does wrong, the service must still start
        structlog.get_logger("library").error("no sentence encoder: understanding is weaker", error=type(error).__name__)
        return None


def _report(gaps: Gaps) -> None:
    """English that is missing stops nothing; the log says where, as ``accueil check`` does."""
    import structlog

    for gap in (*gaps.faults, *gaps.warnings):
        structlog.get_logger("library").warning("told in French for want of English", where=str(gap))


class Shelf:
    """Implements ``bot.core.ports.Library`` over one folder."""

    def __init__(self, folder: Path, cache: Path | None = None) -> None:
        """Raises KnowledgeError with every fault of the folder."""
        self._folder = folder
        self._cache = cache
        self._mind = self._made()
        self._seen = self._mind.knowledge.digest

    @property
    def mind(self) -> Mind:
        return self._mind

    def refresh(self) -> AccueilError | bool:
        try:
            now = digest(contents_of(self._folder))
        except AccueilError as error:
            told, self._seen = self._seen == "unreadable", "unreadable"
            return False if told else error
        if now == self._seen:
            return False
        self._seen = now  # looked at once, whether sound or not
        if now == self._mind.knowledge.digest:
            return True  # put back as it was
        try:
            self._mind = self._made()
        except AccueilError as error:
            return error
        return True

    def _made(self) -> Mind:
        found = loaded(self._folder)
        knowledge = found.knowledge
        _report(found.gaps)
        return Mind(knowledge, understanding(knowledge, self._cache).read)
