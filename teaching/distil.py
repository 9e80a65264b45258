"""Teaching what is left what the original says (Hinton et al. 2015; Sanh et al. 2019): every token, after every third layer."""

from __future__ import annotations

import math
import random
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from teaching.network import Layer, embedded, pooled, states

Layers = Sequence[Layer]
Texts = Mapping[str, Sequence[str]]

STEPS = 63  # of a weight, on either side of nothing: with 127 the sums of processors without VNNI would overflow
AT = {3: 0.25, 6: 0.5, 9: 0.25, 12: 1.0}  # how much the tokens after a layer count
WARMED_UP, LAST = 60, 0.02  # steps up to the height of the rate, and what of it is left at the end
SORTED, LETTERS, ROWS = 2560, 4500, 96  # texts that are sorted by length, and letters and texts of one step
TOLD_EVERY = 240.0  # seconds


@dataclass(frozen=True, slots=True)
class Go:
    """minutes: of teaching, while the rate (of Adam, at its height) falls. mix: how often texts of a kind are read. vectors: how
    much the vectors of texts count after a layer, beside their tokens. rounded: with weights as they will be in bytes."""

    minutes: float
    rate: float
    mix: Mapping[str, float]
    vectors: Mapping[int, float]
    rounded: bool


def taught(layers: Layers, teacher: Layers, texts: Texts, go: Go) -> list[Layer]:
    """The layers after one go."""
    pupil = [{name: (weight.clone(), bias.clone()) for name, (weight, bias) in layer.items()} for layer in layers]
    numbers = [one.requires_grad_() for layer in pupil for pair in layer.values() for one in pair]
    learner = torch.optim.Adam(numbers, lr=go.rate, betas=(0.9, 0.98))
    dice = random.Random(5)  # noqa: S311 - shuffles, guards nothing
    next_of, spread = {name: _batches(texts[name], dice) for name in go.mix}, _spread(teacher, texts, go.vectors)
    start, told, steps, lost = time.monotonic(), 0.0, 0, 0.0
    while (done := (time.monotonic() - start) / 60 / go.minutes) < 1:
        rate = go.rate * min(1.0, (steps + 1) / WARMED_UP) * (LAST + (1 - LAST) * (1 + math.cos(math.pi * done)) / 2)
        for group in learner.param_groups:
            group["lr"] = rate
        rows, there = embedded(next_of[dice.choices(list(go.mix), list(go.mix.values()))[0]]())
        with torch.no_grad():
            meant = list(states(teacher, rows, there))
        said = list(states([_rounded(layer) for layer in pupil] if go.rounded else pupil, rows, there))
        loss = _loss(said, meant, there, go.vectors, spread)
        learner.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(numbers, 1.0)
        learner.step()
        steps, lost = steps + 1, lost + (loss.item() - lost) / min(steps + 1, 100)
        if time.monotonic() - told > TOLD_EVERY:
            told = time.monotonic()
            print(f"{done:4.0%}  {steps} steps, loss {lost:.3f}", flush=True)
    return [{name: (weight.detach(), bias.detach()) for name, (weight, bias) in layer.items()} for layer in pupil]


def _rounded(layer: Layer) -> Layer:
    """Weights as they will be in bytes; how they are to change is told to the exact ones."""
    found = dict(layer)
    for name, (weight, bias) in layer.items():
        if weight.ndim == 2:
            scale = weight.detach().abs().amax(1, keepdim=True) / STEPS
            found[name] = weight + ((weight.detach() / scale).round() * scale - weight.detach()), bias
    return found


def _loss(
    said: Sequence[Tensor], meant: Sequence[Tensor], there: Tensor, vectors: Mapping[int, float], spread: Mapping[int, Tensor]
) -> Tensor:
    total = torch.zeros(())
    for depth, weight in AT.items():
        ours, theirs = said[depth - 1][there], meant[depth - 1][there]
        total = total + weight * (((ours - theirs) / (theirs.std(0) + 1e-3)) ** 2).mean()
    for depth, weight in vectors.items():
        apart = (pooled(said[depth - 1], there) - pooled(meant[depth - 1], there)) ** 2
        total = total + weight * apart.sum(1).mean() / spread[depth]
    return total


@torch.no_grad()
def _spread(teacher: Layers, texts: Texts, depths: Iterable[int]) -> dict[int, Tensor]:
    """How far texts are from their mean: what an error in a text's vector is measured by."""
    rows, there = embedded(next(iter(texts.values()))[:400])
    found = dict(enumerate(states(teacher, rows, there), 1))
    vectors = {depth: pooled(found[depth], there) for depth in depths}
    return {depth: ((one - one.mean(0)) ** 2).sum(1).mean() for depth, one in vectors.items()}


def _batches(texts: Sequence[str], dice: random.Random) -> Callable[[], list[str]]:
    """Texts of about one length, again and again in another order."""
    waiting: list[list[str]] = []

    def batch() -> list[str]:
        if not waiting:
            some = list(texts)
            dice.shuffle(some)
            for n in range(0, len(some), SORTED):
                waiting.extend(_cut(sorted(some[n : n + SORTED], key=len)))
            dice.shuffle(waiting)
        return waiting.pop()

    return batch


def _cut(texts: Sequence[str]) -> list[list[str]]:
    found: list[list[str]] = [[]]
    for text in texts:
        if len(found[-1]) == ROWS or sum(map(len, found[-1])) > LETTERS:
            found.append([])
        found[-1].append(text)
    return found
