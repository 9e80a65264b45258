"""What the columns of the matcher's probabilities are: topics, needs of a person, what stands around a question. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from bot.core import chance
from bot.core.model import Kind, Knowledge, Match
from bot.core.pieces import Part

NEEDS = (Kind.REQUEST, Kind.HANDOFF, Kind.UNKNOWN)
PASSED_ON = frozenset(kind.value for kind in NEEDS)


class Columns:
    """The classes of one knowledge, in the order in which its matcher has them."""

    def __init__(self, knowledge: Knowledge, ids: Sequence[str]) -> None:
        self.ids = ids
        self.classes = knowledge.classes
        self.of = {kind: np.array([self.kind(id) is kind for id in ids]) for kind in Kind}
        self.personal = np.array([id in self.classes and self.classes[id].private for id in ids])
        self.frames = self.of[Kind.SMALLTALK] | self.of[Kind.CONTEXT]
        self.needs = np.logical_or.reduce([self.of[kind] for kind in NEEDS])
        told = {group.tells for group in self.classes.values() if group.kind is Kind.REQUEST}
        self.kinds = chance.Kinds(
            topics=self.of[Kind.TOPIC],
            needs=self.needs,
            frames=self.frames,
            small=self.of[Kind.SMALLTALK],
            far=self.of[Kind.OFFTOPIC],
            told=np.array([id in told for id in ids]),
        )

    def kind(self, id: str) -> Kind:
        group = self.classes.get(id)
        return group.kind if group else Kind.TOPIC

    def best(self, part: Part) -> Match:
        at = int(np.argmax(part.chances))
        return Match(self.ids[at], float(part.chances[at]))

    def top(self, part: Part, kind: Kind) -> Match:
        """The likeliest class of a kind."""
        return self._among(part, np.flatnonzero(self.of[kind]))

    def needed(self, part: Part) -> Match:
        """The likeliest class that needs a person."""
        return self._among(part, np.flatnonzero(self.needs))

    def need(self, part: Part) -> float:
        """How likely a part needs a person, whatever for."""
        return float(part.chances[self.needs].sum())

    def share(self, part: Part, kind: Kind) -> float:
        """How likely a part is of a kind."""
        return float(part.chances[self.of[kind]].sum())

    def second(self, part: Part, best: str) -> Match | None:
        """The likeliest topic but one."""
        return next((m for m in self.matches(part) if m.id != best and self.kind(m.id) is Kind.TOPIC), None)

    def matches(self, part: Part) -> tuple[Match, ...]:
        """The five likeliest classes, best first."""
        order: Iterable[int] = np.argsort(-part.chances)[:5]
        return tuple(Match(self.ids[n], float(part.chances[n])) for n in order)

    def disclaimed(self, row: NDArray[np.float32]) -> NDArray[np.float32]:
        """What somebody says of themselves and wants nothing done about is context."""
        moved = row.copy()
        context = np.flatnonzero(self.of[Kind.CONTEXT])
        if len(context):
            moved[context[0]] += moved[self.personal].sum()
            moved[self.personal] = 0.0
        return moved

    def _among(self, part: Part, columns: NDArray[np.intp]) -> Match:
        at = int(columns[int(np.argmax(part.chances[columns]))])
        return Match(self.ids[at], float(part.chances[at]))
