"""Kernel ridge regression: every phrase is a centre, so that one added phrase tells at once. Pure.

Up to ``BLOCK`` examples are solved in one piece, and what each scores when it is left out is known in closed form. More are
solved block by block (Gauss-Seidel on the normal equations): the memory stays that of one block.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from bot.core import calibrate
from bot.core.calibrate import Calibration

Floats = NDArray[np.float32]
Bytes = NDArray[np.int8]
Numbers = NDArray[np.intp]

BLOCK = 6000  # examples that are solved at once: 150 MB
SWEEPS = 3  # over the blocks; what is then missing to the exact solution costs some messages in a hundred
TILE = 1024  # rows of a kernel that are written out at once: they stay in a processor's cache
SPREAD, NEAR = 1500, 500  # examples that stay as they are when some are added: of all, and of those most like the new ones
RIDGE = np.float32(0.2)
MOST = 63  # steps on either side of nothing: with 127 the sums of processors without VNNI would overflow
STEPS = np.float32(MOST / 0.5)  # of a number in a row of length 1, whose parts are small; larger ones are cut
WIDTHS = (0.8, 1.0, 1.0)  # of the lexical view and the semantic ones; found by cross-validation over the phrases
SHARES = (1.0, 2.0, 1.0)  # how much each view counts


class Ridge:
    """Scores of classes for rows of features; ``edges`` are the columns of each view."""

    def __init__(self, centres: Bytes, weights: Floats, bias: Floats, calibration: Calibration, edges: Sequence[slice]) -> None:
        """centres: in bytes, as they were when the weights were learnt."""
        self.centres, self.weights, self.bias, self.calibration, self.edges = centres, weights, bias, calibration, tuple(edges)

    def scores(self, features: Floats) -> Floats:
        """Unnormalised logarithms of each class's probability."""
        return self.weighed(self.told(features))

    def weighed(self, told: Floats) -> Floats:
        """The same of what each view told."""
        return self.calibration.raised(self.bias + told.sum(1))

    def foretold(self, features: Floats) -> Floats:
        """1 for a row's class and -1 for the others, as far as the examples tell."""
        found: Floats = self.bias + self.told(features).sum(1)
        return found

    def told(self, features: Floats) -> Floats:
        """What each view adds to that: rows, views, classes."""
        return _told(features, self.centres, self.weights, self.edges)

    def bare(self) -> Ridge:
        """What is needed where something else tells what the examples do: nearly none of the memory."""
        return Ridge(self.centres[:0].copy(), self.weights[:0].copy(), self.bias, self.calibration, self.edges)

    def also(self, features: Floats, own: NDArray[np.int_], gone: tuple[Bytes, Floats] | None = None) -> Ridge:
        """The same with a few more examples, and without what is gone: centres and their weights, which it no longer has.

        What is missing is solved for together with examples that it has, for which nothing is to change: of themselves
        the new ones would pull every text a little towards their class, twenty of one class far too much.
        """
        missing = _wanted(own, len(self.bias)) - self.foretold(features)
        more = rounded(features)
        some = self._beside(np.vstack([more, gone[0]]) if gone else more)
        beside = self.centres[some]
        lost = _told(restored(beside), *gone, self.edges).sum(1) if gone else np.zeros((len(some), len(self.bias)), np.float32)
        factor = _inverse_factor(_damped(np.vstack([beside, more]), self.edges))
        solution = factor.T @ (factor @ np.vstack([lost, missing]))
        weights = self.weights.copy()
        weights[some] += solution[: len(some)]
        weights = np.vstack([weights, solution[len(some) :]])
        return Ridge(np.vstack([self.centres, more]), weights, self.bias, self.calibration, self.edges)

    def _beside(self, rows: Bytes) -> Numbers:
        """Which examples are to stay as they are: some of all, and those that are most like the rows."""
        count = len(self.centres)
        near = np.zeros(count, np.float32)
        for some in _tiles(len(rows)):
            views = _views(restored(rows[some]), self.edges)
            for tile in _tiles(count):
                kernel = np.sum([*_kernels(views, self.centres[tile], self.edges)], 0)
                np.maximum(near[tile], kernel.max(0), out=near[tile])
        nearest = np.argsort(-near)[:NEAR]
        spread = np.linspace(0, count - 1, min(count, SPREAD)).astype(int)
        return np.unique(np.concatenate([nearest, spread]))


def learnt(
    features: Floats, own: NDArray[np.int_], classes: int, edges: Sequence[slice], block: int = BLOCK
) -> tuple[Ridge, Floats]:
    """own: the class of each row. Also about what each row would score if it had not been seen (exact for one block)."""
    centres = rounded(features)
    wanted = _wanted(own, classes)
    bias = wanted.mean(0, dtype=np.float32)  # classes of many phrases would win by number alone
    weights, left_out = np.zeros_like(wanted), np.empty_like(wanted)
    blocks = _blocks(len(own), block)
    sweeps = SWEEPS if len(blocks) > 1 else 1
    for sweep in range(sweeps):
        for some in blocks:
            missing = (wanted - bias)[some] - RIDGE * weights[some]
            if len(blocks) > 1:
                missing -= _told(restored(centres[some]), centres, weights, edges).sum(1)
            factor = _inverse_factor(_damped(centres[some], edges))
            weights[some] += factor.T @ (factor @ missing)
            if sweep == sweeps - 1:
                left_out[some] = wanted[some] - weights[some] / np.einsum("ij,ij->j", factor, factor)[:, None]
    calibration = calibrate.learnt(left_out, own)
    return Ridge(centres, weights, bias, calibration, edges), left_out


def rounded(features: Floats) -> Bytes:
    """Rows in a quarter of the memory. They are rounded before anything is learnt from them: the weights of many centres
    cancel each other to a hair, so what was learnt from other centres than those kept is noise."""
    found: Bytes = np.rint(np.clip(features * STEPS, -MOST, MOST)).astype(np.int8)
    return found


def restored(rows: Bytes) -> Floats:
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
    return (slice(n, min(n + TILE, count)) for n in range(0, count, TILE))


def _told(features: Floats, centres: Bytes, weights: Floats, edges: Sequence[slice]) -> Floats:
    """What all centres say of each row, in each view."""
    views, total = _views(features, edges), np.zeros((len(features), len(edges), weights.shape[1]), np.float32)
    for some in _tiles(len(centres)):
        for n, kernel in enumerate(_kernels(views, centres[some], edges)):
            total[:, n] += kernel @ weights[some]
    return total


def _damped(centres: Bytes, edges: Sequence[slice]) -> Floats:
    kernel = np.empty((len(centres), len(centres)), np.float32)
    for rows in _tiles(len(centres)):
        views = _views(restored(centres[rows]), edges)
        for columns in _tiles(len(centres)):
            kernel[rows, columns] = sum(_kernels(views, centres[columns], edges))
    kernel.flat[:: len(kernel) + 1] += RIDGE
    return kernel


def _inverse_factor(matrix: Floats) -> Floats:
    """L⁻¹ of a symmetric matrix L Lᵀ, in its place: its inverse is L⁻ᵀ L⁻¹.

    Tile by tile (Golub and Van Loan, Matrix Computations, 4.2.9), because NumPy's own works on copies in double precision,
    which is six times the memory. Raises LinAlgError for a matrix that is not positive definite.
    """
    count = len(matrix)
    tiles = list(_tiles(count))
    diagonal = []
    for n, own in enumerate(tiles):
        lower = np.linalg.cholesky(matrix[own, own])
        diagonal.append(np.linalg.inv(lower).astype(np.float32))
        matrix[own.stop :, own] = matrix[own.stop :, own] @ diagonal[n].T
        for later in tiles[n + 1 :]:
            matrix[later.start :, later] -= matrix[later.start :, own] @ matrix[later, own].T
    for n, own in enumerate(tiles):
        left = matrix[own, : own.start].copy()
        for before in tiles[:n]:
            product = left[:, before.start :] @ matrix[before.start : own.start, before]
            matrix[own, before] = -(diagonal[n] @ product)
        matrix[own, own] = diagonal[n]
        matrix[own, own.stop :] = 0.0
    return matrix


def _views(features: Floats, edges: Sequence[slice]) -> list[Floats]:
    """Each view of the rows, such that its product with a centre's bytes needs no further factor in the exponent."""
    factors = (2 * width / STEPS for width in WIDTHS)
    return [features[:, columns] * np.float32(factor) for columns, factor in zip(edges, factors, strict=False)]


def _kernels(views: Sequence[Floats], centres: Bytes, edges: Sequence[slice]) -> Iterator[Floats]:
    """A Gaussian kernel on each view: of vectors of length 1, whose distance is in their product."""
    others = centres.astype(np.float32)
    for view, columns, width, share in zip(views, edges, WIDTHS, SHARES, strict=False):
        exponent = view @ others[:, columns].T
        exponent += np.float32(np.log(share) - 2 * width)
        np.minimum(exponent, np.float32(np.log(share)), out=exponent)
        yield np.exp(exponent, out=exponent)
