"""Question to ranked classes: kernel ridge over three views of a text, trained at start-up from the phrases alone.

Views: hashed character and word n-grams of the restored spelling, and a sentence encoder on the restored and on the
typed text. A Gaussian kernel on each, summed. The closed form gives each phrase's leave-one-out score for nothing, which
calibrates the probabilities and finds phrases that sit nearer to another class than to their own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from bot.core.model import Knowledge, Match
from bot.core.segment import Segmenter
from bot.core.spell import Speller
from bot.core.text import clean, parts

Encode = Callable[[Sequence[str]], NDArray[np.float32]]
Floats = NDArray[np.float32]

BUCKETS = 4096
BLOCK, BASE = 1024, 256  # rows worked on at once
# found by leave-one-out over the phrases: 0.70 of them recognised, against 0.62 with a linear kernel
RIDGE = 0.4
WIDTH_LEXICAL, WIDTH_SEMANTIC = 0.8, 1.0


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
    """TF-IDF of hashed n-grams, kept as postings: a text touches some sixty of the 4,096 buckets."""

    def __init__(self, texts: Sequence[str]) -> None:
        rows = [_counted(text) for text in texts]
        seen = np.bincount(np.concatenate([buckets for buckets, _ in rows] or [np.zeros(0, np.int64)]), minlength=BUCKETS)
        self._weights = np.log((1 + len(texts)) / (1 + seen)).astype(np.float32) + 1
        self._rows = [self._weighed(row) for row in rows]
        whose = np.repeat(np.arange(len(rows), dtype=np.int32), [len(buckets) for buckets, _ in self._rows])
        where = np.concatenate([buckets for buckets, _ in self._rows] or [np.zeros(0, np.int64)])
        order = np.argsort(where, kind="stable")
        self._whose = whose[order]
        self._values = np.concatenate([values for _, values in self._rows] or [np.zeros(0, np.float32)])[order]
        self._starts = np.searchsorted(where[order], np.arange(BUCKETS + 1))

    def _weighed(self, row: tuple[NDArray[np.int64], Floats]) -> tuple[NDArray[np.int64], Floats]:
        buckets, values = row
        values = values * self._weights[buckets]
        return buckets, (values / max(float(np.linalg.norm(values)), 1e-6)).astype(np.float32)

    def alike(self, texts: Sequence[str]) -> Floats:
        """Cosine of each text to each of the lexicon's own."""
        found = np.zeros((len(texts), len(self._rows)), np.float32)
        for row, text in zip(found, texts, strict=True):
            buckets, values = self._weighed(_counted(text))
            held = [slice(self._starts[b], self._starts[b + 1]) for b in buckets]
            shares = np.repeat(values, [h.stop - h.start for h in held]) * np.concatenate([self._values[h] for h in held])
            row[:] = np.bincount(np.concatenate([self._whose[h] for h in held]), weights=shares, minlength=len(row))
        return found

    def dense(self, start: int, end: int) -> Floats:
        """Some of the lexicon's own texts as full rows of length 1."""
        rows = np.zeros((min(end, len(self._rows)) - start, BUCKETS), np.float32)
        for row, (buckets, values) in zip(rows, self._rows[start:end], strict=True):
            row[buckets] = values
        return rows


def _counted(text: str) -> tuple[NDArray[np.int64], Floats]:
    """The buckets that a text touches, and how often, with signs and damped."""
    codes = np.asarray(_features(text) or [0], np.uint32)
    signs = np.where(codes & 0x80000000, -1.0, 1.0)
    counts = np.bincount((codes % BUCKETS).astype(np.int64), weights=signs, minlength=1)
    held = np.flatnonzero(counts)
    values = counts[held]
    return held, (np.sign(values) * np.log1p(np.abs(values))).astype(np.float32)


@dataclass(frozen=True, slots=True)
class Stray:
    """A phrase that the others of its class would not have recognised."""

    phrase: str
    own: str
    predicted: str
    score: float


class Matcher:
    """Understands one knowledge. Immutable after it was built; safe to share between threads."""

    def __init__(self, knowledge: Knowledge, encode: Encode | None, frequencies: Mapping[str, int] | None = None) -> None:
        groups = knowledge.groups
        self.ids = list(groups)
        self._phrases = [(p, n) for n, g in enumerate(groups.values()) for p in g.phrases]
        texts = [p for p, _ in self._phrases]
        self.speller = Speller(texts, knowledge.words.abbreviations, knowledge.words.synonyms, frequencies)
        self._encode = encode
        self._own = np.array([n for _, n in self._phrases])
        normal = [self.speller.restore(t) for t in texts]
        self.segmenter = Segmenter(self.speller.keys(part) for t in texts for part in parts(t))
        self._lexicon = Lexicon(normal)
        self._semantic = [encode(normal), encode(list(map(clean, texts)))] if encode else []
        self._train()

    def _train(self) -> None:
        wanted = np.full((len(self._phrases), len(self.ids)), -1.0, np.float32)
        wanted[np.arange(len(self._phrases)), self._own] = 1.0
        self._bias = wanted.mean(0)  # classes of many phrases would win by number alone
        root = self._kernel_matrix()
        root.flat[:: len(root) + 1] += RIDGE
        _invert_root(root)
        self._weights = root.T @ (root @ (wanted - self._bias))
        diagonal = np.einsum("ij,ij->j", root, root)  # of the kernel's inverse
        self._left_out = wanted - self._weights / diagonal[:, None]
        self._sharpness = _sharpness(self._left_out, self._own)

    def _kernel_matrix(self) -> Floats:
        """Likeness of each phrase to those before it, in blocks: phrases square are the peak of the whole service."""
        count = len(self._phrases)
        kernel = np.zeros((count, count), np.float32)
        for low in range(0, count, BLOCK):
            rows = slice(low, min(low + BLOCK, count))
            mine = self._lexicon.dense(rows.start, rows.stop)
            for left in range(0, low + 1, BLOCK):
                columns = slice(left, min(left + BLOCK, count))
                block = _gauss(mine @ self._lexicon.dense(columns.start, columns.stop).T, WIDTH_LEXICAL)
                for view in self._semantic:
                    block += _gauss(view[rows] @ view[columns].T, WIDTH_SEMANTIC)
                kernel[rows, columns] = block
        return kernel

    def _kernels(self, texts: Sequence[str], normal: Sequence[str]) -> tuple[Floats, Floats]:
        """Likeness of each text to each phrase: lexical, and all views together."""
        first = _gauss(self._lexicon.alike(normal), WIDTH_LEXICAL)
        total = first.copy()
        if self._encode and self._semantic:
            # what was typed with many slips tells the encoder nothing: then the restored text counts twice
            legible = [n for n, t in enumerate(texts) if not self.speller.noisy(t)]
            both = self._encode([*normal, *(clean(texts[n]) for n in legible)])
            restored = _gauss(both[: len(texts)] @ self._semantic[0].T, WIDTH_SEMANTIC)
            typed = restored.copy()
            typed[legible] = _gauss(both[len(texts) :] @ self._semantic[1].T, WIDTH_SEMANTIC)
            total += restored + typed
        return first, total

    def scores(self, texts: Sequence[str]) -> tuple[list[str], Floats]:
        """Calibrated probabilities of each class for each text, and the texts as they were read."""
        normal = [self.speller.restore(t) for t in texts]
        if not normal:
            return normal, np.zeros((0, len(self.ids)), np.float32)
        _, kernel = self._kernels(texts, normal)
        return normal, _softmax((kernel @ self._weights + self._bias) * self._sharpness)

    def rank(self, text: str, top: int = 5) -> tuple[Match, ...]:
        """The likeliest classes with their evidence, best first: for explanations, not on the hot path."""
        normal, probabilities = self.scores([text])
        lexical, near = (k[0] for k in self._kernels([text], normal))
        found = []
        for n in np.argsort(-probabilities[0])[:top]:
            mine = np.flatnonzero(self._own == n)
            best = mine[int(np.argmax(near[mine]))]
            both = float(lexical[best]), float(near[best] - lexical[best])
            found.append(Match(self.ids[n], float(probabilities[0][n]), *both, self._phrases[best][0]))
        return tuple(found)

    def strays(self) -> list[Stray]:
        """Phrases that sit nearer to another class than to their own, worst first."""
        probabilities = _softmax(self._left_out * self._sharpness)
        found = []
        for n, (phrase, own) in enumerate(self._phrases):
            best = int(np.argmax(probabilities[n]))
            if best != own:
                found.append(Stray(phrase, self.ids[own], self.ids[best], float(probabilities[n][best])))
        return sorted(found, key=lambda s: -s.score)

    def left_out_accuracy(self) -> float:
        """Share of the phrases that the others recognise."""
        return float(np.mean(np.argmax(self._left_out, 1) == self._own))


def _gauss(cosines: Floats, width: float) -> Floats:
    """Gaussian kernel of unit vectors, from their cosines, which it overwrites."""
    np.minimum(cosines, 1.0, out=cosines)
    cosines -= 1.0
    cosines *= 2 * width
    return np.exp(cosines, out=cosines)


def _invert_root(square: Floats) -> None:
    """Turn the lower half of a positive definite matrix into the inverse of its Cholesky factor, where it stands.

    By halves, so that nearly all of it is products, in little more memory than the matrix itself.
    """
    n = len(square)
    if n <= BASE:
        lower = np.tril(square)
        full = lower + lower.T
        full.flat[:: n + 1] /= 2
        square[:] = np.linalg.inv(np.linalg.cholesky(full.astype(np.float64)))
        return
    half = n // 2
    first, below, second = square[:half, :half], square[half:, :half], square[half:, half:]
    _invert_root(first)
    below[:] = below @ np.tril(first).T
    second -= below @ below.T
    _invert_root(second)
    below[:] = -(second @ (below @ first))
    square[:half, half:] = 0


def _softmax(raw: Floats) -> Floats:
    raised = np.exp(raw - raw.max(1, keepdims=True))
    shares: Floats = (raised / raised.sum(1, keepdims=True)).astype(np.float32)
    return shares


def _sharpness(left_out: Floats, own: NDArray[np.int_]) -> float:
    """The softmax's inverse temperature at which the left-out phrases are likeliest."""
    rows = np.arange(len(own))
    tried = [float(s) for s in np.geomspace(1, 30, 25)]
    losses = [-float(np.log(np.maximum(_softmax(left_out * s)[rows, own], 1e-9)).mean()) for s in tried]
    return tried[int(np.argmin(losses))]
