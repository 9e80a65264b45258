"""Question to ranked classes: kernel ridge (``ridge.py``) over three views of a text (``features.py``).

Learnt from the phrases alone. What was learnt before is taken over: as it is, where the phrases are still the same, else with
the few that are new learnt on top.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from bot.core import asking, features, ridge, segment
from bot.core.asking import Asking
from bot.core.calibrate import softmax
from bot.core.features import Bases, Encode
from bot.core.lexicon import Floats, Lexicon, alike, projected
from bot.core.model import Knowledge, Match
from bot.core.ridge import Ridge
from bot.core.segment import Segmenter
from bot.core.spell import Speller, Spelt, WordLists
from bot.core.text import clean, parts

FEW = 600  # phrases, new or gone, that are learnt on top of what was learnt before; with more of them all are learnt anew
LOOKED_AT = 20  # phrases of a class, the nearest by their letters, in which the nearest of all is looked for
RECIPE = 12  # of learning and of features; a change of it makes what was learnt before worthless


@dataclass(frozen=True, slots=True)
class Learnt:
    """All that learning takes long for.

    digest: of the knowledge it fits. classes: their ids, in the order of the model's columns. marks: of each phrase with its
    class, in the order of the model's centres; nearest: the column that the others would have given it, and how surely.
    segmenter: where a sentence ends; asking: whether a text asks.
    """

    digest: str
    bases: Bases
    model: Ridge
    classes: tuple[str, ...]
    marks: NDArray[np.uint64]
    nearest: NDArray[np.int16]
    surely: Floats
    segmenter: Segmenter
    asking: Asking


@dataclass(frozen=True, slots=True)
class Stray:
    """A phrase that the others of its class would not have recognised."""

    phrase: str
    own: str
    predicted: str
    score: float


def digest_of(knowledge: Knowledge, *, encoder: bool) -> str:
    """Changes with any phrase, any word that is restored, and the recipe."""
    total = hashlib.sha256(f"{RECIPE} {encoder}".encode())
    for id, group in knowledge.groups.items():
        total.update("\0".join(["", id, *group.phrases]).encode("utf-8", "replace"))
    for short in (knowledge.words.abbreviations, knowledge.words.synonyms):
        total.update(repr(sorted(short.items())).encode("utf-8", "replace"))
    return total.hexdigest()


@dataclass(frozen=True, slots=True)
class Seen:
    """A text, its features, how likely each class is, and what each view told of that (``Ridge.told``)."""

    spelt: Spelt
    features: Floats
    chances: Floats
    told: Floats


class Matcher:
    """Understands one knowledge. Immutable once it is shared; safe to share between threads."""

    def __init__(
        self,
        knowledge: Knowledge,
        encode: Encode | None,
        lists: WordLists | None = None,
        learnt: Learnt | None = None,
        block: int = ridge.BLOCK,
        teller: Callable[[Ridge], Callable[[Floats], Floats]] = lambda model: model.told,
    ) -> None:
        """learnt: from an earlier start. block: phrases that are solved at once, where all are learnt anew. teller: what tells of
        rows of features what a model does, where something is faster at it."""
        self._knowledge, groups = knowledge, knowledge.groups
        self.ids = list(groups)
        self._phrases = [(p, n) for n, g in enumerate(groups.values()) for p in g.phrases]
        self._texts = [p for p, _ in self._phrases]
        self._own = np.array([n for _, n in self._phrases])
        self._encode = encode
        self.speller = Speller(self._texts, knowledge.words.abbreviations, knowledge.words.synonyms, lists)
        self._block = block
        self.learnt = self._learnt(digest_of(knowledge, encoder=encode is not None), learnt)
        self._told = teller(self.learnt.model)
        self.segmenter, self.asking = self.learnt.segmenter, self.learnt.asking
        self._lexicon = Lexicon(self.learnt.bases.weights)

    def forget(self) -> None:
        """Let go of the examples' features where the teller has its own: no further phrases can be learnt on top then.

        To be called before other threads have it.
        """
        if self._told != self.learnt.model.told:
            self.learnt = replace(self.learnt, model=self.learnt.model.bare())

    def _learnt(self, digest: str, before: Learnt | None) -> Learnt:
        marks = np.array([_mark(self.ids[n], p) for p, n in self._phrases], np.uint64)
        if before is None or bool(before.bases.means.size) != bool(self._encode):
            return self._anew(digest, marks)
        if before.digest == digest:
            return before
        added = np.flatnonzero(~np.isin(marks, before.marks))
        gone = len(before.marks) + len(added) - len(marks)
        other = max(len(added), gone) > min(FEW, (len(marks) - len(added)) // 4)  # another knowledge, or much of it changed
        return self._anew(digest, marks) if other else self._on_top(digest, marks, added, before)

    def _anew(self, digest: str, marks: NDArray[np.uint64]) -> Learnt:
        restored = [self.speller.restore(t) for t in self._texts]
        vectors = (self._encode(restored), self._encode(list(map(clean, self._texts)))) if self._encode else ()
        lexicon, rows = Lexicon.learnt(restored)
        bases = features.found_in(lexicon, rows, *vectors)
        model, left_out = ridge.learnt(bases.of(rows, *vectors), self._own, len(self.ids), bases.edges, self._block)
        ends = segment.learnt([self.speller.keys(part) for part in parts(text)] for text in self._texts)
        asks = asking.found_in(self._knowledge, self.speller.restore)
        return Learnt(digest, bases, model, tuple(self.ids), marks, *_nearest(model.calibration.raised(left_out)), ends, asks)

    def _on_top(self, digest: str, marks: NDArray[np.uint64], added: NDArray[np.intp], before: Learnt) -> Learnt:
        """What was learnt before, without the phrases that are gone and with those that are new."""
        known = before.model
        kept = np.flatnonzero(np.isin(before.marks, marks))
        weights = np.zeros((len(before.marks), len(self.ids)), np.float32)
        bias = np.full(len(self.ids), -1.0, np.float32)
        at = [before.classes.index(id) if id in before.classes else -1 for id in self.ids]
        for n, column in enumerate(at):
            if column >= 0:
                weights[:, n], bias[n] = known.weights[:, column], known.bias[column]
        columns = np.array([self.ids.index(id) if id in self.ids else -1 for id in before.classes], np.int16)
        nearest, surely = columns[before.nearest[kept]], before.surely[kept]
        model = Ridge(known.centres[kept], weights[kept], bias, known.calibration.among(at), known.edges)
        dropped = np.flatnonzero(~np.isin(before.marks, marks))
        seen = self._seen([self._meant(self._texts[n]) for n in added], Lexicon(before.bases.weights), before.bases)
        new, how = _nearest(model.scores(seen))  # before they are learnt: what the others make of them
        nearest, surely = np.concatenate([nearest, new]), np.concatenate([surely, how])
        if len(added) or len(dropped):
            model = model.also(seen, self._own[added], (known.centres[dropped], weights[dropped]))
        known_by = np.concatenate([before.marks[kept], marks[added]])
        return Learnt(digest, before.bases, model, tuple(self.ids), known_by, nearest, surely, before.segmenter, before.asking)

    def _meant(self, phrase: str) -> Spelt:
        """Phrases are written as they are meant, and read both ways."""
        return Spelt(self.speller.restore(phrase), clean(phrase))

    def _features(self, spelt: Sequence[Spelt]) -> Floats:
        return self._seen(spelt, self._lexicon, self.learnt.bases)

    def _seen(self, spelt: Sequence[Spelt], lexicon: Lexicon, bases: Bases) -> Floats:
        if not spelt:
            return np.zeros((0, bases.edges[-1].stop), np.float32)
        rows = [lexicon.row(s.restored) for s in spelt]
        if self._encode is None:
            return bases.of(rows)
        careful = [s.careful for s in spelt]
        texts = [*(s.mended if s.careful else s.restored for s in spelt), *(s.mended for s in spelt)]
        at = {text: n for n, text in enumerate(dict.fromkeys(texts))}
        vectors = self._encode(list(at))[[at[text] for text in texts]]
        return bases.of(rows, vectors[: len(spelt)], vectors[len(spelt) :], careful=careful)

    def seen(self, spelt: Sequence[Spelt], groups: Sequence[Sequence[Seen]] = ()) -> tuple[list[Seen], Floats]:
        """Texts with calibrated probabilities of each class, and the latter for groups of texts that stand side by side.

        All in one go: a pass over the phrases costs as much as several texts.
        """
        rows = [self._features(spelt)] if spelt else []
        rows += [self._as_one(group) for group in groups]
        if not rows:
            return [], np.zeros((0, len(self.ids)), np.float32)
        features = np.vstack(rows)
        told = self._told(features)
        chances, count = softmax(self.learnt.model.weighed(told)), len(spelt)
        rows_ = zip(spelt, features[:count], chances[:count], told[:count], strict=True)
        return [Seen(*one) for one in rows_], chances[count:]

    def scores(self, spelt: Sequence[Spelt]) -> Floats:
        """The probabilities alone, a row a text."""
        return np.array([s.chances for s in self.seen(spelt)[0]], np.float32).reshape(len(spelt), len(self.ids))

    def _as_one(self, group: Sequence[Seen]) -> Floats:
        lengths = np.sqrt(np.array([1 + len(seen.spelt.restored.split()) for seen in group], np.float32))
        return self.learnt.bases.of_one(np.array([seen.features for seen in group]), lengths / lengths.sum())

    def rank(self, text: str, top: int = 5) -> tuple[Match, ...]:
        """The likeliest classes with their evidence, best first: for explanations, not on the hot path."""
        meant = self.speller.read(text)
        probabilities = self.scores([meant])[0]
        mine = self._features([meant])[0]
        found = []
        for n in np.argsort(-probabilities)[:top]:
            held = [self._texts[at] for at in np.flatnonzero(self._own == n)]
            if held:
                near, semantic = self._closest(mine, held)
                lexical = alike(self._lexicon.row(meant.restored), self._lexicon.row(self.speller.restore(near)))
                found.append(Match(self.ids[n], float(probabilities[n]), lexical, semantic, near))
        return tuple(found)

    def _closest(self, mine: Floats, phrases: Sequence[str]) -> tuple[str, float]:
        """The phrase most like a text in all views, and how alike the encoder finds them (0 without one)."""
        letters = mine[self.learnt.bases.edges[0]]
        rows = [self._lexicon.row(self.speller.restore(p)) for p in phrases]
        close = np.argsort(-(projected(rows, self.learnt.bases.views[0]) @ letters))[:LOOKED_AT]
        phrases = [phrases[n] for n in close]
        theirs = self._features(list(map(self._meant, phrases)))
        best = int(np.argmax(theirs @ mine))
        seen = self.learnt.bases.edges[1:]
        return phrases[best], float(np.mean([theirs[best, view] @ mine[view] for view in seen])) if seen else 0.0

    def strays(self) -> list[Stray]:
        """Phrases that sit nearer to another class than to their own, worst first."""
        known = self.learnt
        at = {int(mark): n for n, mark in enumerate(known.marks)}
        found = []
        for phrase, own in self._phrases:
            n = at[_mark(self.ids[own], phrase)]
            if known.nearest[n] not in (own, -1):  # -1: a class that is gone
                found.append(Stray(phrase, self.ids[own], self.ids[known.nearest[n]], float(known.surely[n])))
        return sorted(found, key=lambda s: -s.score)

    def left_out_accuracy(self) -> float:
        """Share of the phrases that the others recognise."""
        return 1 - len(self.strays()) / max(1, len(self._phrases))


def _nearest(scores: Floats) -> tuple[NDArray[np.int16], Floats]:
    """The likeliest column of each row, and how likely it is."""
    shares = softmax(scores)
    best = np.argmax(shares, 1)
    return best.astype(np.int16), shares[np.arange(len(best)), best]


def _mark(id: str, phrase: str) -> int:
    return int.from_bytes(hashlib.sha256(f"{id}\0{phrase}".encode("utf-8", "replace")).digest()[:8], "big")
