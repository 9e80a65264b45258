"""Where one sentence ends and the next begins, in a text without punctuation. Pure.

A logistic regression over the words on either side of a gap, learnt from utterances that are put one behind the other: the
phrases, each with the sentences that it has. Words that are seldom said count by how they end.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from math import log
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Said = Sequence[Sequence[str]]  # an utterance: its sentences, each as its words, plain, as they were meant

LEAST = 3  # words in a sentence that is cut off
BARE, MARKED = 0.45, 0.9  # chance of a cut from which on it is made, in a text without any sentence mark and in another
SHARED = 2e-4  # of all words a word is, from which on it is read as it is
FAR = 6  # words from either end of the text, from which on the distance tells no more
BUCKETS = 1 << 16
TOGETHER = (1, 2, 2, 3, 3, 4)  # utterances that are put one behind the other
ROUNDS, EPOCHS, BATCH, STEP, SHIFT = 2, 3, 64, 0.05, 0.02


@dataclass(frozen=True, slots=True)
class Segmenter:
    """shared: the words that are read as they are. weights: of each bucket, the constant last."""

    shared: frozenset[str]
    weights: Floats

    def cuts(self, said: Sequence[str], chance: float = BARE) -> list[int]:
        """Positions at which a new sentence begins, so that the sentences are likeliest as a whole. said: the words, plain, as
        they were meant; chance: from which on a cut is likely enough."""
        if len(said) < 2 * LEAST:
            return []
        raised = self.weights[_gaps(said, self.shared)].sum(1) + self.weights[-1] - log(chance / (1 - chance))
        gains = [0.0, *raised.tolist()]
        best: list[tuple[float, tuple[int, ...]]] = [(0.0, ())]  # of the words up to here: gain, cuts
        for end in range(1, len(said) + 1):
            found = best[0]
            for start in range(LEAST, end - LEAST + 1):
                gained = best[start][0] + gains[start]
                if gained > found[0]:
                    found = (gained, (*best[start][1], start))
            best.append(found)
        return list(best[-1][1])


def learnt(utterances: Iterable[Said]) -> Segmenter:
    """By stochastic gradient descent with steps that shrink by what each bucket saw (Duchi et al. 2011). Few epochs: what is
    learnt longer knows the phrases and not the language."""
    kept = [said for said in ([s for s in sentences if s] for sentences in utterances) if said]
    counts = Counter(word for said in kept for sentence in said for word in sentence)
    least = max(2, SHARED * counts.total())
    shared = frozenset(word for word, count in counts.items() if count >= least)
    rows, wanted = list[NDArray[np.int64]](), list[bool]()
    for words, ends in _joined(kept):
        rows.append(_gaps(words, shared))
        wanted += [n in ends for n in range(1, len(words))]
    if not any(wanted):  # nothing to tell apart: nothing is cut
        return Segmenter(shared, np.append(np.zeros(BUCKETS), -99.0).astype(np.float32))
    return Segmenter(shared, _descended(np.concatenate(rows), np.array(wanted, float)))


def _descended(rows: NDArray[np.int64], wanted: NDArray[np.float64]) -> Floats:
    weights, seen = np.zeros(BUCKETS + 1), np.full(BUCKETS, 1e-3)
    dice = np.random.default_rng(0)
    for _ in range(EPOCHS):
        for some in np.array_split(dice.permutation(len(rows)), -(-len(rows) // BATCH)):
            at = rows[some]
            slopes = 1 / (1 + np.exp(-(weights[at].sum(1) + weights[-1]))) - wanted[some]
            flat, each = at.ravel(), np.repeat(slopes, at.shape[1])
            np.add.at(seen, flat, each * each)
            np.add.at(weights, flat, -STEP * each / np.sqrt(seen[flat]))
            weights[-1] -= SHIFT * slopes.mean()
    return weights.astype(np.float16).astype(np.float32)  # as it will be when it was kept in half precision


def _joined(utterances: Sequence[Said]) -> Iterator[tuple[list[str], set[int]]]:
    """Texts of several utterances, and after how many words a sentence of each ends."""
    dice, order = random.Random(0), list(range(len(utterances)))  # noqa: S311 - mixes, guards nothing
    for _ in range(ROUNDS):
        dice.shuffle(order)
        at = 0
        while at < len(order):
            some = order[at : at + dice.choice(TOGETHER)]
            at += len(some)
            words, ends = list[str](), set[int]()
            for sentence in (sentence for n in some for sentence in utterances[n]):
                words += sentence
                ends.add(len(words))
            if len(words) > 1:
                yield words, ends


def _gaps(said: Sequence[str], shared: frozenset[str]) -> NDArray[np.int64]:
    """The buckets of each gap between two words, a row a gap: what stands on either side, alone and in order."""
    count = len(said)
    own = ["$", "$", "$", *said, "$", "$", "$"]
    kept = ["$", "$", "$", *(word if word in shared else f"_{word[-2:]}" for word in said), "$", "$", "$"]
    rows = []
    for n in range(1, count):
        w, x, y, z, v, u = kept[n : n + 6]  # three words before the gap, and three behind it
        grams = (
            f"0{own[n + 2]}",
            f"1{own[n + 3]}",
            f"2{x} {y}",
            f"3{z} {v}",
            f"4{y} {z}",
            f"5{x} {y} {z}",
            f"6{y} {z} {v}",
            f"7{z} {v} {u}",
            f"8{w} {x} {y}",
            f"9{y}",
            f"a{z}",
            f"b{v}",
            f"c{x}",
            f"d{min(n, FAR)}",
            f"e{min(count - n, FAR)}",
        )
        rows.append([crc32(gram.encode("utf-8", "replace")) % BUCKETS for gram in grams])
    return np.array(rows, np.int64)
