"""Whether a text asks, told by its small words and their order: hurried people drop the question mark. Pure.

A logistic regression over n-grams of the words that all kinds of phrases share; what a phrase is about is left out, so that it
serves for what the phrases do not hold. Learnt from the phrases: those with a question mark, those of topics, and of stories.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from bot.core.cues import asks
from bot.core.model import Kind, Knowledge
from bot.core.text import parts, plain, words

Floats = NDArray[np.float32]
Example = tuple[str, bool, float]  # a text without its question mark, whether it asks, and how much that counts

BUCKETS = 1 << 14
SHARED = 0.2  # of the classes use a small word
LONGEST = 16  # words from which on length tells no more
EPOCHS, STEP, SHRINK = 8, 0.3, 1e-4

_INVERTED = re.compile(r"-(?:t-)?(?:il|elle|on|je|tu|nous|vous|ils|elles|ce)$")
_PARTS = re.compile(r"['\s]+")


@dataclass(frozen=True, slots=True)
class Asking:
    """small: the words that are read as they are. weights: of each bucket, the constant last."""

    small: frozenset[str]
    weights: Floats

    def chance(self, restored: str) -> float:
        """How likely a text, in the knowledge's own spelling, asks something."""
        at = _buckets(restored, self.small)
        raised = float(self.weights[at].sum()) / len(at) ** 0.5 + float(self.weights[-1])
        return float(1 / (1 + np.exp(-raised)))


def learnt(examples: Sequence[Example], small: frozenset[str]) -> Asking:
    """By stochastic gradient descent with steps that shrink by what each bucket saw (Duchi et al. 2011)."""
    weights, seen = np.zeros(BUCKETS + 1), np.full(BUCKETS + 1, 1e-6)
    if len({wanted for _, wanted, _ in examples}) < 2:  # nothing to tell apart: nobody knows
        return Asking(small, weights.astype(np.float32))
    rows = [_buckets(text, small) for text, _, _ in examples]
    dice = np.random.default_rng(0)
    for _ in range(EPOCHS):
        for n in dice.permutation(len(rows)):
            at, (_, wanted, counts) = rows[n], examples[n]
            scale = len(at) ** -0.5
            found = 1 / (1 + np.exp(-(weights[at].sum() * scale + weights[-1])))
            slope = counts * (found - wanted)
            slopes = slope * scale + SHRINK * weights[at]
            seen[at] += slopes * slopes
            weights[at] -= STEP * slopes / np.sqrt(seen[at])
            weights[-1] -= 0.01 * slope
    return Asking(small, weights.astype(np.float16).astype(np.float32))


def found_in(knowledge: Knowledge, restore: Callable[[str], str]) -> Asking:
    """restore: into the knowledge's own spelling."""
    said, examples = dict[str, list[str]](), list[Example]()
    for id, group in knowledge.groups.items():
        kind = knowledge.classes[id].kind if id in knowledge.classes else Kind.TOPIC
        said[id] = []
        for part in (part for phrase in group.phrases for part in parts(phrase) if words(part)):
            text, known = restore(part.replace("?", " ")), _example(part, kind)
            said[id].append(text)
            examples += [(text, *known)] if known else []
    return learnt(examples, small_words(said))


def small_words(phrases: Mapping[str, Iterable[str]]) -> frozenset[str]:
    """Words that many classes share: what is said of anything. phrases: of each class, in the knowledge's own spelling."""
    classes = Counter(word for texts in phrases.values() for word in {w for text in texts for w in _words(text)})
    least = max(2.0, SHARED * len(phrases))
    return frozenset(word for word, count in classes.items() if count >= least)


def _example(text: str, kind: Kind) -> tuple[bool, float] | None:
    """Whether a part of a phrase asks, and how much that counts; None where nobody can tell."""
    if "?" in text:
        return True, 1.0
    if kind in (Kind.TOPIC, Kind.UNKNOWN):
        return True, 0.5
    if asks(text, text):
        return None
    return False, {Kind.CONTEXT: 1.0, Kind.SMALLTALK: 1.0}.get(kind, 0.4)


def _words(restored: str) -> list[str]:
    found = []
    for word in _PARTS.split(plain(restored)):
        turned = _INVERTED.search(word)
        if turned and turned.start():
            found += [word[: turned.start()], "-il"]
        elif word:
            found.append(word)
    return found


def _buckets(restored: str, small: frozenset[str]) -> NDArray[np.int64]:
    said = ["^", *(w if w in small or w == "-il" else "_" for w in _words(restored)), "$"]
    grams = {" ".join(said[at : at + n]) for n in (1, 2, 3) for at in range(len(said) - n + 1)}
    grams |= {" ".join(said[:4]), str(min(len(said), LONGEST) // 2)}
    return np.array([crc32(gram.encode()) % BUCKETS for gram in sorted(grams)])
