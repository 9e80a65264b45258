"""A small sentence encoder that a large one taught: some layers of a transformer, in NumPy, on the CPU.

``distil.py`` makes its weights and says from what; what it is worth is measured in docs/understanding.md.
"""

from __future__ import annotations

import itertools
import unicodedata
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

HEADS = 12
LONGEST = 64  # tokens of a text that are read
TOGETHER = 2048  # tokens that are encoded in one go: bounds the memory
SPACE = "\u2581"  # what stands for a blank in a piece
_EPSILON = np.float32(1e-12)


class Tokenizer:
    """Texts to the numbers of their pieces: the likeliest path through a unigram model (Kudo 2018), as SentencePiece has it."""

    def __init__(self, pieces: Sequence[str], scores: Sequence[float], begin: int, end: int, unknown: int) -> None:
        """scores: the logarithm of how likely each piece is."""
        self._known = {piece: (n, score) for n, (piece, score) in enumerate(zip(pieces, scores, strict=True))}
        self._longest = max(map(len, pieces))
        self._begin, self._end, self._unknown = begin, end, unknown
        self._miss = min(scores) - 10.0

    def ids(self, text: str) -> list[int]:
        """At most LONGEST of them, the marks of begin and end included."""
        words = unicodedata.normalize("NFKC", text).split()
        found = [id for word in words for id in self._word(SPACE + word)]
        return [self._begin, *found[: LONGEST - 2], self._end]

    def _word(self, word: str) -> tuple[int, ...]:
        return self._split(word[:LONGEST])

    @lru_cache(maxsize=20_000)  # noqa: B019 - there is one tokenizer
    def _split(self, word: str) -> tuple[int, ...]:
        best = [0.0] + [-np.inf] * len(word)
        came: list[tuple[int, int]] = [(0, self._unknown)] * (len(word) + 1)
        for start in range(len(word)):
            for stop in range(start + 1, min(len(word), start + self._longest) + 1):
                id, score = self._known.get(word[start:stop], (self._unknown, self._miss if stop == start + 1 else -np.inf))
                if best[start] + score > best[stop]:
                    best[stop], came[stop] = best[start] + score, (start, id)
        found, at = list[int](), len(word)
        while at:
            at, id = came[at]
            found.append(id)
        return tuple(reversed(found))


class Pupil:
    """Texts to unit vectors. Safe to share between threads."""

    def __init__(self, file: Path) -> None:
        """Raises OSError where the file cannot be read, ValueError or KeyError for one that is none."""
        with np.load(file) as kept:
            held: dict[str, NDArray[Any]] = {name: kept[name] for name in kept.files}
        pieces = held["pieces"].tobytes().decode().split("\0")
        self._tokenizer = Tokenizer(pieces, held["scores"].tolist(), *map(int, held["marks"]))
        self._table, self._scales = held["table"], held["scales"].astype(np.float32)
        self._places = held["places"].astype(np.float32)
        self._layers = [_layer(held, n) for n in range(int(held["layers"]))]
        self._first = held["first"].astype(np.float32)
        self._out, self._shift = held["out"].astype(np.float32), held["shift"].astype(np.float32)

    @property
    def width(self) -> int:
        return self._out.shape[1]

    def __call__(self, texts: Sequence[str]) -> Floats:
        """One row for each text."""
        ids = [self._tokenizer.ids(text) for text in texts]
        found, batch, size = list[Floats](), list[list[int]](), 0
        for one in ids:
            if batch and size + len(one) > TOGETHER:
                found.append(self._encoded(batch))
                batch, size = [], 0
            batch.append(one)
            size += len(one)
        return np.vstack([*found, self._encoded(batch)]) if batch else np.zeros((0, self.width), np.float32)

    def _encoded(self, ids: Sequence[Sequence[int]]) -> Floats:
        flat = np.concatenate([np.array(one) for one in ids])
        edges = np.cumsum([0, *map(len, ids)])
        places = np.concatenate([np.arange(len(one)) for one in ids])
        rows = self._table[flat] * self._scales[flat, None] + self._places[places]
        rows = _normed(rows, *self._first)
        for layer in self._layers:
            rows = _passed(rows, layer, edges)
        pooled = np.add.reduceat(rows, edges[:-1], 0) / np.diff(edges)[:, None].astype(np.float32)
        vectors = pooled @ self._out + self._shift
        unit: Floats = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
        return unit


def _layer(held: Mapping[str, NDArray[Any]], n: int) -> dict[str, Floats]:
    start = f"layer{n}."
    return {name.removeprefix(start): held[name].astype(np.float32) for name in held if name.startswith(start)}


def _passed(rows: Floats, layer: Mapping[str, Floats], edges: NDArray[np.intp]) -> Floats:
    """One layer: what the tokens of each text say to each other, then what each makes of it (Vaswani et al. 2017)."""
    mixed = rows @ layer["asked"] + layer["asked_bias"]  # queries, keys and values side by side
    heard = np.empty_like(rows)
    deep = rows.shape[1] // HEADS
    for start, stop in itertools.pairwise(edges):
        queries, keys, values = mixed[start:stop].reshape(stop - start, 3, HEADS, deep).transpose(1, 2, 0, 3)
        shares = queries @ keys.transpose(0, 2, 1)
        shares *= np.float32(deep**-0.5)
        shares -= shares.max(-1, keepdims=True)
        np.exp(shares, out=shares)
        shares /= shares.sum(-1, keepdims=True)
        heard[start:stop] = (shares @ values).transpose(1, 0, 2).reshape(stop - start, -1)
    rows = _normed(rows + heard @ layer["told"] + layer["told_bias"], *layer["norm_told"])
    inner = _gelu(rows @ layer["wide"] + layer["wide_bias"])
    return _normed(rows + inner @ layer["narrow"] + layer["narrow_bias"], *layer["norm_narrow"])


def _normed(rows: Floats, weight: Floats, bias: Floats) -> Floats:
    rows = rows - rows.mean(-1, keepdims=True)
    rows /= np.sqrt((rows * rows).mean(-1, keepdims=True) + _EPSILON)
    rows *= weight
    rows += bias
    return rows


def _gelu(rows: Floats) -> Floats:
    """By the hyperbolic tangent (Hendrycks and Gimpel 2016)."""
    half = rows * rows
    half *= np.float32(0.044715 * 0.7978845608)
    half += np.float32(0.7978845608)
    half *= rows
    np.tanh(half, out=half)
    half += 1
    half *= rows
    half *= np.float32(0.5)
    return half
