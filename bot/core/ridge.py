"""Kernel ridge regression in little memory: only the lower half of the kernel is ever held, in tiles. Pure.

Up to ``EXACT`` examples each is a centre of its own. A larger knowledge keeps ``CENTRES`` of them (Nyström's method): its
memory then stays the same, and its time grows with the number of examples alone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Numbers = NDArray[np.intp]
Kernel = Callable[[Numbers, Numbers], Floats]  # likeness of some examples to some others

EXACT = 9000  # examples up to which none is left out: 170 MB while it learns
CENTRES = 4000
TILE = 512
RIDGE = 0.4


def centres(count: int) -> Numbers:
    """Which of so many examples, sorted by class, the others are compared with."""
    return np.arange(count) if count <= EXACT else np.linspace(0, count - 1, CENTRES).round().astype(np.intp)


class Ridge:
    """What was learnt from examples: ``weights``, one row for each centre."""

    def __init__(self, kernel: Kernel, wanted: Floats) -> None:
        """wanted: one row for each example, the values to be foretold."""
        self._kernel, self._wanted = kernel, wanted
        self._centres = centres(len(wanted))
        self._exact = len(self._centres) == len(wanted)
        self._edges = [*range(0, len(self._centres), TILE), len(self._centres)]
        rows = [kernel(self._centres[a:b], self._centres[:b]) for a, b in zip(self._edges, self._edges[1:], strict=False)]
        right = wanted
        if not self._exact:
            right = np.zeros((len(self._centres), wanted.shape[1]), np.float32)
            for row in rows:
                row *= RIDGE
            for start in range(0, len(wanted), TILE):
                block = kernel(np.arange(start, min(start + TILE, len(wanted))), self._centres)
                right += block.T @ wanted[start : start + TILE]
                for row, a, b in zip(rows, self._edges, self._edges[1:], strict=False):
                    row += block[:, a:b].T @ block[:, :b]
        for row, a in zip(rows, self._edges, strict=False):
            row[:, a:].flat[:: row.shape[1] - a + 1] += RIDGE if self._exact else 1e-3
        self._factor = Factor(rows)
        self.weights: Floats = self._factor.solve(right)

    def left_out(self, examples: Numbers) -> Floats:
        """What would be foretold of some examples if they had not been seen: in closed form, from the factor."""
        found = np.empty((len(examples), self._wanted.shape[1]), np.float32)
        for start in range(0, len(examples), TILE):
            some = examples[start : start + TILE]
            if self._exact:  # the residual of an example is its weight over the diagonal of the kernel's inverse
                unit = np.zeros((len(self._centres), len(some)), np.float32)
                unit[some, np.arange(len(some))] = 1
                residual = self.weights[some] / np.square(self._factor.forward(unit)).sum(0)[:, None]
            else:
                block = self._kernel(some, self._centres)
                leverage = np.minimum(np.square(self._factor.forward(block.T)).sum(0), 0.999)
                residual = (self._wanted[some] - block @ self.weights) / (1 - leverage)[:, None]
            found[start : start + TILE] = self._wanted[some] - residual
        return found


class Factor:
    """The Cholesky factor of a positive definite matrix, made where the matrix stands.

    rows: the lower half in bands of ``TILE`` rows, each as wide as its last column; the diagonal tiles end up inverted.
    """

    def __init__(self, rows: Sequence[Floats]) -> None:
        self._rows = rows
        self._at = [0]
        for row in rows:
            self._at.append(self._at[-1] + len(row))
        for j, row in enumerate(rows):
            done = self._at[j]
            for i, lower in enumerate(rows[j:], j):
                tile = self._tile(i, j)
                tile -= lower[:, :done] @ row[:, :done].T
            diagonal = self._tile(j, j)
            diagonal[:] = np.linalg.inv(np.linalg.cholesky(_whole(diagonal)))
            for i in range(j + 1, len(rows)):
                tile = self._tile(i, j)
                tile[:] = tile @ diagonal.T

    def _tile(self, i: int, j: int) -> Floats:
        return self._rows[i][:, self._at[j] : self._at[j + 1]]

    def forward(self, right: Floats) -> Floats:
        """The factor's inverse times right."""
        found = np.array(right, np.float32)
        for i, row in enumerate(self._rows):
            a, b = self._at[i], self._at[i + 1]
            found[a:b] = self._tile(i, i) @ (found[a:b] - row[:, :a] @ found[:a])
        return found

    def solve(self, right: Floats) -> Floats:
        """The matrix's inverse times right."""
        found = self.forward(right)
        for i in range(len(self._rows) - 1, -1, -1):
            a, b = self._at[i], self._at[i + 1]
            found[a:b] = self._tile(i, i).T @ found[a:b]
            found[:a] -= self._rows[i][:, :a].T @ found[a:b]
        return found


def _whole(tile: Floats) -> NDArray[np.float64]:
    """A symmetric tile of which only the lower half is right."""
    lower = np.tril(tile).astype(np.float64)
    return lower + np.tril(lower, -1).T
