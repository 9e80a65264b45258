"""Texts to the numbers of their pieces: the likeliest path through a unigram model (Kudo 2018), as SentencePiece has it."""

from __future__ import annotations

import unicodedata
from functools import lru_cache

import numpy as np

from bot.library.encoder.weights import Vocabulary

LONGEST = 64  # tokens of a text that are read
LONGEST_WORD = 64  # letters of a word that are read
LONGEST_PIECE = 16  # letters
SPACE = "\u2581"  # what stands for a blank in a piece
_UNLIKELY = 10.0  # how much less likely than any piece a letter is that no piece holds


class Tokenizer:
    """Safe to share between threads. The pieces are kept by their hashes: as words they would take ten times the memory."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        self._begin, self._end, self._unknown = vocabulary.begin, vocabulary.end, vocabulary.unknown
        hashes = np.fromiter(map(hash, vocabulary.pieces), np.int64, len(vocabulary.pieces))
        # marks of the model's own, as "</s>", are no words, whoever writes them
        words = np.array([n for n, piece in enumerate(vocabulary.pieces) if not (piece[:1] == b"<" and piece[-1:] == b">")])
        self._ids = words[np.argsort(hashes[words])]
        self._hashes, self._scores = hashes[self._ids], vocabulary.scores[self._ids]
        self._split = lru_cache(maxsize=10_000)(self._likeliest)
        self._miss = float(vocabulary.scores.min()) - _UNLIKELY

    def ids(self, text: str) -> list[int]:
        """At most LONGEST of them, the marks of begin and end included."""
        found = list[int]()
        for word in unicodedata.normalize("NFKC", text).split():
            if len(found) >= LONGEST - 2:
                break
            found += self._split(SPACE + word[:LONGEST_WORD])
        return [self._begin, *(found[: LONGEST - 2] or [self._unknown]), self._end]

    def _likeliest(self, word: str) -> tuple[int, ...]:
        count = len(word)
        spans = [(a, b) for a in range(count) for b in range(a + 1, min(count, a + LONGEST_PIECE) + 1)]
        # of their bytes: two texts, "cb" and "扣", may have one hash. What is no piece has a piece's once in some 10¹² words
        hashes = np.fromiter((hash(word[a:b].encode("utf-8", "replace")) for a, b in spans), np.int64, len(spans))
        at = np.minimum(np.searchsorted(self._hashes, hashes), len(self._hashes) - 1)
        known = (self._hashes[at] == hashes).tolist()
        scores, ids = self._scores[at].tolist(), self._ids[at].tolist()
        best, came = [0.0] + [-np.inf] * count, [(0, self._unknown)] * (count + 1)
        for n, (start, stop) in enumerate(spans):
            if known[n]:
                score, id = scores[n], ids[n]
            elif stop == start + 1:
                score, id = self._miss, self._unknown
            else:
                continue
            if best[start] + score > best[stop]:
                best[stop], came[stop] = best[start] + score, (start, id)
        found, at_end = list[int](), count
        while at_end:
            at_end, id = came[at_end]
            found.append(id)
        return tuple(reversed(found))
