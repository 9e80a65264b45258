"""``tune``: weights and thresholds that cost least on labelled examples which the matcher was never trained on."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import fields, replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from bot.channels.mail.words import question_text
from bot.core import chance
from bot.core.chance import Weights
from bot.core.decide import Reader
from bot.core.haste import hasty
from bot.core.lexicon import Floats
from bot.core.match import Matcher, Seen
from bot.core.model import Knowledge
from bot.core.policy import Thresholds
from bot.core.rehearse import cleaned, judged
from bot.core.score import PASSED_ON, cost, judge
from bot.core.spell import Speller, Spelt
from bot.errors import AccueilError

FOLDS = 5
STEPS = (-0.10, -0.05, 0.05, 0.10)  # tried around each threshold
ROUNDS = 3
SHRINK = 5.0  # on each weight
STEPS_OF_NEWTON = 30
WORTH = 0.002  # a step that saves less a message is chance


_Labelled = tuple[list[float], bool]  # readings, and whether what they tell of is so


class _Spelling:
    """A speller that reads each text once."""

    def __init__(self, speller: Speller) -> None:
        self.read, self.restore, self.keys = cache(speller.read), cache(speller.restore), cache(speller.keys)


class _Remembering:
    """A matcher that scores each text once: the thresholds change, the probabilities do not."""

    def __init__(self, matcher: Matcher) -> None:
        self._matcher, self._seen, self._groups = matcher, dict[Spelt, Seen](), dict[tuple[Spelt, ...], Floats]()
        self.ids, self.speller, self.segmenter = matcher.ids, _Spelling(matcher.speller), matcher.segmenter
        self.asking = matcher.asking

    def seen(self, spelt: Sequence[Spelt], groups: Sequence[Sequence[Seen]] = ()) -> tuple[list[Seen], list[Floats]]:
        new = [s for s in dict.fromkeys(spelt) if s not in self._seen]
        names = [tuple(one.spelt for one in group) for group in groups]
        unread = {name: group for name, group in zip(names, groups, strict=True) if name not in self._groups}
        found, joined = self._matcher.seen(new, list(unread.values()))
        self._seen.update(zip(new, found, strict=True))
        self._groups.update(zip(unread, joined, strict=True))
        return [self._seen[s] for s in spelt], [self._groups[name] for name in names]

    def scores(self, spelt: Sequence[Spelt]) -> Floats:
        return np.array([s.chances for s in self.seen(spelt)[0]], np.float32).reshape(len(spelt), len(self.ids))


def costs_of(items: Sequence[dict[str, Any]], knowledge: Knowledge, matcher: Matcher) -> Callable[[Thresholds], list[float]]:
    """What each item costs (a dialogue: the mean of its turns), by the thresholds."""
    known: Any = _Remembering(matcher)
    read = [cleaned(item, question_text) for item in items]

    def paid(thresholds: Thresholds) -> list[float]:
        tried = replace(knowledge, policy=replace(knowledge.policy, thresholds=thresholds))
        reader = Reader(tried, known)
        return [_paid(item, tried, reader) for item in read]

    return paid


def _paid(item: dict[str, Any], knowledge: Knowledge, reader: Reader) -> float:
    turns = item.get("turns") or [item]
    made = judged(item, knowledge, reader)
    verdicts = (judge(turn, got, "turns" in item) for turn, got in zip(turns, made, strict=True))
    return sum(cost(v, knowledge.policy.costs) for v in verdicts) / len(turns)


def tuned(paid: Callable[[Thresholds], list[float]], start: Thresholds, chosen: Sequence[int]) -> Thresholds:
    """One threshold after another moved to where the chosen items cost least, until nothing moves."""
    best, least = start, _mean(paid(start), chosen)
    for _ in range(ROUNDS):
        before = best
        for name in (f.name for f in fields(Thresholds)):
            at = getattr(best, name)
            for step in STEPS:
                tried = replace(best, **{name: round(min(0.99, max(0.01, at + step)), 2)})
                price = _mean(paid(tried), chosen)
                if price < least - WORTH:
                    best, least = tried, price
        if best == before:
            break
    return best


def fitted(items: Sequence[dict[str, Any]], reader: Reader) -> Weights:
    """The weights that make the labels of whole messages likeliest (logistic regression, by Newton's method).

    Each message counts as it was written, and as a thumb in a hurry would have: what the parts tell must hold for both.
    """
    columns = {id: n for n, id in enumerate(reader.matcher.ids)}
    about, needed, far = list[_Labelled](), list[_Labelled](), list[_Labelled]()
    for item in items:
        if "turns" in item:
            continue
        text, wanted = cleaned(item, question_text)["text"], set(item["topics"])
        for seen in filter(None, map(reader.evidence_of, (text, hasty(text)))):
            for column in chance.columns_of(seen, reader.kinds):
                if not (wanted & PASSED_ON and reader.kinds.told[column]):  # a policy may be told beside a request, or left out
                    readings = chance.topic_readings(seen, reader.kinds, column)
                    about.append((readings, column in {columns.get(t) for t in wanted}))
            if item["escalate"] != "either":
                needed.append((chance.need_readings(seen, reader.kinds), item["escalate"] == "yes"))
            far.append((chance.far_readings(seen, reader.kinds), wanted == {"offtopic"}))
    return Weights(_regressed(about), _regressed(needed), _regressed(far))


def _regressed(rows: Sequence[_Labelled]) -> tuple[float, ...]:
    readings, wanted = np.array([r for r, _ in rows]), np.array([float(w) for _, w in rows])
    means, spreads = readings.mean(0), readings.std(0) + 1e-6
    means[-1], spreads[-1] = 0.0, 1.0  # the constant
    scaled = (readings - means) / spreads
    held = np.full(scaled.shape[1], SHRINK)
    held[-1] = 1e-6
    found = np.zeros(scaled.shape[1])
    for _ in range(STEPS_OF_NEWTON):
        shares = 1 / (1 + np.exp(-scaled @ found))
        slope = scaled.T @ (shares - wanted) + held * found
        curve = (scaled * (shares * (1 - shares))[:, None]).T @ scaled + np.diag(held)
        found -= np.linalg.solve(curve, slope)
    weights = found / spreads
    weights[-1] -= float(means[:-1] @ weights[:-1])
    return tuple(round(float(w), 4) for w in weights)


def write_weights(file: Path, weights: Weights) -> None:
    """Put them at the end of the policy file, in place of those that stand there. Raises AccueilError where it cannot."""
    try:
        text = re.sub(r"(?ms)^weights:\n(?:[ ].*\n)*", "", file.read_text("utf-8"))
        rows = ["weights:"]
        for kind, names in chance.READINGS.items():
            values = getattr(weights, kind)
            rows += [f"  {kind}:", *(f"    {name}: {value:g}" for name, value in zip(names, values, strict=True))]
        file.write_text(text + "\n".join(rows) + "\n", "utf-8")
    except OSError as error:
        raise AccueilError(f"{file} cannot be written: {error.strerror}") from error


def _mean(values: Sequence[float], chosen: Sequence[int]) -> float:
    return sum(values[n] for n in chosen) / max(1, len(chosen))


def cross_validated(paid: Callable[[Thresholds], list[float]], start: Thresholds, count: int) -> tuple[float, float]:
    """Mean cost of items that the thresholds were not found on, with the thresholds as they are and tuned."""
    order = range(count)
    as_is = paid(start)
    folds = [order[n::FOLDS] for n in range(FOLDS)]
    left_out = 0.0
    for fold in folds:
        found = tuned(paid, start, [n for n in order if n not in set(fold)])
        values = paid(found)
        left_out += sum(values[n] for n in fold)
    return sum(as_is) / count, left_out / count


def write_thresholds(file: Path, thresholds: Thresholds) -> None:
    """Put them into the policy file, where everything else stays as it is. Raises AccueilError where one is missing."""
    text = file.read_text("utf-8")
    for name in (f.name for f in fields(Thresholds)):
        text, hits = re.subn(rf"(?m)^(  {name}: ).*$", rf"\g<1>{getattr(thresholds, name):g}", text)
        if hits != 1:
            raise AccueilError(f"{file}: {name!r} does not stand in it once")
    file.write_text(text, "utf-8")
