"""A text by its letters: hashed n-grams, weighed by how rare they are. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import pairwise
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Row = tuple[NDArray[np.int16], Floats]  # the buckets that a text touches, and with which weight; of length 1

BUCKETS = 4096
LONGEST = 32  # letters of a word that is kept: what is longer comes only once, and is large


def _features(text: str) -> list[int]:
    """Hashed word and character n-grams (2 to 5, within words); crc32, because hash() differs from run to run."""
    tokens = text.split()
    found = [code for token in tokens for code in (_within if len(token) <= LONGEST else _within.__wrapped__)(token)]
    return found + [crc32(f"b{a}_{b}".encode()) for a, b in pairwise(tokens)]


@lru_cache(maxsize=4096)  # most words of a message were said before
def _within(token: str) -> tuple[int, ...]:
    padded = f" {token} "
    grams = [padded[i : i + n] for n in (2, 3, 4, 5) for i in range(len(padded) - n + 1)]
    return tuple(crc32(gram.encode()) for gram in (*grams, "w" + token))


class Lexicon:
    """TF-IDF of hashed n-grams. A text touches some hundred of the buckets, so it is kept as those alone."""

    def __init__(self, weights: Floats) -> None:
        """weights: of each bucket, as ``learnt`` finds them."""
        self.weights = weights

    @staticmethod
    def learnt(texts: Iterable[str]) -> tuple[Lexicon, list[Row]]:
        """What texts tell of the weights, and the texts' own rows."""
        counted = [_counted(text) for text in texts]
        seen = np.bincount(np.concatenate([buckets for buckets, _ in counted] or [np.zeros(0, np.int16)]), minlength=BUCKETS)
        lexicon = Lexicon(np.log((1 + len(counted)) / (1 + seen)).astype(np.float32) + 1)
        return lexicon, [lexicon._weighed(row) for row in counted]

    def row(self, text: str) -> Row:
        return self._weighed(_counted(text))

    def _weighed(self, row: Row) -> Row:
        buckets, values = row
        values = values * self.weights[buckets]
        return buckets, (values / max(float(np.linalg.norm(values)), 1e-6)).astype(np.float32)


def dense(rows: Sequence[Row]) -> Floats:
    """Rows written out, one column a bucket."""
    found = np.zeros((len(rows), BUCKETS), np.float32)
    for full, (buckets, values) in zip(found, rows, strict=True):
        full[buckets] = values
    return found


def projected(rows: Sequence[Row], basis: Floats) -> Floats:
    """Rows in a basis of fewer dimensions, without writing them out."""
    found = np.empty((len(rows), basis.shape[1]), np.float32)
    for short, (buckets, values) in zip(found, rows, strict=True):
        short[:] = values @ basis[buckets]
    return found


def alike(one: Row, other: Row) -> float:
    """Cosine of two texts."""
    return float(dense([one])[0] @ dense([other])[0])


def _counted(text: str) -> Row:
    """The buckets that a text touches, and how often, with signs and damped."""
    codes = np.asarray(_features(text) or [0], np.uint32)
    signs = np.where(codes & 0x80000000, -1.0, 1.0)
    counts = np.bincount((codes % BUCKETS).astype(np.int64), weights=signs, minlength=1)
    held = np.flatnonzero(counts)
    values = counts[held]
    return held.astype(np.int16), (np.sign(values) * np.log1p(np.abs(values))).astype(np.float32)
