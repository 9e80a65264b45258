"""Where one sentence ends and the next begins, in a text without punctuation. Pure.

Learnt from the phrases: which words begin an utterance, which end one, and which stand side by side within one.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import pairwise

LEAST = 3  # words in a sentence that is cut off
CUT = -5.0  # logarithm of how likely a cut is before anything is known
EDGE = ""  # stands for the end of one utterance and the beginning of the next


class Segmenter:
    """Knows how utterances begin and end. Words are those that the speller gives, plain."""

    def __init__(self, utterances: Iterable[Sequence[str]]) -> None:
        self._ones: Counter[str] = Counter()
        self._twos: Counter[tuple[str, str]] = Counter()
        self._threes: Counter[tuple[str, str, str]] = Counter()
        for said in utterances:
            row = [EDGE, *said, EDGE]
            self._ones.update(row[1:])
            self._twos.update(pairwise(row))
            self._threes.update(zip(row, row[1:], row[2:], strict=False))
        self._total = max(1, self._ones.total())

    def cuts(self, said: Sequence[str]) -> list[int]:
        """Positions at which a new sentence begins, so that the sentences are likeliest as a whole."""
        gains = [0.0, *(self._gain(said, i) for i in range(1, len(said)))]
        best: list[tuple[float, tuple[int, ...]]] = [(0.0, ())]  # of the words up to here: gain, cuts
        for end in range(1, len(said) + 1):
            options: list[tuple[float, tuple[int, ...]]] = [(best[0][0], ())] if end >= LEAST or end == len(said) else []
            for start in range(LEAST, end - LEAST + 1):
                if best[start][0] > -math.inf:
                    options.append((best[start][0] + gains[start], (*best[start][1], start)))
            best.append(max(options, default=(-math.inf, ())))
        return list(best[-1][1])

    def _gain(self, said: Sequence[str], i: int) -> float:
        """How much likelier the words are with a cut before the i-th."""
        two = said[i - 2] if i > 1 else EDGE
        one, next_ = said[i - 1], said[i]
        after = said[i + 1] if i + 1 < len(said) else EDGE
        apart = self._chance(two, one, EDGE) + self._chance(one, EDGE, next_, fresh=True) + self._chance(EDGE, next_, after)
        together = self._chance(two, one, next_) + self._chance(one, next_, after)
        return apart - together + CUT

    def _chance(self, before: str, last: str, word: str, *, fresh: bool = False) -> float:
        """Logarithm of the likelihood of a word behind two others; behind a cut (fresh) what stood before says nothing."""
        alone = (self._ones[word] + 0.1) / (self._total + 1000)
        two = (self._twos[last, word] + 4 * alone) / (self._ones[last] + 4)
        if fresh:
            return math.log(two)
        pair = self._twos[before, last]
        return math.log((self._threes[before, last, word] + 2 * two) / (pair + 2))
