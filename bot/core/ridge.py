"""Kernel ridge regression: every phrase is a centre, so that one added phrase tells at once. Pure.

Up to ``BLOCK`` examples are solved in one piece, and what each scores when it is left out is known in closed form. More are
solved block by block (Gauss-Seidel on the normal equations): the memory stays that of one block.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Numbers = NDArray[np.intp]

BLOCK = 6000  # examples that are solved at once: 150 MB
SWEEPS = 3  # over the blocks; what is then missing to the exact solution costs some messages in a hundred
TILE = 1024  # rows of a kernel that are written out at once
RIDGE = np.float32(0.4)
STEPS = np.float32(127 / 0.5)  # of a number in a row of length 1, whose parts are small; larger ones are cut
WIDTHS = (0.8, 1.0, 1.0)  # found by cross-validation over the phrases; lexical view first


class Ridge:
    """Scores of classes for rows of features; ``edges`` are the columns of each view, which count alike."""

    def __init__(self, centres: Floats, weights: Floats, bias: Floats, sharpness: float, edges: Sequence[slice]) -> None:
        self.centres, self.weights, self.bias, self.sharpness, self.edges = centres, weights, bias, sharpness, tuple(edges)

    def scores(self, features: Floats) -> Floats:
        """Unnormalised logarithms of each class's probability."""
        found: Floats = self.foretold(features) * np.float32(self.sharpness)
        return found

    def foretold(self, features: Floats) -> Floats:
        """1 for a row's class and -1 for the others, as far as the examples tell."""
        found: Floats = kernel_of(features, self.centres, self.edges) @ self.weights + self.bias
        return found

    def also(self, features: Floats, own: NDArray[np.int_]) -> Ridge:
        """The same with a few more examples, which are learnt from what is still wrong about them; the others stay."""
        missing = _wanted(own, len(self.bias)) - self.foretold(features)
        features = restored(rounded(features))
        more = np.linalg.solve(_damped(features, self.edges), missing)
        centres = np.vstack([self.centres, features])
        return Ridge(centres, np.vstack([self.weights, more]), self.bias, self.sharpness, self.edges)


def learnt(
    features: Floats, own: NDArray[np.int_], classes: int, edges: Sequence[slice], block: int = BLOCK
) -> tuple[Ridge, Floats]:
    """own: the class of each row. Also about what each row would score if it had not been seen (exact for one block)."""
    features = restored(rounded(features))
    wanted = _wanted(own, classes)
    bias = wanted.mean(0, dtype=np.float32)  # classes of many phrases would win by number alone
    weights, left_out = np.zeros_like(wanted), np.empty_like(wanted)
    blocks = _blocks(len(own), block)
    sweeps = SWEEPS if len(blocks) > 1 else 1
    for sweep in range(sweeps):
        for some in blocks:
            missing = (wanted - bias)[some] - RIDGE * weights[some]
            for others in _tiles(len(own)) if len(blocks) > 1 else ():
                missing -= kernel_of(features[some], features[others], edges) @ weights[others]
            if sweep < sweeps - 1:
                weights[some] += np.linalg.solve(_damped(features[some], edges), missing)
                continue
            inverse = np.linalg.inv(_damped(features[some], edges))
            weights[some] += inverse @ missing
            left_out[some] = wanted[some] - weights[some] / np.diag(inverse)[:, None]
    sharpness = _sharpness(left_out, own)
    return Ridge(features, weights, bias, sharpness, edges), left_out * np.float32(sharpness)


def rounded(features: Floats) -> NDArray[np.int8]:
    """Rows in a quarter of the memory. They are rounded before anything is learnt from them: the weights of many centres
    cancel each other to a hair, so what was learnt from other centres than those kept is noise."""
    found: NDArray[np.int8] = np.rint(np.clip(features * STEPS, -127, 127)).astype(np.int8)
    return found


def restored(rows: NDArray[np.int8]) -> Floats:
    found = rows.astype(np.float32)
    found /= STEPS
    return found


def _wanted(own: NDArray[np.int_], classes: int) -> Floats:
    wanted = np.full((len(own), classes), -1.0, np.float32)
    wanted[np.arange(len(own)), own] = 1.0
    return wanted


def _blocks(count: int, block: int) -> list[Numbers]:
    """Which examples are solved together: some of each class in every block."""
    number = -(-count // block)
    return [np.arange(n, count, number) for n in range(number)]


def _tiles(count: int) -> Iterator[slice]:
    return (slice(n, n + TILE) for n in range(0, count, TILE))


def _damped(features: Floats, edges: Sequence[slice]) -> Floats:
    kernel = np.empty((len(features), len(features)), np.float32)
    for rows in _tiles(len(features)):
        kernel[rows] = kernel_of(features[rows], features, edges)
    kernel.flat[:: len(kernel) + 1] += RIDGE
    return kernel


def kernel_of(some: Floats, others: Floats, edges: Sequence[slice]) -> Floats:
    """A Gaussian kernel on each view, summed."""
    total = np.zeros((len(some), len(others)), np.float32)
    for columns, width in zip(edges, WIDTHS, strict=False):
        block = some[:, columns] @ others[:, columns].T
        np.minimum(block, 1.0, out=block)
        block -= 1.0
        block *= np.float32(2 * width)
        total += np.exp(block, out=block)
    return total


def softmax(raw: Floats) -> Floats:
    raised = np.exp(raw - raw.max(1, keepdims=True))
    shares: Floats = (raised / raised.sum(1, keepdims=True)).astype(np.float32)
    return shares


def _sharpness(left_out: Floats, own: NDArray[np.int_]) -> float:
    """The softmax's inverse temperature at which the left-out phrases are likeliest."""
    rows = np.arange(len(own))
    tried = [float(s) for s in np.geomspace(1, 30, 25)]
    losses = [-float(np.log(np.maximum(softmax(left_out * np.float32(s))[rows, own], 1e-9)).mean()) for s in tried]
    return tried[int(np.argmin(losses))]
