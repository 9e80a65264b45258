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


def _lexical(texts: Sequence[str], weights: Floats | None) -> tuple[Floats, Floats]:
    """TF-IDF in hashed buckets with signs, rows of length 1; the weights are learnt where none are given."""
    rows = np.zeros((len(texts), BUCKETS), np.float32)
    for row, text in zip(rows, texts, strict=True):
        codes = np.asarray(_features(text) or [0], np.uint32)
        signs = np.where(codes & 0x80000000, -1.0, 1.0).astype(np.float32)
        np.add.at(row, codes % BUCKETS, signs)
        held = np.flatnonzero(row)
        row[held] = np.sign(row[held]) * np.log1p(np.abs(row[held]))
    if weights is None:
        seen = np.array([np.count_nonzero(column) for column in rows.T], np.float32)
        weights = np.log((1 + len(texts)) / (1 + seen)).astype(np.float32) + 1
    rows *= weights
    for row in rows:
        row /= max(float(np.linalg.norm(row)), 1e-6)
    return rows, weights


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
        lexical, self._idf = _lexical(normal, None)
        self._lexical = np.ascontiguousarray(lexical.T)  # a text touches some sixty buckets: rows of this
        del lexical
        self._semantic = [encode(normal), encode(list(map(clean, texts)))] if encode else []
        self._train()

    def _train(self) -> None:
        wanted = np.full((len(self._phrases), len(self.ids)), -1.0, np.float32)
        wanted[np.arange(len(self._phrases)), self._own] = 1.0
        self._bias = wanted.mean(0)  # classes of many phrases would win by number alone
        kernel = _gauss(self._lexical.T @ self._lexical, WIDTH_LEXICAL)
        for view in self._semantic:
            kernel += _gauss(view @ view.T, WIDTH_SEMANTIC)
        kernel.flat[:: len(kernel) + 1] += RIDGE
        root = np.linalg.cholesky(kernel)
        del kernel  # thousands of phrases square: the peak of the whole service
        _invert_lower(root)
        self._weights = root.T @ (root @ (wanted - self._bias))
        diagonal = np.einsum("ij,ij->j", root, root)  # of the kernel's inverse
        self._left_out = wanted - self._weights / diagonal[:, None]
        self._sharpness = _sharpness(self._left_out, self._own)

    def _kernels(self, texts: Sequence[str], normal: Sequence[str]) -> tuple[Floats, Floats]:
        """Likeness of each text to each phrase: lexical, and all views together."""
        lexical, _ = _lexical(normal, self._idf)
        alike = np.empty((len(texts), len(self._phrases)), np.float32)
        for n, row in enumerate(lexical):
            held = np.flatnonzero(row)
            alike[n] = row[held] @ self._lexical[held]
        first = _gauss(alike, WIDTH_LEXICAL)
        total = first.copy()
        if self._encode and self._semantic:
            both = self._encode([*normal, *map(clean, texts)])
            restored = _gauss(both[: len(texts)] @ self._semantic[0].T, WIDTH_SEMANTIC)
            typed = _gauss(both[len(texts) :] @ self._semantic[1].T, WIDTH_SEMANTIC)
            noisy = np.array([self.speller.noisy(t) for t in texts])
            typed[noisy] = restored[noisy]  # what was typed with so many slips tells the encoder nothing
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


def _invert_lower(lower: Floats) -> None:
    """Invert a lower triangular matrix where it stands: half the memory of a general inverse, and all of it products."""
    n = len(lower)
    if n <= 256:
        lower[:] = np.linalg.inv(lower)
        return
    half = n // 2
    _invert_lower(lower[:half, :half])
    _invert_lower(lower[half:, half:])
    lower[half:, :half] = -(lower[half:, half:] @ (lower[half:, :half] @ lower[:half, :half]))


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
