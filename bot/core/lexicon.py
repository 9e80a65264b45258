"""Likeness of texts by their letters: hashed n-grams, weighed by how rare they are. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

BUCKETS = 4096


def _features(text: str) -> list[int]:
    """Hashed word and character n-grams (2 to 5, within words); crc32, because hash() differs from run to run."""
    found = []
    tokens = text.split()
    for token in tokens:
        padded = f" {token} "
        for n in (2, 3, 4, 5):
            found += [padded[i : i + n] for i in range(len(padded) - n + 1)]
        found.append("w" + token)
    found += [f"b{a}_{b}" for a, b in pairwise(tokens)]
    return [crc32(f.encode()) for f in found]


class Lexicon:
    """TF-IDF of hashed n-grams, kept as postings: a text touches some hundred of the 4,096 buckets."""

    def __init__(self, texts: Sequence[str], kept: Sequence[int] | NDArray[np.intp] | None = None) -> None:
        """kept: numbers of the texts that others are compared with; all of them unless told."""
        rows = [_counted(text) for text in texts]
        seen = np.bincount(np.concatenate([buckets for buckets, _ in rows] or [np.zeros(0, np.int16)]), minlength=BUCKETS)
        self._weights = np.log((1 + len(texts)) / (1 + seen)).astype(np.float32) + 1
        self._rows = [self._weighed(row) for row in rows]
        mine = self._rows if kept is None else [self._rows[n] for n in kept]
        whose = np.repeat(np.arange(len(mine), dtype=np.int32), [len(buckets) for buckets, _ in mine])
        where = np.concatenate([buckets for buckets, _ in mine] or [np.zeros(0, np.int16)])
        order = np.argsort(where, kind="stable")
        self._kept = len(mine)
        self._whose = whose[order]
        self._values = np.concatenate([values for _, values in mine] or [np.zeros(0, np.float32)])[order]
        self._starts = np.searchsorted(where[order], np.arange(BUCKETS + 1))

    def _weighed(self, row: tuple[NDArray[np.int16], Floats]) -> tuple[NDArray[np.int16], Floats]:
        buckets, values = row
        values = values * self._weights[buckets]
        return buckets, (values / max(float(np.linalg.norm(values)), 1e-6)).astype(np.float32)

    def alike(self, texts: Sequence[str]) -> Floats:
        """Cosine of each text to each of those that are kept."""
        found = np.zeros((len(texts), self._kept), np.float32)
        for row, text in zip(found, texts, strict=True):
            buckets, values = self._weighed(_counted(text))
            held = [slice(self._starts[b], self._starts[b + 1]) for b in buckets]
            shares = np.repeat(values, [h.stop - h.start for h in held]) * np.concatenate([self._values[h] for h in held])
            row[:] = np.bincount(np.concatenate([self._whose[h] for h in held]), weights=shares, minlength=len(row))
        return found

    def dense(self, rows: Sequence[int] | NDArray[np.intp]) -> Floats:
        """Some of the lexicon's own texts as full rows of length 1."""
        found = np.zeros((len(rows), BUCKETS), np.float32)
        for row, n in zip(found, rows, strict=True):
            buckets, values = self._rows[n]
            row[buckets] = values
        return found


def _counted(text: str) -> tuple[NDArray[np.int16], Floats]:
    """The buckets that a text touches, and how often, with signs and damped."""
    codes = np.asarray(_features(text) or [0], np.uint32)
    signs = np.where(codes & 0x80000000, -1.0, 1.0)
    counts = np.bincount((codes % BUCKETS).astype(np.int64), weights=signs, minlength=1)
    held = np.flatnonzero(counts)
    values = counts[held]
    return held.astype(np.int16), (np.sign(values) * np.log1p(np.abs(values))).astype(np.float32)
