"""Question to ranked classes: kernel ridge over three views of a text, trained at start-up from the phrases alone.

Views: hashed character and word n-grams of the restored spelling, and a sentence encoder on the restored text and on the
mended one, which keeps punctuation and capitals. A Gaussian kernel on each, summed. What each phrase scores when it is left
out calibrates the probabilities and finds phrases that sit nearer to another class than to their own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bot.core.lexicon import Lexicon
from bot.core.model import Knowledge, Match
from bot.core.ridge import Numbers, Ridge, centres
from bot.core.segment import Segmenter
from bot.core.spell import Speller, Spelt
from bot.core.text import clean, parts

Encode = Callable[[Sequence[str]], NDArray[np.float32]]
Floats = NDArray[np.float32]

# found by cross-validation over the phrases: 0.76 of them recognised, against 0.62 with a linear kernel
WIDTH_LEXICAL, WIDTH_SEMANTIC = 0.8, 1.0
BLOCK = 512  # phrases that are written out at once
CALIBRATED = 1000  # phrases that are left out to find out how sure the matcher may be


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
        self._own = np.array([n for _, n in self._phrases])
        self._centres = centres(len(texts))
        self.speller = Speller(texts, knowledge.words.abbreviations, knowledge.words.synonyms, frequencies)
        self.segmenter = Segmenter(self.speller.keys(part) for t in texts for part in parts(t))
        restored = [self.speller.restore(t) for t in texts]
        self._lexicon = Lexicon(restored, self._centres)
        self._encode = encode
        self._semantic = [encode(restored), encode(list(map(clean, texts)))] if encode else []
        self._unseen: Floats | None = None
        self._train()

    def _train(self) -> Ridge:
        wanted = np.full((len(self._phrases), len(self.ids)), -1.0, np.float32)
        wanted[np.arange(len(self._phrases)), self._own] = 1.0
        self._bias = wanted.mean(0)  # classes of many phrases would win by number alone
        ridge = Ridge(self._among_phrases, wanted - self._bias)
        some = np.unique(np.linspace(0, len(wanted) - 1, CALIBRATED).astype(np.intp))
        self._sharpness = _sharpness(ridge.left_out(some) + self._bias, self._own[some])
        self._weights = ridge.weights  # its factor, most of the memory, is let go
        return ridge

    def _among_phrases(self, some: Numbers, others: Numbers) -> Floats:
        """Likeness of some phrases to others, all views together."""
        total = np.empty((len(some), len(others)), np.float32)
        mine = self._lexicon.dense(some)
        for low in range(0, len(others), BLOCK):
            theirs = others[low : low + BLOCK]
            block = _gauss(mine @ self._lexicon.dense(theirs).T, WIDTH_LEXICAL)
            for view in self._semantic:
                block += _gauss(view[some] @ view[theirs].T, WIDTH_SEMANTIC)
            total[:, low : low + BLOCK] = block
        return total

    def _kernels(self, spelt: Sequence[Spelt]) -> tuple[Floats, Floats]:
        """Likeness of each text to each central phrase: lexical, and all views together."""
        first = _gauss(self._lexicon.alike([s.restored for s in spelt]), WIDTH_LEXICAL)
        total = first.copy()
        if self._encode:
            vectors = self._encode([*(s.restored for s in spelt), *(s.mended for s in spelt)])
            for view, mine in zip(self._semantic, (vectors[: len(spelt)], vectors[len(spelt) :]), strict=True):
                total += _gauss(mine @ (view if len(view) == len(self._centres) else view[self._centres]).T, WIDTH_SEMANTIC)
        return first, total

    def scores(self, spelt: Sequence[Spelt]) -> Floats:
        """Calibrated probabilities of each class for each text."""
        if not spelt:
            return np.zeros((0, len(self.ids)), np.float32)
        _, kernel = self._kernels(spelt)
        return _softmax((kernel @ self._weights + self._bias) * self._sharpness)

    def rank(self, text: str, top: int = 5) -> tuple[Match, ...]:
        """The likeliest classes with their evidence, best first: for explanations, not on the hot path."""
        spelt = [self.speller.read(text)]
        probabilities = self.scores(spelt)
        lexical, near = (k[0] for k in self._kernels(spelt))
        whose = self._own[self._centres]
        found = []
        for n in np.argsort(-probabilities[0])[:top]:
            mine = np.flatnonzero(whose == n)
            if not len(mine):
                continue
            best = mine[int(np.argmax(near[mine]))]
            both = float(lexical[best]), float(near[best] - lexical[best])
            found.append(Match(self.ids[n], float(probabilities[0][n]), *both, self._phrases[self._centres[best]][0]))
        return tuple(found)

    def strays(self) -> list[Stray]:
        """Phrases that sit nearer to another class than to their own, worst first."""
        probabilities = _softmax(self._left_out() * self._sharpness)
        found = []
        for n, (phrase, own) in enumerate(self._phrases):
            best = int(np.argmax(probabilities[n]))
            if best != own:
                found.append(Stray(phrase, self.ids[own], self.ids[best], float(probabilities[n][best])))
        return sorted(found, key=lambda s: -s.score)

    def left_out_accuracy(self) -> float:
        """Share of the phrases that the others recognise."""
        return float(np.mean(np.argmax(self._left_out(), 1) == self._own))

    def _left_out(self) -> Floats:
        if self._unseen is None:
            self._unseen = self._train().left_out(np.arange(len(self._phrases))) + self._bias
        return self._unseen


def _gauss(cosines: Floats, width: float) -> Floats:
    """Gaussian kernel of unit vectors, from their cosines, which it overwrites."""
    np.minimum(cosines, 1.0, out=cosines)
    cosines -= 1.0
    cosines *= 2 * width
    found: Floats = np.exp(cosines, out=cosines)
    return found


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
