"""Texts as rows of numbers: three views, each in a basis of fewer dimensions that the phrases themselves give. Pure.

Views: hashed n-grams of the restored spelling, and what a sentence encoder makes, in its last layer and in its middle, of the
restored text and of the mended one, which keeps punctuation and capitals, side by side. A thousand dimensions say nearly as much
as all six thousand (measured on phrases left out). Of a text that was typed with care the mended reading tells what both would
(cosine 0.98), so it is encoded once: the encoder takes most of the time.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bot.core.lexicon import BUCKETS, Floats, Lexicon, Row, dense, projected

Encode = Callable[[Sequence[str]], Floats]  # texts to a row each, in it a vector for each depth of the encoder

LEXICAL, SEMANTIC = 384, (320, 256)  # dimensions kept of a view; the semantic ones from the last depth to the first
SPANNED = 512  # directions among which the lexical ones are chosen
SAMPLE = 6000  # phrases that are enough to find the lexical basis
BLOCK = 512  # rows that are written out at once
DAMPING = 0.01  # of the map from one reading to both, as a share of a direction's mean length


@dataclass(frozen=True, slots=True)
class Bases:
    """What was found out about the phrases' views: weights of the n-grams, the means of the encoder's vectors, a basis for
    each view, lexical first, and what makes of the mended reading alone each semantic one."""

    weights: Floats
    means: Floats  # a row for each depth
    views: tuple[Floats, ...]
    alone: tuple[Floats, ...]

    @property
    def edges(self) -> tuple[slice, ...]:
        """Which columns of the features belong to which view."""
        ends = np.cumsum([view.shape[1] for view in self.views]).tolist()
        return tuple(slice(a, b) for a, b in zip([0, *ends], ends, strict=False))

    def of(self, rows: Sequence[Row], *vectors: Floats, careful: Sequence[bool] = ()) -> Floats:
        """Features of texts: their lexical rows and the encoder's vectors of both readings, each view of length 1.

        careful: which of them the mended reading, the last, is to tell all about.
        """
        views = [projected(rows, self.views[0])]
        views += [seen @ basis for seen, basis in zip(_apart(vectors, self.means), self.views[1:], strict=True)]
        once = np.flatnonzero(careful)
        if len(once) and self.alone:
            seen_once = _apart([vectors[-1][once]], self.means)
            for view, seen, basis in zip(views[1:], seen_once, self.alone, strict=True):
                view[once] = seen @ basis
        return np.hstack([_unit(view) for view in views])

    def of_one(self, rows: Floats, shares: Floats) -> Floats:
        """About the features that several texts would have as one, without encoding it. shares: of each in the whole."""
        mixed = (shares @ rows)[None]
        return np.hstack([_unit(mixed[:, view]) for view in self.edges])


def found_in(lexicon: Lexicon, rows: Sequence[Row], *vectors: Floats) -> Bases:
    """The bases in which the phrases differ most."""
    means = _rounded(np.mean(vectors, (0, 1))) if vectors else np.zeros((0, 0), np.float32)
    both = _apart(vectors, means)
    semantic = [_rounded(_principal(seen, width)) for seen, width in zip(both, SEMANTIC, strict=False)]
    mended = _apart(vectors[-1:], means)
    alone = [_rounded(_mapped(one, seen @ basis)) for one, seen, basis in zip(mended, both, semantic, strict=True)]
    return Bases(lexicon.weights, means, (_rounded(_spanned(rows)), *semantic), tuple(alone))


def _mapped(rows: Floats, wanted: Floats) -> Floats:
    """The linear map that brings rows nearest to what is wanted, damped."""
    total = (rows.T @ rows).astype(np.float64)
    total.flat[:: len(total) + 1] += DAMPING * len(rows) / len(total)
    found: Floats = np.linalg.solve(total, (rows.T @ wanted).astype(np.float64)).astype(np.float32)
    return found


def _apart(vectors: Sequence[Floats], means: Floats) -> list[Floats]:
    """A view for each depth: all readings side by side, without what all texts have in common, as to an encoder any two are
    much alike."""
    return [np.hstack([_unit(one[:, depth] - means[depth]) for one in vectors]) for depth in reversed(range(len(means)))]


def _spanned(rows: Sequence[Row]) -> Floats:
    """A randomised range finder (Halko et al. 2011): the directions in which a sample of sparse rows lies, most of it first."""
    some = [rows[n] for n in np.unique(np.linspace(0, len(rows) - 1, SAMPLE).astype(int))]
    width = min(SPANNED, len(rows))
    start = np.random.default_rng(0).standard_normal((BUCKETS, width)).astype(np.float32)
    found = np.zeros((BUCKETS, width), np.float32)
    for n in range(0, len(some), BLOCK):
        block = dense(some[n : n + BLOCK])
        found += block.T @ (block @ start)
    basis = np.linalg.qr(found)[0].astype(np.float32)
    return basis @ _principal(projected(some, basis), LEXICAL)


def _principal(vectors: Floats, width: int) -> Floats:
    """The directions of most of the vectors' length, not centred: their cosines stay."""
    values: tuple[NDArray[np.float64], NDArray[np.float64]] = np.linalg.eigh((vectors.T @ vectors).astype(np.float64))
    found: Floats = values[1][:, ::-1][:, :width].astype(np.float32)
    return found


def _unit(rows: Floats) -> Floats:
    lengths: Floats = np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-6)
    found: Floats = (rows / lengths).astype(np.float32)
    return found


def _rounded(values: Floats) -> Floats:
    """As it will be when it was kept in half precision: learnt now or read from a file, a message is scored alike."""
    return values.astype(np.float16).astype(np.float32)
