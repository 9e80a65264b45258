"""Scores to probabilities: what the scores of all classes together say about each, found on left-out phrases. Pure.

A kernel ridge is fitted by squares, so its scores rank well and say badly how likely each class is: some classes are always
too loud, some rise with a neighbour's, and none counts twice as much at twice the score. A logistic regression over the scores
that each phrase has when it is left out mends all three (stacked generalisation, Wolpert 1992).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Numbers = NDArray[np.float64]

MIXED = 400  # classes up to which each one's scores tell about the others; beyond, pairs are too many
HELD = 1.0  # how firmly scores are held to tell of their own class alone, in examples
POWERS = (2, 3)  # of a score that bend its own line
STEPS, REMEMBERED, NEARLY = 300, 12, 1e-5  # of the descent: at most; that it remembers; gain an example that is none


@dataclass(frozen=True, slots=True)
class Calibration:
    """mixing: what each class's score (row) adds to each class (column); bend: what the POWERS of a score add to its own class;
    shift: of each class."""

    mixing: Floats
    bend: Floats
    shift: Floats

    def raised(self, scores: Floats) -> Floats:
        """Unnormalised logarithms of each class's probability."""
        found: Floats = scores @ self.mixing + self.shift
        for power, bend in zip(POWERS, self.bend, strict=True):
            found += bend * scores**power
        return found

    def among(self, classes: Sequence[int]) -> Calibration:
        """The same for other classes, each given by its number among the present ones, or -1 for a new one."""
        at, known = np.array(classes, np.intp), np.array(classes) >= 0
        mixing = np.where(known[:, None] & known, self.mixing[np.ix_(at, at)], 0.0)
        mixing[~known, ~known] = 0.0
        new = np.flatnonzero(~known)
        mixing[new, new] = np.diag(self.mixing).mean()
        return Calibration(mixing.astype(np.float32), self.bend, np.where(known, self.shift[at], 0.0).astype(np.float32))


def softmax(raised: Floats) -> Floats:
    shares = np.exp(raised - raised.max(1, keepdims=True))
    found: Floats = (shares / shares.sum(1, keepdims=True)).astype(np.float32)
    return found


def learnt(left_out: Floats, own: NDArray[np.int_]) -> Calibration:
    """left_out: the scores of each example as if it had not been seen; own: its class."""
    count, classes = left_out.shape
    scores, sharpness = left_out.astype(np.float64), _sharpness(left_out, own)
    start, mixed = np.eye(classes) * sharpness, np.ones((classes, classes)) if classes <= MIXED else np.eye(classes)
    powers = [scores**power for power in POWERS]
    ends = np.cumsum([classes * classes, len(POWERS)])

    def loss(found: Numbers) -> tuple[float, Numbers]:
        """Less their own logarithm of the examples' likelihood and of what is held likely beforehand, and its slope."""
        mixing, bend, shift = np.split(found, ends)
        apart = mixing.reshape(classes, classes)
        raised = scores @ (start + apart) + shift
        for power, by in zip(powers, bend, strict=True):
            raised += by * power
        raised -= raised.max(1, keepdims=True)
        missing = np.exp(raised)
        total = missing.sum(1)
        at = np.arange(count), own
        value = float(np.log(total).sum() - raised[at].sum()) + float(found @ found) * HELD / 2
        missing /= total[:, None]
        missing[at] -= 1.0
        slopes = [(scores.T @ missing * mixed).ravel(), [float((p * missing).sum()) for p in powers], missing.sum(0)]
        return value, np.concatenate(slopes) + HELD * found

    mixing, bend, shift = np.split(_lowest(loss, np.zeros(ends[-1] + classes), NEARLY * count).astype(np.float32), ends)
    return Calibration((start + mixing.reshape(classes, classes)).astype(np.float32), bend, shift)


def _lowest(loss: Callable[[Numbers], tuple[float, Numbers]], at: Numbers, nearly: float) -> Numbers:
    """Where a convex function is least (limited-memory BFGS, Nocedal and Wright 2006, algorithm 7.5)."""
    value, slope = loss(at)
    steps: list[tuple[Numbers, Numbers]] = []
    for _ in range(STEPS):
        way = -_steepened(slope, steps)
        length = 1.0 if steps else 1.0 / max(1.0, float(np.linalg.norm(slope)))
        downhill = float(slope @ way)
        while True:
            further, tilt = loss(at + length * way)
            if further <= value + 1e-4 * length * downhill or length < 1e-8:
                break
            length /= 2
        gain, steps = value - further, [*steps[1 - REMEMBERED :], (length * way, tilt - slope)]
        if gain <= 0:
            break
        at, value, slope = at + length * way, further, tilt
        if gain < nearly and len(steps) > 1:
            break
    return at


def _steepened(slope: Numbers, steps: Sequence[tuple[Numbers, Numbers]]) -> Numbers:
    """The slope times what the last steps tell of the inverse curvature (their algorithm 7.4)."""
    found, shares = slope.copy(), []
    for step, turn in reversed(steps):
        share = float(step @ found) / float(step @ turn)
        found -= share * turn
        shares.append(share)
    if steps:
        step, turn = steps[-1]
        found *= float(step @ turn) / float(turn @ turn)
    for (step, turn), share in zip(steps, reversed(shares), strict=True):
        found += (share - float(turn @ found) / float(step @ turn)) * step
    return found


def _sharpness(left_out: Floats, own: NDArray[np.int_]) -> float:
    """The softmax's inverse temperature at which the left-out examples are likeliest."""
    rows = np.arange(len(own))
    tried = [float(s) for s in np.geomspace(1, 30, 25)]
    losses = [-float(np.log(np.maximum(softmax(left_out * np.float32(s))[rows, own], 1e-9)).mean()) for s in tried]
    return tried[int(np.argmin(losses))]
