"""A message in pieces, each scored, and again by its clauses and with its neighbours where it leaves a doubt. Pure."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from bot.core.cues import ATTRIBUTES, JOINED, LEANS, asks, is_greeting, without_greeting
from bot.core.match import Matcher, Seen
from bot.core.policy import Thresholds
from bot.core.segment import BARE, MARKED
from bot.core.spell import Spelt
from bot.core.text import fragments, is_bare, is_list, parts, plain, words

WHOLE = 0.90  # a part this sure is not looked at clause by clause
RUN_ON = 9  # words without punctuation from which on a part is looked at for several sentences
MAX_PARTS = 24
MAX_LEANING_WORDS = 6
ASKS = 0.9  # chance from which on a part without a question mark asks
SHORT = 8  # words of a part whose clauses may be of one or two words


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a message, with the probability of each class: its own, or what its neighbours make of it."""

    text: str
    seen: Seen
    chances: NDArray[np.float32]
    asks: bool
    asking: float  # how likely it asks
    within: tuple[Part, ...] = ()  # its clauses, where it was looked at clause by clause and stayed whole

    @property
    def normal(self) -> str:
        return self.seen.spelt.restored


@dataclass(frozen=True, slots=True)
class Scored:
    """What is known of the pieces of one message, and of those that stand side by side read as one.

    bare: the message has no punctuation, so that a question is known by its words alone.
    """

    bare: bool = False
    parts: dict[str, Part] = field(default_factory=dict)
    groups: dict[tuple[str, ...], NDArray[np.float32]] = field(default_factory=dict)


class Pieces:
    """Cuts messages into pieces and weighs them, with one matcher."""

    def __init__(self, matcher: Matcher, thresholds: Thresholds, telling: NDArray[np.bool_], names: Collection[str] = ()) -> None:
        """telling: the classes, by column, that a message may be about: topics, and what needs a person. names: whom learners
        may greet, in plain words."""
        self._matcher, self._t, self._telling, self._names = matcher, thresholds, telling, names

    def of(self, text: str) -> list[str]:
        """Sentences, by their punctuation, and where there is none by their words."""
        likely = BARE if is_bare(text) else MARKED
        pieces = [part for piece in parts(text)[:MAX_PARTS] for part in self._cut(piece, likely)][:MAX_PARTS]
        return [without_greeting(piece, self._matcher.speller.restore, self._names) for piece in pieces]

    def _cut(self, piece: str, likely: float) -> list[str]:
        tokens = piece.split()
        if len(tokens) < RUN_ON or "?" in piece:
            return [piece]
        starts = {}  # word number to token number
        count = 0
        for n, token in enumerate(tokens):
            starts[count] = n
            count += len(words(token))
        cuts = self._matcher.segmenter.cuts(self._matcher.speller.keys(piece), likely)
        at = [starts[cut] for cut in cuts if cut in starts]
        edges = [0, *at, len(tokens)]
        return [" ".join(tokens[a:b]) for a, b in pairwise(edges)]

    def weigh(self, pieces: list[str], scored: Scored) -> tuple[list[Part], NDArray[np.float32]]:
        """Score the parts; then, where they leave a doubt, their clauses and each part together with its neighbours."""
        self.score(pieces, scored)
        parts_ = [scored.parts[piece] for piece in pieces]
        greets = [is_greeting(p) for p in pieces]  # of which nothing beside it is a part
        leans = [n > 0 and not greets[n - 1] and _leans(p) for n, p in enumerate(parts_)]
        clauses = [fragments(p.text) if self._may_split(p) else [] for p in parts_]
        beside = [[m for m in self._beside(n, parts_, leans[n]) if not greets[m]] for n in range(len(parts_))]
        pairs = {m: (pieces[m], pieces[m + 1]) for ms in beside for m in ms}
        self.score([c for cs in clauses for c in cs], scored, [*pairs.values(), tuple(pieces)])
        found: list[Part] = []
        for n, part in enumerate(parts_):
            split = [scored.parts[c] for c in clauses[n]]
            around = [scored.groups[pairs[m]] for m in beside[n]]
            if self._clauses_say_more(split, float(part.chances.max())):
                found += [p for p in split if p.asks or p.chances.max() >= self._t.clause]
                continue
            # "et ça dure longtemps ?" is about what was just spoken of
            if not leans[n]:
                chances = self._with_neighbours(part.chances, around)
            else:
                chances = part.chances if _repeats(around[0], parts_[n - 1], part) else around[0]
            found.append(replace(part, chances=chances, within=tuple(split)))
        nothing = np.zeros(len(self._matcher.ids), np.float32)
        return found, scored.groups.get(tuple(pieces), parts_[0].chances if parts_ else nothing)

    def score(self, texts: Sequence[str], scored: Scored, groups: Sequence[tuple[str, ...]] = ()) -> None:
        """Add each text and each group of neighbours that is new, with the probability of each class."""
        new = [text for text in dict.fromkeys(texts) if text not in scored.parts]
        several = [group for group in dict.fromkeys(groups) if group not in scored.groups and len(group) > 1]
        members = [[scored.parts[piece].seen for piece in group] for group in several]
        read = [self._matcher.speller.read(text) for text in new]
        if groups:  # clauses: what they look like as typed tells no more, and costs as much again
            read = [Spelt(spelt.restored, spelt.restored) for spelt in read]
        seen, joined = self._matcher.seen(read, members)
        scored.groups.update(zip(several, joined, strict=True))
        for text, one in zip(new, seen, strict=True):
            asking = 1.0 if "?" in text else self._matcher.asking.chance(one.spelt.restored)
            asked = asks(text, one.spelt.restored) or (scored.bare and asking >= ASKS)
            scored.parts[text] = Part(text, one, one.chances, asked, asking)

    def _beside(self, n: int, parts_: Sequence[Part], leans: bool) -> list[int]:
        """Which pairs of neighbours a part is to be read with, each by the number of its first part."""
        if leans:
            return [n - 1]
        if parts_[n].chances.max() >= self._t.unsure:
            return []
        pairs = [m for m in (n - 1, n) if 0 <= m < len(parts_) - 1]
        return [m for m in pairs if not (parts_[m].asks and parts_[m + 1].asks)]  # two questions are about two things

    def _may_split(self, part: Part) -> bool:
        if not part.asks:  # who somebody is and why they write: its clauses say no more than it does
            return is_list(part.text)
        return part.chances.max() < WHOLE or bool(JOINED.search(part.text))

    def _clauses_say_more(self, split: list[Part], whole: float) -> bool:
        """Whether the clauses are surely about different things, or one is sure where the whole is not."""
        # "y a-t-il, sur place, de quoi se garer" holds no clause of its own; "parking, repas" does
        least = 1 if any(is_list(p.text) for p in split) or len(words(" ".join(p.text for p in split))) <= SHORT else 3
        best = {int(np.argmax(p.chances)) for p in split if p.chances.max() >= self._t.clause and len(words(p.text)) >= least}
        told = sum(bool(self._telling[column]) for column in best)
        return told >= 2 or (told == 1 and whole < self._t.unsure)

    def _with_neighbours(self, row: NDArray[np.float32], around: list[NDArray[np.float32]]) -> NDArray[np.float32]:
        """A part that says little by itself is also read together with the parts beside it."""
        if not around:
            return row
        best = max(around, key=lambda a: float(a.max()))
        if best.max() < 0.4:
            return row
        mixed = np.sqrt(np.maximum(row, 1e-4) * np.maximum(best, 1e-4))
        shares: NDArray[np.float32] = (mixed / mixed.sum()).astype(np.float32)
        return shares


def _repeats(both: NDArray[np.float32], before: Part, part: Part) -> bool:
    """Whether two parts as one say only what the first says, though the second is sure of itself: "à quelle heure, et où ?"."""
    return bool(part.chances.max() >= WHOLE and both.argmax() == before.chances.argmax())


def _leans(part: Part) -> bool:
    """Whether it is short and about what was just spoken of: "et ça dure ?", but not "et elle doit apporter quoi ?"."""
    flat = plain(part.text)
    if not LEANS.search(flat) or len(words(part.text)) > MAX_LEANING_WORDS:
        return False
    return bool(ATTRIBUTES.search(flat)) or part.chances.max() < WHOLE
