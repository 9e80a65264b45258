"""How likely a message asks about each topic, and how likely it needs a person: what its parts say, weighed. Pure.

A part's own probabilities do not tell whether it is a question or the story around one, nor what a neighbour changes. Three
logistic regressions over a few readings of the parts do: one shared by all topics, one for the need of a person, and one for
messages about other things. Their weights
are found on whole messages of the examples (``accueil tune``), which the matcher was never trained on.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import log

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Flags = NDArray[np.bool_]

LEAST = 0.02  # a topic less likely than this in every part is not weighed
_CUT = 1e-4  # probabilities nearer to 0 or 1 than this tell no more


@dataclass(frozen=True, slots=True)
class Kinds:
    """Which columns of the probabilities are topics, need a person, stand around questions (small: as small talk), are about
    other things."""

    topics: Flags
    needs: Flags
    frames: Flags
    small: Flags
    far: Flags
    told: Flags  # topics whose policy is told beside a request


@dataclass(frozen=True, slots=True)
class Evidence:
    """The parts of one message. chances: one row a part; told: what each view of the part by itself adds to its score (parts,
    views, classes); asks: whether it asks; asking: how likely it does, by its small words; frame: whether it stands around a
    question.

    within: as chances, each the largest among a part's clauses. whole: the parts read as one.
    """

    chances: Floats
    told: Floats
    within: Floats
    whole: Floats
    asks: Flags
    asking: Floats
    frame: Flags
    words: NDArray[np.int_]
    disclaims: bool  # says that nothing need be done
    health: bool


@dataclass(frozen=True, slots=True)
class Weights:
    """Of each reading of the parts, in the order of TOPIC, NEED and FAR, the constant last."""

    topic: tuple[float, ...]
    need: tuple[float, ...]
    far: tuple[float, ...]


TOPIC = (
    "chance asked_chance asks best second need frame alone single need_elsewhere parts words is_frame anywhere any_asks"
    " asked_need_elsewhere far disclaims told told_need chance_asked within within_gain whole asking"
    " chance_asking asking_there letters meaning wording letters_most meaning_most wording_most constant"
).split()
NEED = (
    "need asks asked_need second_need alone parts topic_asked frame words health any_asks anywhere least_topic unsure far"
    " mean_far small asked stated disclaims disclaimed topic_there within within_asked whole whole_far asking"
    " need_asking need_telling strength letters meaning wording courtesy courtesies constant"
).split()
VIEWS = 3  # letters, meaning (the encoder's last layer), wording (a lower one)
FAR = "whole mean most least whole_topic whole_need topic need small any_asks parts words health constant".split()
READINGS = {"topic": TOPIC, "need": NEED, "far": FAR}


def topics(seen: Evidence, kinds: Kinds, weights: Weights) -> dict[int, float]:
    """How likely the message asks about each topic, by column; only those that are worth a thought."""
    columns = columns_of(seen, kinds)
    if not columns:
        return {}
    rows = np.array([topic_readings(seen, kinds, c) for c in columns])
    return dict(zip(columns, _logistic(rows @ np.array(weights.topic)).tolist(), strict=True))


def columns_of(seen: Evidence, kinds: Kinds) -> list[int]:
    """The topics that are worth a thought."""
    return [int(c) for c in np.flatnonzero(kinds.topics & (np.maximum(seen.chances, seen.within).max(0) >= LEAST))]


def need(seen: Evidence, kinds: Kinds, weights: Weights) -> float:
    """How likely the message must reach a person."""
    return float(_logistic(np.array(need_readings(seen, kinds)) @ np.array(weights.need)))


def far(seen: Evidence, kinds: Kinds, weights: Weights) -> float:
    """How likely the message is about other things altogether."""
    return float(_logistic(np.array(far_readings(seen, kinds)) @ np.array(weights.far)))


def topic_readings(seen: Evidence, kinds: Kinds, column: int) -> list[float]:
    """What the parts say of one topic, in the order of TOPIC."""
    chances, asks = seen.chances, seen.asks
    mine = chances[:, column]
    at = int(np.argmax(mine + 1e-3 * asks))  # the part that is most likely about it
    needs, others = chances[:, kinds.needs].sum(1), kinds.topics.copy()
    others[column] = False
    elsewhere = _odds(np.delete(needs, at).max()) if len(mine) > 1 else -4.0
    asked, chance = float(asks[at]), _odds(mine[at])
    told = float(kinds.told[column])
    return [
        chance,
        chance * asked,
        asked,
        float(chances[at].argmax() == column),
        _odds(chances[at, others].max(initial=0.0)),
        _odds(needs[at]),
        _odds(chances[at, kinds.frames].sum()),
        float(len(mine) == 1),
        float(np.count_nonzero(~seen.frame) <= 1),
        elsewhere,
        log(len(mine)),
        log(max(1, seen.words[at])),
        float(seen.frame[at]),
        _odds(float(1 - np.prod(1 - mine))),
        float(asks.any()),
        asked * elsewhere,
        _odds(chances[at, kinds.far].sum()),
        float(seen.disclaims),
        told,
        told * _odds(needs.max()),
        _odds(mine[asks].max(initial=0.0)),
        _odds(seen.within[:, column].max()),
        max(0.0, _odds(seen.within[:, column].max()) - chance),
        _odds(seen.whole[column]),
        _odds(seen.asking[at]),
        _odds(seen.asking[at]) * chance,
        _odds((mine * seen.asking).max()),
        *_by_view(seen.told[at, :, column]),
        *_by_view(seen.told[:, :, column].max(0)),
        1.0,
    ]


def need_readings(seen: Evidence, kinds: Kinds) -> list[float]:
    """What the parts say of the need of a person, in the order of NEED."""
    chances, asks = seen.chances, seen.asks
    needs, about = chances[:, kinds.needs].sum(1), chances[:, kinds.topics].max(1, initial=0.0)
    within = seen.within[:, kinds.needs].sum(1).clip(0, 1)
    at = int(np.argmax(needs))
    ordered = np.sort(needs)[::-1]
    far, small, told = chances[:, kinds.far].sum(1), chances[:, kinds.small].sum(1), seen.told[:, :, kinds.needs]
    asked = float(asks[at])
    return [
        _odds(needs[at]),
        asked,
        asked * _odds(needs[at]),
        _odds(ordered[1]) if len(needs) > 1 else -4.0,
        float(len(needs) == 1),
        log(len(needs)),
        _odds(about[asks].max(initial=0.0)),
        _odds(chances[at, kinds.frames].sum()),
        log(max(1, seen.words[at])),
        float(seen.health),
        float(asks.any()),
        _odds(float(1 - np.prod(1 - needs))),
        _odds(about[asks].min(initial=0.5)),
        float((1 - chances[asks].max(1)).max(initial=0.0)) if asks.any() else 0.0,
        _odds(far.max()),
        _odds(far.mean()),
        _odds(chances[:, kinds.frames].sum(1).max()),
        _odds(needs[asks].max(initial=0.0)),
        _odds(needs[~asks].max(initial=0.0)),
        float(seen.disclaims),
        float(seen.disclaims) * _odds(needs[~asks].max(initial=0.0)),
        _odds(about.max()),
        _odds(within.max()),
        _odds(within[asks].max(initial=0.0)),
        _odds(seen.whole[kinds.needs].sum()),
        _odds(seen.whole[kinds.far].sum()),
        _odds(seen.asking[at]),
        _odds((needs * seen.asking).max()),
        _odds((needs * (1 - seen.asking)).max()),
        float(told.sum(1).max(initial=-1.0)),
        *_by_view(told[int(np.argmax(told.sum(1).max(1, initial=-1.0)))].max(1, initial=-1.0)),
        _odds(small.max()),
        _odds(small.mean()),
        1.0,
    ]


def far_readings(seen: Evidence, kinds: Kinds) -> list[float]:
    """What the parts say of whether all this is about other things, in the order of FAR."""
    chances, said = seen.chances, ~seen.frame if (~seen.frame).any() else np.ones(len(seen.frame), bool)
    away = chances[said][:, kinds.far].sum(1)
    return [
        _odds(seen.whole[kinds.far].sum()),
        _odds(away.mean()),
        _odds(away.max()),
        _odds(away.min()),
        _odds(seen.whole[kinds.topics].sum()),
        _odds(seen.whole[kinds.needs].sum()),
        _odds(chances[:, kinds.topics].max()),
        _odds(chances[:, kinds.needs].sum(1).max()),
        _odds(chances[:, kinds.frames].sum(1).max()),
        float(seen.asks.any()),
        log(len(chances)),
        log(max(1, seen.words.sum())),
        float(seen.health),
        1.0,
    ]


def _by_view(told: Floats) -> list[float]:
    """Of letters alone, where there is no encoder, each view has its share."""
    return np.repeat(told / VIEWS, VIEWS).tolist() if len(told) == 1 else told.tolist()


def _odds(chance: float) -> float:
    """Logarithm of the odds, cut where more tells nothing."""
    held = min(1 - _CUT, max(_CUT, float(chance)))
    return log(held / (1 - held))


def _logistic(values: NDArray[np.float64]) -> NDArray[np.float64]:
    found: NDArray[np.float64] = 1 / (1 + np.exp(-values))
    return found
