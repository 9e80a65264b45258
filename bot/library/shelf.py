"""The knowledge in force, and its replacement when the files change."""

from __future__ import annotations

import contextlib
import ctypes
import os
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any

import structlog

from bot.core.decide import Reader
from bot.core.features import Encode
from bot.core.match import Matcher, digest_of
from bot.core.model import Knowledge
from bot.core.ports import Mind
from bot.core.ridge import BLOCK, Floats, Ridge
from bot.errors import AccueilError
from bot.library.english import Gaps
from bot.library.learnt import FILE, keep_learnt, read_learnt
from bot.library.load import contents_of, digest, loaded
from bot.library.wordlist import word_lists

WHOLE = 1_000_000  # phrases in one block: all of them
KEPT = 4  # knowledge folders, or states of one, of which what was learnt is remembered


def default_cache() -> Path:
    """Where the encoder keeps the vectors of the phrases, shared by all commands of a user."""
    base = os.environ.get("XDG_CACHE_HOME") or ""
    return (Path(base) if Path(base).is_absolute() else Path.home() / ".cache") / "accueil"


def understanding(knowledge: Knowledge, cache: Path | None = None, beside: Path | None = None, *, afresh: bool = False) -> Reader:
    """A reader of the phrases; without an encoder that can be loaded it is lexical alone, and says so.

    beside: the folder of the knowledge, which may hold what was learnt from it. afresh: whatever was learnt
    before, and exactly, in as much memory as that takes (4 bytes for each pair of phrases).
    """
    cache = cache or default_cache()
    encode = _encoder(cache)
    digest = digest_of(knowledge, encoder=encode is not None)
    kept = cache / f"learnt-{digest[:16]}.npz"
    shipped = read_learnt(beside / FILE) if beside and not afresh else None
    known = shipped  # learnt exactly; the cache counts where it is about other phrases
    if not afresh and (shipped is None or shipped.digest != digest):
        known = read_learnt(kept) or shipped
    matcher = Matcher(knowledge, encode, word_lists(), known, WHOLE if afresh else BLOCK, _teller)
    if matcher.learnt is not known:
        with contextlib.suppress(OSError):  # a cache that cannot be written costs time at the next start, nothing else
            keep_learnt(kept, matcher.learnt)
            _tidy(cache)
    return Reader(knowledge, matcher)


def _tidy(cache: Path) -> None:
    """Only what was learnt last is kept."""
    by_age = sorted(cache.glob("learnt-*.npz"), key=lambda file: file.stat().st_mtime)
    for file in by_age[:-KEPT]:
        file.unlink(missing_ok=True)


def _encoder(cache: Path) -> Encode | None:
    try:
        return _opened(cache)
    except Exception as error:  # whatever its wheels do wrong, the service must still start
        _log().error("no sentence encoder: understanding is weaker", error=type(error).__name__, reason=str(error))
        return None


@lru_cache(maxsize=1)
def _opened(cache: Path) -> Encode:
    """One for all that is read anew while the service runs: it knows no knowledge."""
    from bot.library.encoder import Encoder

    return Encoder(cache)


def _teller(model: Ridge) -> Callable[[Floats], Floats]:
    try:
        from bot.library.kernel import teller

        return teller(model)
    except Exception as error:  # then the same is done in NumPy
        _log().warning("scores are found more slowly", error=type(error).__name__, reason=str(error))
        return model.told


def _log() -> Any:
    return structlog.get_logger("library")


def _give_back() -> None:
    """What was freed goes back to the system where the C library can do that: else each reload keeps most of what it took."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)


def _report(gaps: Gaps) -> None:
    """English that is missing stops nothing; the log says where, as ``accueil check`` does."""
    for gap in (*gaps.faults, *gaps.warnings):
        _log().warning("told in French for want of English", where=str(gap))


class Shelf:
    """Implements ``bot.core.ports.Library`` over one folder."""

    def __init__(self, folder: Path, cache: Path | None = None) -> None:
        """Raises KnowledgeError with every fault of the folder."""
        self._folder = folder
        self._cache = cache
        self._mind = self._made()
        self._seen = self._mind.knowledge.digest
        _give_back()

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
        _give_back()
        return True

    def _made(self) -> Mind:
        found = loaded(self._folder)
        knowledge = found.knowledge
        _report(found.gaps)
        reader = understanding(knowledge, self._cache, self._folder)
        reader.matcher.forget()  # a change of the files is learnt from what is kept beside them
        return Mind(knowledge, reader)
